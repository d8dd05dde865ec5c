import {
  bareAddress,
  type DesiredPool,
  type Driver,
  isSamePool,
  type OperationFailure,
  type PoolOperation,
  type ProgrammedPool,
  placeKey,
  planOperations,
} from "../dataplane/index.ts";
import type { Logger } from "../foundation/index.ts";
import type { ConnectAddress } from "../model/index.ts";
import type { DesiredState } from "./desired-state.ts";
import { HeldState } from "./held-state.ts";

/** Pools planned and applied at once; between two batches other work gets its turn. */
const BATCH_SIZE = 500;

/** Why the kernel does not hold a pool as wanted. */
export interface Refusal {
  readonly uid: string;
  readonly code: OperationFailure["code"] | "AddressTaken";
  readonly message: string;
}

/** What a reconciler works with. */
export interface ReconcilerOptions {
  readonly driver: Driver;
  readonly desired: DesiredState;
  readonly logger: Logger;
}

/** Brings the kernel to the desired state, at the cost of what has changed. */
export class Reconciler {
  readonly #driver: Driver;
  readonly #desired: DesiredState;
  readonly #logger: Logger;
  readonly #held = new HeldState();
  readonly #dirty = new Set<string>();
  readonly #refusals = new Map<string, Refusal>();
  #operationCount = 0;
  #driftCount = 0;

  constructor(options: ReconcilerOptions) {
    this.#driver = options.driver;
    this.#desired = options.desired;
    this.#logger = options.logger;
  }

  get poolCount(): number {
    return this.#held.poolCount;
  }

  get tableHash(): string {
    return this.#held.tableHash;
  }

  /** What the driver refuses now or another pool is in the way of, one entry a pool. */
  get refusals(): readonly Refusal[] {
    return [...this.#refusals.values()];
  }

  /** Operations applied so far. */
  get operationCount(): number {
    return this.#operationCount;
  }

  /** Pools found different from what was programmed, so far. */
  get driftCount(): number {
    return this.#driftCount;
  }

  /** What the kernel holds of a pool, as far as the agent knows. */
  held(uid: string): ProgrammedPool | undefined {
    return this.#held.get(uid);
  }

  /** Every pool that the kernel holds, as far as the agent knows. */
  get heldUids(): IterableIterator<string> {
    return this.#held.uids;
  }

  /** Whether a pool answers where this socket listens, as far as the kernel is programmed. */
  isServed({ ip, port, protocol }: ConnectAddress): boolean {
    return ["*", ip].some((each) => this.#held.holderOf({ ip: each, port, protocol }) !== undefined);
  }

  /** Learns what the kernel holds, without touching it. */
  async adopt(): Promise<void> {
    for (const pool of await this.#driver.observe()) this.#held.set(pool.uid, pool, this.#driver.nowMs());
  }

  /** Pools to be planned at the next {@link reconcile}. */
  markDirty(uids: Iterable<string>): void {
    for (const uid of uids) this.#dirty.add(uid);
  }

  /** Pools that the kernel holds and nobody wants are planned too, so that they drain. */
  markHeldDirty(): void {
    this.markDirty(this.#held.uids);
  }

  /**
   * Plans and applies what is dirty or due. Does nothing before a desired state is known.
   *
   * @returns the number of operations
   * @throws ParasausError `KernelError` when the driver broke down; what was not applied stays dirty
   */
  async reconcile(): Promise<number> {
    if (!this.#desired.position) return 0;
    this.markDirty(this.#held.dueAt(this.#driver.nowMs()));
    this.markDirty(this.#freedClaimants());
    const before = this.#operationCount;
    while (this.#dirty.size > 0) {
      const batch = this.#takeBatch();
      try {
        await this.#reconcileBatch(batch);
      } catch (failure) {
        this.markDirty(batch);
        throw failure;
      }
      await new Promise((resolve) => setImmediate(resolve));
    }
    return this.#operationCount - before;
  }

  /** Compares the kernel with what was programmed, and repairs. @returns the number of pools that differed */
  async checkDrift(): Promise<number> {
    const observed = new Map((await this.#driver.observe()).map((pool) => [pool.uid, pool]));
    const drifted = [...new Set([...observed.keys(), ...this.#held.uids])].filter((uid) => {
      const [now, known] = [observed.get(uid), this.#held.get(uid)];
      return now === undefined || known === undefined ? now !== known : !isSamePool(known, now);
    });
    for (const uid of drifted) {
      this.#held.set(uid, observed.get(uid), this.#driver.nowMs());
      this.#logger.warn("kernel differs from what was programmed, repairing", { uid });
    }
    this.#driftCount += drifted.length;
    this.markDirty(drifted);
    this.markDirty(this.#refusals.keys());
    await this.reconcile();
    return drifted.length;
  }

  /** An unreadable pool without a last good state is left as the kernel has it. */
  #takeBatch(): string[] {
    const batch: string[] = [];
    for (const uid of this.#dirty) {
      this.#dirty.delete(uid);
      if (!this.#desired.isUnknown(uid)) batch.push(uid);
      if (batch.length === BATCH_SIZE) break;
    }
    return batch;
  }

  async #reconcileBatch(batch: readonly string[]): Promise<void> {
    const uids = this.#withRivals(batch);
    const nowMs = this.#driver.nowMs();
    // While the driver works, more may be wanted: what comes of this batch is judged by what it was planned for.
    const wanted = new Map<string, DesiredPool>();
    for (const uid of uids) {
      const pool = this.#desired.get(uid);
      if (pool) wanted.set(uid, pool);
    }
    const operations = planOperations(
      [...wanted.values()],
      uids.map((uid) => this.#held.get(uid)).filter((pool): pool is ProgrammedPool => pool !== undefined),
      nowMs,
    );
    const failures = operations.length === 0 ? [] : await this.#driver.apply(operations);
    const refused = new Map(failures.map((failure) => [failure.uid, failure]));
    this.#noteApplied(operations, refused);
    for (const uid of uids)
      this.#noteRefusal(uid, refused.get(uid) ?? this.#addressTakenFrom(wanted.get(uid)));
    for (const uid of uids) {
      this.#held.reschedule(uid, nowMs);
      if (!this.#held.get(uid)) this.#desired.forgetIfGone(uid);
    }
  }

  /** Adds every pool whose connect address one of the batch claims, and those whose address such a pool claims. */
  #withRivals(batch: readonly string[]): string[] {
    const uids = new Set(batch);
    for (const uid of uids) {
      for (const address of this.#desired.get(uid)?.addresses ?? []) {
        const holder = this.#held.holderOf(address);
        if (holder !== undefined) uids.add(holder);
      }
    }
    return [...uids];
  }

  #noteApplied(operations: readonly PoolOperation[], refused: ReadonlyMap<string, OperationFailure>): void {
    for (const operation of operations) {
      if (refused.has(operation.kind === "remove" ? operation.uid : operation.pool.uid)) continue;
      this.#held.apply(operation, this.#driver.nowMs());
      this.#operationCount += 1;
    }
  }

  #noteRefusal(uid: string, refusal: Refusal | undefined): void {
    if (refusal && this.#refusals.get(uid)?.message !== refusal.message) {
      this.#logger.error("pool is not programmed as wanted", { ...refusal });
    }
    if (refusal) this.#refusals.set(uid, refusal);
    else this.#refusals.delete(uid);
  }

  #addressTakenFrom(wanted: DesiredPool | undefined): Refusal | undefined {
    if (!wanted) return undefined;
    const { uid, addresses } = wanted;
    const taken = addresses.find((address) => this.#held.holderOf(address) !== uid);
    if (!taken) return undefined;
    const holder = this.#held.holderOf(taken);
    const message = `Cannot listen on ${placeKey(bareAddress(taken))} for pool "${uid}": pool "${holder}" has it`;
    return { uid, code: "AddressTaken", message };
  }

  /** Pools whose address was another one's, and is not wanted by that one any more. */
  #freedClaimants(): string[] {
    return [...this.#refusals.values()]
      .filter(({ code, uid }) => code === "AddressTaken" && this.#isFreeFor(uid))
      .map(({ uid }) => uid);
  }

  #isFreeFor(uid: string): boolean {
    return (this.#desired.get(uid)?.addresses ?? []).every((address) => {
      const holder = this.#held.holderOf(address);
      if (holder === undefined || holder === uid) return true;
      const key = placeKey(address);
      return !this.#desired.get(holder)?.addresses.some((other) => placeKey(other) === key);
    });
  }
}
