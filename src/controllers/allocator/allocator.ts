import {
  type AddressPool,
  addressPoolDefinition,
  formatConnectAddress,
  type KubeObject,
  type Node,
  nodeDefinition,
  type Pool,
  poolDefinition,
  type ResourceDefinition,
} from "../../model/index.ts";
import { changeObject } from "../runtime/change-object.ts";
import type { ControllerEnvironment } from "../runtime/environment.ts";
import { type Hooks, openHooks } from "../runtime/hooks.ts";
import { keyOf, type ObjectView, type ViewChange } from "../runtime/object-view.ts";
import { createWorkQueue, type WorkQueue } from "../runtime/work-queue.ts";
import { rememberedQuarantine, useOf, withUse } from "./address-pool-status.ts";
import { type AllocatableRanges, type Allocation, allocate } from "./allocate.ts";
import { AddressLedger, type Holder } from "./ledger.ts";
import { withAllocation, withFinalizer, withoutFinalizer } from "./pool-status.ts";
import { readRanges } from "./ranges.ts";

const WRITE = { operator: "system:allocator" } as const;
const STATUS = { ...WRITE, subresource: "status" } as const;
/** How often the counts of an address pool are written at most; a released address is written at once. */
const USE_WRITE_INTERVAL_MS = 1_000;
/** A write waits for the disk, and the store flushes whatever waits together: many at a time cost little more than one. */
const PARALLEL_COUNT = 512;
const EXPIRY_SLACK_MS = 20;

/**
 * Hands out connect addresses until the signal aborts. It is the single writer of connect addresses: claims are made in
 * memory in one turn of the event loop, after everything stored has been read; then the status says so.
 */
export async function runAllocator(environment: ControllerEnvironment): Promise<void> {
  await new Allocator(environment).run();
}

/** Somebody who waits until a quarantine is stored. */
interface Waiter {
  readonly resolve: () => void;
  readonly reject: (reason: unknown) => void;
}

class Allocator {
  readonly #ledger = new AddressLedger();
  readonly #environment: ControllerEnvironment;
  readonly #hooks: Hooks;
  readonly #sources = new Map<string, AllocatableRanges>();
  readonly #nextPort = new Map<string, number>();
  /** The last answer that a request for any port got, and what the ledger looked like; saves searching in vain. */
  readonly #exhausted = new Map<string, { readonly freedCount: number; readonly refusal: Allocation }>();
  /** Pools that were refused and get another chance when something is freed. */
  readonly #waiting = new Set<string>();
  readonly #toldUse = new Map<string, number>();
  /** Who waits until a quarantine is written, by address pool. */
  readonly #onWritten = new Map<string, Waiter[]>();
  #queues: { pools: WorkQueue; addressPools: WorkQueue; expiry: WorkQueue } | undefined;

  constructor(environment: ControllerEnvironment) {
    this.#environment = environment;
    this.#hooks = openHooks("allocator", environment);
  }

  async run(): Promise<void> {
    const pools = this.#hooks.follow<Pool>(poolDefinition, (change) => this.#onPool(change));
    const addressPools = this.#hooks.follow<AddressPool>(addressPoolDefinition, (change) =>
      this.#onAddressPool(change),
    );
    const nodes = this.#hooks.follow<Node>(nodeDefinition, () => this.#onNode(nodes.view));
    await Promise.all([pools.synced, addressPools.synced, nodes.synced]);
    if (this.#environment.signal.aborted) return;
    this.#remember(pools.view, addressPools.view);
    const queues = {
      pools: this.#openQueue(PARALLEL_COUNT, (key) => this.#reconcilePool(key, pools.view)),
      addressPools: this.#openQueue(1, (key) => this.#reconcileAddressPool(key, addressPools.view)),
      expiry: this.#openQueue(1, () => this.#expire()),
    };
    this.#queues = queues;
    this.#environment.signal.addEventListener("abort", () => this.#giveUpWaiting(), { once: true });
    for (const pool of byAge(pools.view.values())) queues.pools.add(keyOf(pool));
    for (const pool of addressPools.view.values()) queues.addressPools.add(keyOf(pool));
    queues.expiry.add("expiry");
    await Promise.all([pools.ended, addressPools.ended, nodes.ended]);
    await Promise.all(Object.values(queues).map((queue) => queue.drained()));
  }

  #openQueue(parallelCount: number, reconcile: (key: string) => Promise<void>): WorkQueue {
    const { clock, logger, signal, random, metrics } = this.#environment;
    const onDone = (_key: string, durationMs: number, succeeded: boolean): void =>
      metrics.reconciled("allocator", durationMs, succeeded);
    return createWorkQueue({ reconcile, parallelCount, clock, logger, signal, random, onDone });
  }

  /** Rebuilds the ledger from what is stored: a restart never renumbers. */
  #remember(pools: ObjectView<Pool>, addressPools: ObjectView<AddressPool>): void {
    for (const pool of addressPools.values()) {
      for (const quarantine of rememberedQuarantine(pool)) this.#ledger.quarantine(quarantine);
    }
    for (const pool of byAge(pools.values())) this.#rememberPool(pool);
    this.#ledger.expire(this.#nowMs());
  }

  #rememberPool(pool: Pool): void {
    const address = pool.status?.connectAddresses?.[0];
    if (!address) return;
    const holder = holderOf(pool);
    const obstacle = this.#ledger.obstacleTo(address, holder, this.#nowMs());
    if (obstacle?.kind === "held") {
      this.#environment.logger.error("two pools hold one connect address, the younger gets another", {
        pool: holder.key,
        other: obstacle.holder.key,
        address: formatConnectAddress(address),
      });
      return;
    }
    this.#ledger.claim(address, holder);
  }

  #onPool({ key, before, after }: ViewChange<Pool>): void {
    const queues = this.#queues;
    if (!queues) return;
    // Deleted behind our back, without the finalizer: what was held is released all the same.
    if (before && before.metadata.uid !== after?.metadata.uid) this.#release(before);
    if (!after) this.#waiting.delete(key);
    if (!after || !isNews(before, after)) return;
    this.#hooks.fire("PoolChanged", key);
    queues.pools.add(key);
  }

  #onAddressPool({ key, after }: ViewChange<AddressPool>): void {
    const known = this.#sources.get(key);
    if (after) this.#sources.set(key, { name: key, spec: after.spec, ranges: readRanges(after.spec) });
    else this.#sources.delete(key);
    if (JSON.stringify(known?.spec) === JSON.stringify(after?.spec)) return;
    this.#exhausted.delete(key);
    this.#hooks.fire("AddressPoolChanged", key);
    this.#queues?.addressPools.add(key);
    this.#retryWaiting();
  }

  #onNode(nodes: ObjectView<Node>): void {
    this.#ledger.setNodeIps(new Set([...nodes.values()].flatMap(({ status }) => status?.addresses ?? [])));
  }

  async #reconcilePool(key: string, view: ObjectView<Pool>): Promise<void> {
    const pool = view.get(key);
    if (!pool) return;
    if (pool.metadata.deletionTimestamp !== undefined) await this.#letGo(pool);
    else await this.#serve(pool, view);
  }

  async #letGo(pool: Pool): Promise<void> {
    const addressPool = this.#release(pool);
    if (addressPool !== undefined) await this.#written(addressPool);
    await this.#change(poolDefinition, pool, withoutFinalizer, WRITE);
  }

  async #serve(pool: Pool, view: ObjectView<Pool>): Promise<void> {
    const allocation = this.#decide(pool);
    // In the same turn as the decision: what is freed while the refusal is written must find the pool waiting.
    if (allocation.kind === "refused") this.#waiting.add(keyOf(pool));
    else this.#waiting.delete(keyOf(pool));
    const released = allocation.kind === "granted" ? this.#claim(pool, allocation) : undefined;
    if (released !== undefined) await this.#written(released);
    const held = this.#ledger.addressOf(pool.metadata.uid ?? "") !== undefined;
    const guarded = held ? await this.#change(poolDefinition, pool, withFinalizer, WRITE) : pool;
    if (!guarded) return;
    const now = this.#environment.clock.now();
    const told = await this.#change(
      poolDefinition,
      guarded,
      (each) => withAllocation(each, allocation, now),
      STATUS,
    );
    if (told) view.learn(told);
    this.#note(keyOf(pool), allocation, told !== guarded);
  }

  #decide(pool: Pool): Allocation {
    const request = {
      holder: holderOf(pool),
      spec: pool.spec,
      nowMs: this.#nowMs(),
      startPort: this.#nextPort.get(pool.spec.addressPool) ?? 0,
    };
    const { addressPool, ip, port } = pool.spec;
    const asksForAny =
      ip === undefined && port === undefined && !this.#ledger.lastAddressOf(request.holder.key);
    const isHolder = this.#ledger.addressOf(request.holder.uid) !== undefined;
    if (!asksForAny || isHolder) return allocate(request, this.#ledger, this.#sources);
    const known = this.#exhausted.get(addressPool);
    if (known?.freedCount === this.#ledger.freedCount) return known.refusal;
    const allocation = allocate(request, this.#ledger, this.#sources);
    if (allocation.kind === "refused") {
      this.#exhausted.set(addressPool, { freedCount: this.#ledger.freedCount, refusal: allocation });
    }
    return allocation;
  }

  /** @returns the address pool of the connect address that the pool gave up for this one, if it had one. */
  #claim(pool: Pool, { address }: Extract<Allocation, { kind: "granted" | "kept" }>): string | undefined {
    const released = this.#release(pool);
    this.#ledger.claim(address, holderOf(pool));
    if (pool.spec.port === undefined) this.#nextPort.set(pool.spec.addressPool, address.port + 1);
    this.#queues?.addressPools.add(address.addressPool ?? pool.spec.addressPool);
    return released;
  }

  /** @returns the address pool of the connect address that was released. */
  #release(pool: Pool): string | undefined {
    const address = this.#ledger.addressOf(pool.metadata.uid ?? "");
    if (!address) return undefined;
    const source = this.#sources.get(address.addressPool ?? pool.spec.addressPool);
    const seconds = Math.max(source?.spec.quarantineSeconds ?? 0, pool.spec.drainSeconds);
    this.#ledger.release(holderOf(pool), this.#nowMs() + seconds * 1_000);
    this.#queues?.expiry.addAfter("expiry", seconds * 1_000 + EXPIRY_SLACK_MS);
    this.#environment.logger.info("connect address released", { pool: keyOf(pool), ...address, seconds });
    if (source) this.#queues?.addressPools.add(source.name);
    return source?.name;
  }

  #note(key: string, allocation: Allocation, isNew: boolean): void {
    if (!isNew) return;
    if (allocation.kind === "refused") {
      const { reason, message } = allocation;
      this.#environment.logger.warn("connect address refused", { pool: key, reason, message });
    } else if (allocation.kind === "granted") {
      this.#environment.logger.info("connect address allocated", { pool: key, ...allocation.address });
    }
  }

  async #expire(): Promise<void> {
    if (this.#ledger.expire(this.#nowMs())) {
      for (const name of this.#sources.keys()) this.#queues?.addressPools.add(name);
      this.#retryWaiting();
    }
    const next = Math.min(...[...this.#ledger.quarantines()].map(({ untilMs }) => untilMs));
    if (Number.isFinite(next)) {
      this.#queues?.expiry.addAfter("expiry", Math.max(0, next - this.#nowMs()) + EXPIRY_SLACK_MS);
    }
  }

  #retryWaiting(): void {
    for (const key of this.#waiting) this.#queues?.pools.add(key);
  }

  /** Resolves when the quarantine of this address pool is stored as it is now. */
  #written(addressPool: string): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#onWritten.set(addressPool, [...(this.#onWritten.get(addressPool) ?? []), { resolve, reject }]);
      if (this.#environment.signal.aborted) this.#giveUpWaiting();
      this.#queues?.addressPools.add(addressPool);
    });
  }

  /** When the controller stops, nothing more is written: what waits for it is left to the next start. */
  #giveUpWaiting(): void {
    const waiters = [...this.#onWritten.values()].flat();
    this.#onWritten.clear();
    for (const { reject } of waiters) reject(this.#environment.signal.reason);
  }

  async #reconcileAddressPool(name: string, view: ObjectView<AddressPool>): Promise<void> {
    const waiters = this.#onWritten.get(name) ?? [];
    const dueMs = (this.#toldUse.get(name) ?? Number.NEGATIVE_INFINITY) + USE_WRITE_INTERVAL_MS;
    const waitMs = dueMs - this.#environment.clock.monotonicMs();
    if (waiters.length === 0 && waitMs > 0) {
      this.#queues?.addressPools.addAfter(name, waitMs);
      return;
    }
    this.#onWritten.delete(name);
    try {
      await this.#tellUse(name, view);
    } catch (failure) {
      this.#onWritten.set(name, [...waiters, ...(this.#onWritten.get(name) ?? [])]);
      if (this.#environment.signal.aborted) this.#giveUpWaiting();
      throw failure;
    }
    for (const { resolve } of waiters) resolve();
  }

  async #tellUse(name: string, view: ObjectView<AddressPool>): Promise<void> {
    const pool = view.get(name);
    const source = this.#sources.get(name);
    if (!pool || !source) return;
    const use = useOf(source.ranges, this.#ledger);
    const { capacityCount, usedCount, quarantinedCount } = use;
    this.#environment.metrics.addressPoolUsed(name, capacityCount, usedCount, quarantinedCount);
    const told = await this.#change(
      addressPoolDefinition,
      pool,
      (each) => withUse(each, use, this.#ledger),
      STATUS,
    );
    this.#toldUse.set(name, this.#environment.clock.monotonicMs());
    if (told) view.learn(told);
  }

  #change<Kind extends KubeObject>(
    definition: ResourceDefinition,
    known: Kind,
    change: (object: Kind) => Kind | undefined,
    write: typeof WRITE | typeof STATUS,
  ): Promise<Kind | undefined> {
    const { namespace, name } = known.metadata;
    const reference = { definition, name, ...(namespace === undefined ? {} : { namespace }) };
    return changeObject({ resources: this.#environment.resources, reference, known, change, write });
  }

  #nowMs(): number {
    return this.#environment.clock.now().getTime();
  }
}

function holderOf(pool: Pool): Holder {
  return { uid: pool.metadata.uid ?? "", key: keyOf(pool) };
}

/** Oldest first: whoever came first is served first, and keeps what two claim. */
function byAge(pools: Iterable<Pool>): Pool[] {
  const age = ({ metadata }: Pool): string => `${metadata.creationTimestamp ?? ""} ${metadata.uid ?? ""}`;
  // Worked out once each: comparing 35,000 pools takes half a million steps.
  const aged = Array.from(pools, (pool) => ({ pool, age: age(pool) }));
  return aged.sort((a, b) => (a.age < b.age ? -1 : 1)).map(({ pool }) => pool);
}

/** Whether a pool changed in what the allocator reads; verdicts and weights come far more often. */
function isNews(before: Pool | undefined, after: Pool): boolean {
  return (
    before?.metadata.uid !== after.metadata.uid ||
    before?.metadata.generation !== after.metadata.generation ||
    before?.metadata.deletionTimestamp !== after.metadata.deletionTimestamp ||
    JSON.stringify(before?.status?.connectAddresses) !== JSON.stringify(after.status?.connectAddresses)
  );
}
