import type { Clock } from "../../foundation/index.ts";
import type { FlowExplanation, FlowTuple, ProgrammedAddress, ProgrammedPool } from "../driver.ts";
import { placeKey } from "../order.ts";
import type { MemberState } from "./member-state.ts";
import { PoolState } from "./pool-state.ts";

/** One simulated connection. */
interface Flow {
  readonly tuple: FlowTuple;
  readonly pool: PoolState;
  readonly member: MemberState;
  readonly why: "scheduled" | "affinity";
  readonly createdMs: number;
  lastMs: number;
}

/** What became of a client's attempt to connect, or of a packet on a connection. */
export type Delivery =
  | { readonly kind: "delivered"; readonly memberIp: string; readonly memberPort: number }
  | { readonly kind: "reset"; readonly reason: string };

/** How big the simulated kernel is. */
export interface MemoryKernelOptions {
  readonly clock: Clock;
  /** Pools that fit. Default: any number. */
  readonly poolCapacityCount?: number;
}

/** A kernel in memory: holds pools and simulated flows, and outlives the drivers that program it. */
export class MemoryKernel {
  readonly clock: Clock;
  readonly poolCapacityCount: number;
  readonly #pools = new Map<string, PoolState>();
  readonly #services = new Map<string, { readonly pool: PoolState; readonly address: ProgrammedAddress }>();
  readonly #flows = new Map<string, Flow>();
  readonly #drops = new Map<string, number>();
  #nodeAddresses: ReadonlySet<string> = new Set();
  #writeCount = 0;

  constructor(options: MemoryKernelOptions) {
    this.clock = options.clock;
    this.poolCapacityCount = options.poolCapacityCount ?? Number.POSITIVE_INFINITY;
  }

  get pools(): ReadonlyMap<string, PoolState> {
    return this.#pools;
  }

  get drops(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.#drops);
  }

  get flowCount(): number {
    return this.#flows.size;
  }

  /** How often anything was written to this kernel. */
  get writeCount(): number {
    return this.#writeCount;
  }

  install(programmed: ProgrammedPool): void {
    this.#writeCount += 1;
    const known = this.#pools.get(programmed.uid);
    this.#forgetAddresses(known);
    const pool = known ?? new PoolState(programmed);
    if (known) known.replace(programmed);
    this.#pools.set(programmed.uid, pool);
    for (const address of programmed.addresses) this.#services.set(placeOf(address), { pool, address });
  }

  remove(uid: string): void {
    this.#writeCount += 1;
    this.#forgetAddresses(this.#pools.get(uid));
    this.#pools.delete(uid);
  }

  setNodeAddresses(addresses: readonly string[]): void {
    const isSame =
      addresses.length === this.#nodeAddresses.size &&
      addresses.every((address) => this.#nodeAddresses.has(address));
    if (isSame) return;
    this.#writeCount += 1;
    this.#nodeAddresses = new Set(addresses);
  }

  /** A client's first packet. Nobody listens: "not-a-service", which is not counted. */
  connect(tuple: FlowTuple): Delivery {
    const service =
      this.#services.get(placeOf(tuple)) ??
      (this.#nodeAddresses.has(tuple.ip) ? this.#services.get(placeOf({ ...tuple, ip: "*" })) : undefined);
    if (!service) return { kind: "reset", reason: "not-a-service" };
    if (service.address.closingDeadlineMs !== undefined) return this.#drop("closing_address");
    const nowMs = this.clock.monotonicMs();
    const picked = service.pool.pick(tuple, nowMs);
    if (!picked) return this.#drop("no_member");
    this.close(tuple);
    const { member, why } = picked;
    member.load += 1;
    member.totalConnections += 1;
    this.#flows.set(flowKey(tuple), {
      tuple,
      pool: service.pool,
      member,
      why,
      createdMs: nowMs,
      lastMs: nowMs,
    });
    return this.send(tuple);
  }

  /** A further packet of a connection. */
  send(tuple: FlowTuple): Delivery {
    const flow = this.#flows.get(flowKey(tuple));
    if (!flow) return this.#drop("no_flow");
    if (this.#isCut(flow)) return this.#drop("cut");
    flow.lastMs = this.clock.monotonicMs();
    flow.member.packetsIn += 1;
    flow.member.packetsOut += 1;
    return {
      kind: "delivered",
      memberIp: flow.member.programmed.ip,
      memberPort: flow.member.programmed.port,
    };
  }

  /** The connection ends, from either side. */
  close(tuple: FlowTuple): void {
    const flow = this.#flows.get(flowKey(tuple));
    if (!flow) return;
    flow.member.load -= 1;
    this.#flows.delete(flowKey(tuple));
  }

  /** Removes the flows that must not go on. @returns how many */
  cutFlows(): number {
    const cut = [...this.#flows.values()].filter((flow) => this.#isCut(flow));
    for (const flow of cut) this.close(flow.tuple);
    return cut.length;
  }

  explain(tuple: FlowTuple): FlowExplanation | undefined {
    const flow = this.#flows.get(flowKey(tuple));
    return flow && this.#explanationOf(flow);
  }

  listFlows(poolUid: string, limitCount: number): FlowExplanation[] {
    const found: FlowExplanation[] = [];
    for (const flow of this.#flows.values()) {
      if (found.length >= limitCount) break;
      if (flow.pool.programmed.uid === poolUid) found.push(this.#explanationOf(flow));
    }
    return found;
  }

  #explanationOf(flow: Flow): FlowExplanation {
    const nowMs = this.clock.monotonicMs();
    const { ip, port, disposition } = flow.member.programmed;
    return {
      flow: flow.tuple,
      poolUid: flow.pool.programmed.uid,
      memberIp: ip,
      memberPort: port,
      memberDisposition: disposition,
      state: "established",
      why: flow.why,
      ageMs: nowMs - flow.createdMs,
      idleMs: nowMs - flow.lastMs,
    };
  }

  #isCut(flow: Flow): boolean {
    const { ip, port, disposition, deadlineMs } = flow.member.programmed;
    const isListed = flow.pool.member(placeKey({ ip, port })) === flow.member;
    const isKnown = this.#pools.get(flow.pool.programmed.uid) === flow.pool;
    if (!isKnown || !isListed || disposition === "cut") return true;
    return this.#isPast(deadlineMs) || this.#isClosed(flow.tuple);
  }

  #isClosed(tuple: FlowTuple): boolean {
    const service = this.#services.get(placeOf(tuple)) ?? this.#services.get(placeOf({ ...tuple, ip: "*" }));
    return !service || this.#isPast(service.address.closingDeadlineMs);
  }

  #isPast(deadlineMs: number | undefined): boolean {
    return deadlineMs !== undefined && deadlineMs <= this.clock.monotonicMs();
  }

  #drop(reason: string): Delivery {
    this.#drops.set(reason, (this.#drops.get(reason) ?? 0) + 1);
    return { kind: "reset", reason };
  }

  #forgetAddresses(pool: PoolState | undefined): void {
    for (const address of pool?.programmed.addresses ?? []) {
      if (this.#services.get(placeOf(address))?.pool === pool) this.#services.delete(placeOf(address));
    }
  }
}

function placeOf({ ip, port, protocol }: { ip: string; port: number; protocol: FlowTuple["protocol"] }) {
  return placeKey({ ip, port, protocol });
}

function flowKey(tuple: FlowTuple): string {
  return `${tuple.protocol} ${tuple.clientIp}:${tuple.clientPort} ${tuple.ip}:${tuple.port}`;
}
