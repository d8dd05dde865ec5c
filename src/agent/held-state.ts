import {
  formatTableHash,
  nextDeadlineMs,
  type PoolOperation,
  type ProgrammedPool,
  placeKey,
  poolDigest,
  replaceDigest,
} from "../dataplane/index.ts";

/** What the kernel holds as far as the agent knows, with the indexes that make one change cheap. */
export class HeldState {
  readonly #pools = new Map<string, ProgrammedPool>();
  /** Pool uid by connect address. */
  readonly #holders = new Map<string, string>();
  /** When pools have to be planned again, milliseconds of the driver's clock; only those with a deadline to come. */
  readonly #deadlines = new Map<string, number>();
  #digest = 0n;

  get poolCount(): number {
    return this.#pools.size;
  }

  get tableHash(): string {
    return formatTableHash(this.#digest);
  }

  get uids(): IterableIterator<string> {
    return this.#pools.keys();
  }

  get(uid: string): ProgrammedPool | undefined {
    return this.#pools.get(uid);
  }

  /** The pool that has this connect address. */
  holderOf(address: Parameters<typeof placeKey>[0]): string | undefined {
    return this.#holders.get(placeKey(address));
  }

  /** Pools with a deadline that has passed. */
  dueAt(nowMs: number): string[] {
    return [...this.#deadlines].filter(([, deadline]) => deadline <= nowMs).map(([uid]) => uid);
  }

  /** Notes that an operation was applied. */
  apply(operation: PoolOperation, nowMs: number): void {
    if (operation.kind === "remove") this.set(operation.uid, undefined, nowMs);
    else this.set(operation.pool.uid, operation.pool, nowMs);
  }

  /** Notes what the kernel holds of one pool. */
  set(uid: string, pool: ProgrammedPool | undefined, nowMs: number): void {
    const before = this.#pools.get(uid);
    for (const address of before?.addresses ?? []) {
      if (this.#holders.get(placeKey(address)) === uid) this.#holders.delete(placeKey(address));
    }
    this.#digest = replaceDigest(this.#digest, digestOf(before), digestOf(pool));
    if (pool) this.#pools.set(uid, pool);
    else this.#pools.delete(uid);
    for (const address of pool?.addresses ?? []) this.#holders.set(placeKey(address), uid);
    this.reschedule(uid, nowMs);
  }

  /** Works out anew when the pool has to be planned again. */
  reschedule(uid: string, nowMs: number): void {
    const pool = this.#pools.get(uid);
    const deadline = pool && nextDeadlineMs(pool, nowMs);
    if (deadline === undefined) this.#deadlines.delete(uid);
    else this.#deadlines.set(uid, deadline);
  }
}

function digestOf(pool: ProgrammedPool | undefined): bigint {
  return pool ? poolDigest(pool) : 0n;
}
