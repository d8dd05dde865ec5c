import { hasCode } from "../../foundation/index.ts";
import {
  type AddressPool,
  addressPoolDefinition,
  type Endpoints,
  endpointsDefinition,
  type KubeObject,
  type Node,
  nodeDefinition,
  type Pool,
  poolDefinition,
  type ResourceDefinition,
  type Service,
  serviceDefinition,
} from "../../model/index.ts";
import { findObject, type ObjectReference, type Resources } from "../../resources/index.ts";
import { withAllocation } from "../allocator/pool-status.ts";
import { generate, ownedPoolOf, type Problem, type WantedPool } from "../circle-watch/generate.ts";
import { mergedPool, newPool } from "../circle-watch/merge.ts";
import { CIRCLE_WATCH_OPERATOR } from "../circle-watch/ownership.ts";
import { type ForeseenAddresses, foreseeAddresses } from "./foreseen-addresses.ts";

const GENERATE = { operator: CIRCLE_WATCH_OPERATOR } as const;
const ALLOCATE = { operator: "system:allocator", subresource: "status" } as const;
/** An address of the first port, then the other ports, then theirs, then nothing new. */
const MOST_ROUNDS = 4;

/** A namespaced object by name. */
export interface ForeseenName {
  readonly namespace: string;
  readonly name: string;
}

/** What was written, and what is known besides. */
export interface ForesightRequest {
  /** A draft: everything that follows is written into it. */
  readonly resources: Resources;
  /** Services that were written, themselves or their Endpoints. */
  readonly services: readonly ForeseenName[];
  /** Pools that were written. */
  readonly pools: readonly ForeseenName[];
  /** Every pool that is stored. */
  readonly stored: Iterable<Pool>;
  readonly now: Date;
}

/** What follows from what was written. */
export interface Foresight {
  /** Pools that were written or follow, and the Service that they come from. */
  readonly pools: readonly (ForeseenName & { readonly service?: string })[];
  /** What the Services would be told. */
  readonly problems: readonly (ForeseenName & { readonly message: string })[];
}

/**
 * Does in a draft what circle-watch and the allocator would do, by their own rules: the Pools of Services, and connect
 * addresses. Nothing is stored.
 *
 * @throws ParasausError what `resources` throws
 */
export async function foreseeControllers(request: ForesightRequest): Promise<Foresight> {
  const stored = [...request.stored];
  const addressPools = (await request.resources.list(addressPoolDefinition)).items as readonly AddressPool[];
  const nodes = (await request.resources.list(nodeDefinition)).items as readonly Node[];
  const seer = new Seer(request, stored, addressPools, nodes);
  return seer.foresee();
}

class Seer {
  readonly #request: ForesightRequest;
  readonly #resources: Resources;
  readonly #addressPools: readonly AddressPool[];
  readonly #addresses: ForeseenAddresses;
  /** Names of the Pools that each Service owns, by its uid. */
  readonly #owned = new Map<string, Map<string, ForeseenName>>();
  readonly #pools = new Map<string, ForeseenName & { readonly service?: string }>();
  #isChanged = false;

  constructor(
    request: ForesightRequest,
    stored: readonly Pool[],
    addressPools: readonly AddressPool[],
    nodes: readonly Node[],
  ) {
    this.#request = request;
    this.#resources = request.resources;
    this.#addressPools = addressPools;
    for (const pool of stored) this.#noteOwner(pool);
    const nodeIps = new Set(nodes.flatMap(({ status }) => status?.addresses ?? []));
    const nowMs = request.now.getTime();
    this.#addresses = foreseeAddresses({ pools: stored, addressPools, nodeIps, nowMs });
    for (const pool of request.pools) this.#pools.set(keyOf(pool), pool);
  }

  async foresee(): Promise<Foresight> {
    let problems: (ForeseenName & { readonly message: string })[] = [];
    for (let round = 0; round < MOST_ROUNDS; round += 1) {
      this.#isChanged = false;
      problems = [];
      for (const name of this.#request.services) {
        const found = await this.#generate(name);
        problems.push(...found.map(({ message }) => ({ ...name, message })));
      }
      for (const name of [...this.#pools.values()]) await this.#allocate(name);
      if (!this.#isChanged) break;
    }
    return { pools: [...this.#pools.values()], problems };
  }

  async #generate(name: ForeseenName): Promise<readonly Problem[]> {
    const service = await this.#get<Service>(serviceDefinition, name);
    if (!service || service.metadata.deletionTimestamp !== undefined) return [];
    const endpoints = await this.#get<Endpoints>(endpointsDefinition, name);
    const owned = await this.#ownedBy(service);
    const { pools, problems } = generate({ service, endpoints, owned, addressPools: this.#addressPools });
    const refusals: Problem[] = [];
    for (const wanted of pools) refusals.push(...(await this.#ensure(service, owned, wanted)));
    if (!problems.some(({ type }) => type === "NoAddressPool")) {
      const kept = new Set(pools.map((wanted) => wanted.name));
      for (const pool of owned) if (!kept.has(pool.metadata.name)) await this.#remove(service, pool);
    }
    return [...problems, ...refusals];
  }

  async #ensure(service: Service, owned: readonly Pool[], wanted: WantedPool): Promise<readonly Problem[]> {
    const existing = ownedPoolOf(owned, wanted.portName);
    const namespace = service.metadata.namespace ?? "";
    try {
      if (existing) {
        const next = mergedPool(existing, wanted);
        if (!next) return [];
        await this.#resources.update(referenceTo(poolDefinition, nameOf(existing)), next, GENERATE);
      } else {
        const made = await this.#resources.create(poolDefinition, newPool(service, wanted), GENERATE);
        this.#noteOwner(made as Pool);
      }
    } catch (failure) {
      if (hasCode(failure, "AlreadyExists")) {
        const message = `pool ${namespace}/${wanted.name} exists and belongs to somebody else`;
        return [{ type: "PoolNameTaken", message }];
      }
      if (!hasCode(failure, "Invalid") && !hasCode(failure, "BadRequest")) throw failure;
      return [{ type: "PoolRefused", message: `pool ${wanted.name}: ${failure.message}` }];
    }
    this.#note({ namespace, name: wanted.name }, service);
    return [];
  }

  async #remove(service: Service, pool: Pool): Promise<void> {
    await this.#resources.delete(referenceTo(poolDefinition, nameOf(pool)), GENERATE);
    this.#note(nameOf(pool), service);
  }

  #note(name: ForeseenName, service: Service): void {
    this.#isChanged = true;
    this.#pools.set(keyOf(name), { ...name, service: service.metadata.name });
  }

  async #allocate(name: ForeseenName): Promise<void> {
    const pool = await this.#get<Pool>(poolDefinition, name);
    if (!pool) return;
    if (pool.metadata.deletionTimestamp !== undefined) {
      this.#addresses.release(pool);
      return;
    }
    const told = withAllocation(pool, this.#addresses.allocationFor(pool), this.#request.now);
    if (!told) return;
    this.#isChanged = true;
    await this.#resources.update(referenceTo(poolDefinition, name), told, ALLOCATE);
  }

  async #ownedBy({ metadata }: Service): Promise<readonly Pool[]> {
    const names = [...(this.#owned.get(metadata.uid ?? "")?.values() ?? [])];
    const pools = await Promise.all(names.map((name) => this.#get<Pool>(poolDefinition, name)));
    return pools.filter(
      (pool) =>
        pool !== undefined &&
        pool.metadata.deletionTimestamp === undefined &&
        ownerUidOf(pool) === metadata.uid,
    ) as readonly Pool[];
  }

  #noteOwner(pool: Pool): void {
    const uid = ownerUidOf(pool);
    if (uid === undefined) return;
    const owned = this.#owned.get(uid) ?? new Map<string, ForeseenName>();
    owned.set(pool.metadata.name, nameOf(pool));
    this.#owned.set(uid, owned);
  }

  async #get<Kind extends KubeObject>(
    definition: ResourceDefinition,
    name: ForeseenName,
  ): Promise<Kind | undefined> {
    return (await findObject(this.#resources, referenceTo(definition, name))) as Kind | undefined;
  }
}

function ownerUidOf({ metadata }: Pool): string | undefined {
  return metadata.ownerReferences?.find(({ kind, controller }) => kind === "Service" && controller === true)
    ?.uid;
}

function nameOf({ metadata }: KubeObject): ForeseenName {
  return { namespace: metadata.namespace ?? "", name: metadata.name };
}

function keyOf({ namespace, name }: ForeseenName): string {
  return `${namespace}/${name}`;
}

function referenceTo(definition: ResourceDefinition, { namespace, name }: ForeseenName): ObjectReference {
  return { definition, namespace, name };
}
