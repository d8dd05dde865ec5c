import { hasCode } from "../../foundation/index.ts";
import {
  type AddressPool,
  addressPoolDefinition,
  type Endpoints,
  endpointsDefinition,
  type KubeObject,
  type Pool,
  poolDefinition,
  type Service,
  serviceDefinition,
} from "../../model/index.ts";
import { changeObject } from "../runtime/change-object.ts";
import type { ControllerEnvironment } from "../runtime/environment.ts";
import { type Hooks, openHooks } from "../runtime/hooks.ts";
import { keyOf, type ObjectView, type ViewChange } from "../runtime/object-view.ts";
import { createWorkQueue, type WorkQueue } from "../runtime/work-queue.ts";
import { generate, ownedPoolOf, type Problem, type WantedPool } from "./generate.ts";
import { mergedPool, newPool } from "./merge.ts";
import { CIRCLE_WATCH_OPERATOR } from "./ownership.ts";
import { withNodePorts, withServiceStatus } from "./service-status.ts";

const WRITE = { operator: CIRCLE_WATCH_OPERATOR } as const;
const STATUS = { ...WRITE, subresource: "status" } as const;
const PARALLEL_COUNT = 256;
/** When a name was freed while we learned that it is taken, ms. */
const NAME_RETRY_MS = 20;

/** Keeps the Pools of Services as the Services and their Endpoints say, until the signal aborts. */
export async function runCircleWatch(environment: ControllerEnvironment): Promise<void> {
  await new CircleWatch(environment).run();
}

class CircleWatch {
  readonly #environment: ControllerEnvironment;
  readonly #hooks: Hooks;
  readonly #queue: WorkQueue;
  /** Pools by the uid of the Service that owns them. */
  readonly #owned = new Map<string, Map<string, Pool>>();
  /** Services that cannot go on until the holder of a name, or the lack of an address pool, is gone. */
  readonly #stuck = new Map<string, ReadonlySet<string>>();
  #views:
    | {
        readonly services: ObjectView<Service>;
        readonly endpoints: ObjectView<Endpoints>;
        readonly pools: ObjectView<Pool>;
        readonly addressPools: ObjectView<AddressPool>;
      }
    | undefined;

  constructor(environment: ControllerEnvironment) {
    const { clock, logger, signal, random, metrics } = environment;
    this.#environment = environment;
    this.#hooks = openHooks("circle-watch", environment);
    this.#queue = createWorkQueue({
      reconcile: (key) => this.#reconcile(key),
      parallelCount: PARALLEL_COUNT,
      clock,
      logger,
      signal,
      random,
      onDone: (_key, durationMs, succeeded) => metrics.reconciled("circle-watch", durationMs, succeeded),
    });
  }

  async run(): Promise<void> {
    const services = this.#hooks.follow<Service>(serviceDefinition, (change) => this.#onService(change));
    const endpoints = this.#hooks.follow<Endpoints>(endpointsDefinition, (change) =>
      this.#onEndpoints(change),
    );
    const pools = this.#hooks.follow<Pool>(poolDefinition, (change) => this.#onPool(change));
    const addressPools = this.#hooks.follow<AddressPool>(addressPoolDefinition, (change) =>
      this.#onAddressPool(change),
    );
    const followed = [services, endpoints, pools, addressPools];
    await Promise.all(followed.map(({ synced }) => synced));
    this.#views = {
      services: services.view,
      endpoints: endpoints.view,
      pools: pools.view,
      addressPools: addressPools.view,
    };
    for (const service of services.view.values()) this.#queue.add(keyOf(service));
    await Promise.all(followed.map(({ ended }) => ended));
    await this.#queue.drained();
  }

  #onService({ key, before, after }: ViewChange<Service>): void {
    if (!after) this.#stuck.delete(key);
    if (!after || !isChanged(before, after)) return;
    this.#enqueue("ServiceChanged", key);
  }

  #onEndpoints({ key }: ViewChange<Endpoints>): void {
    this.#enqueue("EndpointsChanged", key);
  }

  #onPool({ key, before, after }: ViewChange<Pool>): void {
    const owners = new Set([before, after].map((pool) => pool && ownerOf(pool)));
    for (const owner of owners) if (owner) this.#index(owner.uid, key, after);
    if (!after) this.#retryStuck((reasons) => reasons.has(key));
    const addressesChanged =
      JSON.stringify(before?.status?.connectAddresses) !== JSON.stringify(after?.status?.connectAddresses);
    if (before && after && !isChanged(before, after) && !addressesChanged) return;
    for (const owner of owners) {
      if (owner) this.#enqueue("PoolChanged", `${(after ?? before)?.metadata.namespace ?? ""}/${owner.name}`);
    }
  }

  #onAddressPool({ key, before, after }: ViewChange<AddressPool>): void {
    if (before?.metadata.generation === after?.metadata.generation) return;
    this.#hooks.fire("AddressPoolChanged", key);
    this.#retryStuck((reasons) => reasons.has(ADDRESS_POOLS));
  }

  #enqueue(hook: string, key: string): void {
    if (!this.#views) return;
    this.#hooks.fire(hook, key);
    this.#queue.add(key);
  }

  #retryStuck(concerns: (reasons: ReadonlySet<string>) => boolean): void {
    for (const [key, reasons] of this.#stuck) if (concerns(reasons)) this.#queue.add(key);
  }

  #index(ownerUid: string, key: string, pool: Pool | undefined): void {
    const pools = this.#owned.get(ownerUid) ?? new Map<string, Pool>();
    if (pool && ownerOf(pool)?.uid === ownerUid) pools.set(key, pool);
    else pools.delete(key);
    if (pools.size === 0) this.#owned.delete(ownerUid);
    else this.#owned.set(ownerUid, pools);
  }

  #ownedBy(service: Service): Pool[] {
    const pools = [...(this.#owned.get(service.metadata.uid ?? "")?.values() ?? [])];
    return pools.filter(({ metadata }) => metadata.deletionTimestamp === undefined);
  }

  async #reconcile(key: string): Promise<void> {
    const views = this.#views;
    const service = views?.services.get(key);
    if (!views || !service || service.metadata.deletionTimestamp !== undefined) return;
    const { pools, problems } = generate({
      service,
      endpoints: views.endpoints.get(key),
      owned: this.#ownedBy(service),
      addressPools: [...views.addressPools.values()],
    });
    // In the same turn as the decision: whatever ends the problem from now on finds the Service stuck.
    this.#noteStuck(service, pools, problems);
    const refusals: Problem[] = [];
    for (const wanted of pools) {
      const refusal = await this.#ensure(service, wanted, views.pools);
      if (refusal) refusals.push(refusal);
    }
    await this.#removeOthers(service, pools, problems);
    this.#noteStuck(service, pools, [...problems, ...refusals]);
    await this.#tell(service, [...problems, ...refusals], views.services);
  }

  async #ensure(service: Service, wanted: WantedPool, view: ObjectView<Pool>): Promise<Problem | undefined> {
    const existing = ownedPoolOf(this.#ownedBy(service), wanted.portName);
    try {
      if (existing) return await this.#update(existing, wanted, view);
      return await this.#create(service, wanted, view);
    } catch (failure) {
      if (!hasCode(failure, "Invalid") && !hasCode(failure, "BadRequest")) throw failure;
      return { type: "PoolRefused", message: `pool ${wanted.name}: ${failure.message}` };
    }
  }

  async #update(existing: Pool, wanted: WantedPool, view: ObjectView<Pool>): Promise<undefined> {
    const stored = await this.#change(existing, (pool) => mergedPool(pool, wanted), WRITE);
    if (stored && stored !== existing) {
      view.learn(stored);
      this.#environment.logger.info("pool updated from its service", { pool: keyOf(stored) });
    }
  }

  async #create(service: Service, wanted: WantedPool, view: ObjectView<Pool>): Promise<Problem | undefined> {
    const key = `${service.metadata.namespace ?? ""}/${wanted.name}`;
    const holder = view.get(key);
    if (!holder) {
      try {
        const created = await this.#environment.resources.create(
          poolDefinition,
          newPool(service, wanted),
          WRITE,
        );
        view.learn(created as Pool);
        this.#environment.logger.info("pool created for a service", { pool: key, service: keyOf(service) });
        return undefined;
      } catch (failure) {
        // Somebody was faster: the watch tells who it was.
        if (!hasCode(failure, "AlreadyExists")) throw failure;
      }
    }
    return { type: "PoolNameTaken", message: `pool ${key} exists and belongs to somebody else` };
  }

  /** Without a source of addresses nothing is generated, yet nothing that serves is taken away either. */
  async #removeOthers(
    service: Service,
    wanted: readonly WantedPool[],
    problems: readonly Problem[],
  ): Promise<void> {
    if (problems.some(({ type }) => type === "NoAddressPool")) return;
    const kept = new Set(wanted.map(({ name }) => name));
    for (const pool of this.#ownedBy(service)) {
      if (!kept.has(pool.metadata.name)) await this.#remove(pool);
    }
  }

  async #remove(pool: Pool): Promise<void> {
    const { namespace, name, uid } = pool.metadata;
    const reference = { definition: poolDefinition, name, ...(namespace === undefined ? {} : { namespace }) };
    try {
      await this.#environment.resources.delete(reference, {
        ...WRITE,
        ...(uid === undefined ? {} : { preconditions: { uid } }),
      });
      this.#environment.logger.info("pool removed, its service port is gone", { pool: keyOf(pool) });
    } catch (failure) {
      if (!hasCode(failure, "NotFound") && !hasCode(failure, "Conflict")) throw failure;
    }
  }

  async #tell(service: Service, problems: readonly Problem[], view: ObjectView<Service>): Promise<void> {
    const owned = this.#ownedBy(service);
    const withPorts = await this.#change(service, (each) => withNodePorts(each, owned), WRITE);
    if (!withPorts) return;
    const now = this.#environment.clock.now();
    const told = await this.#change(
      withPorts,
      (each) => withServiceStatus(each, owned, problems, now),
      STATUS,
    );
    if (told && told !== service) view.learn(told);
    for (const { type, message } of told === withPorts ? [] : problems) {
      this.#environment.logger.warn("service cannot be served as it is", {
        service: keyOf(service),
        type,
        message,
      });
    }
  }

  #noteStuck(service: Service, pools: readonly WantedPool[], problems: readonly Problem[]): void {
    const types = new Set(problems.map(({ type }) => type));
    const reasons = new Set<string>();
    if (types.has("NoAddressPool")) reasons.add(ADDRESS_POOLS);
    if (types.has("PoolNameTaken")) {
      for (const { name } of pools) reasons.add(`${service.metadata.namespace ?? ""}/${name}`);
      const isFreeAgain = pools.every(({ name }) => this.#isOursOrFree(service, name));
      if (isFreeAgain) this.#queue.addAfter(keyOf(service), NAME_RETRY_MS);
    }
    if (reasons.size === 0) this.#stuck.delete(keyOf(service));
    else this.#stuck.set(keyOf(service), reasons);
  }

  #isOursOrFree(service: Service, poolName: string): boolean {
    const holder = this.#views?.pools.get(`${service.metadata.namespace ?? ""}/${poolName}`);
    return !holder || ownerOf(holder)?.uid === service.metadata.uid;
  }

  #change<Kind extends Service | Pool>(
    known: Kind,
    change: (object: Kind) => Kind | undefined,
    write: typeof WRITE | typeof STATUS,
  ): Promise<Kind | undefined> {
    const { namespace, name } = known.metadata;
    const definition = known.kind === "Pool" ? poolDefinition : serviceDefinition;
    const reference = { definition, name, ...(namespace === undefined ? {} : { namespace }) };
    return changeObject({ resources: this.#environment.resources, reference, known, change, write });
  }
}

/** Stands for "some address pool changed" among the names of pools that a Service waits for. */
const ADDRESS_POOLS = " address pools";

function ownerOf(pool: Pool): { readonly uid: string; readonly name: string } | undefined {
  return pool.metadata.ownerReferences?.find(
    ({ kind, controller }) => kind === "Service" && controller === true,
  );
}

/** Whether an object changed in more than its status. */
function isChanged(before: KubeObject | undefined, after: KubeObject): boolean {
  const told = ({ metadata }: KubeObject): string =>
    JSON.stringify([
      metadata.uid,
      metadata.generation,
      metadata.annotations,
      metadata.labels,
      metadata.deletionTimestamp,
    ]);
  return before === undefined || told(before) !== told(after);
}
