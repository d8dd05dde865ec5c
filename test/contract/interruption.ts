import { type Clock, systemClock } from "../../src/foundation/index.ts";
import type { Store, StoreCondition, StoreWatchMessage } from "../../src/store/index.ts";

/** A process that can stand still, as after SIGSTOP, or for ever, while the rest of the world goes on. */
export interface Interruption {
  /** From now on its timers do not fire, and nothing that it sends or is sent gets through. */
  pause(): void;
  /**
   * Pauses just before a transaction under such a condition is sent, after `skippedCount` of them. Resolves when it
   * stands still.
   */
  pauseBefore(isMeant: (condition: StoreCondition) => boolean, skippedCount?: number): Promise<void>;
  /** What was held back goes on, and no trap is left. */
  resume(): void;
  readonly clock: Clock;
  /** The store as this process reaches it. */
  store(store: Store): Store;
  /** Transactions that were held back and then sent, a count. */
  readonly lateCount: number;
  /** Sends late transactions without the conditions that this accepts: for controls. */
  dropConditions(isDropped: (condition: StoreCondition) => boolean): void;
}

/** Makes the surroundings of one process. */
export function interruptible(clock: Clock = systemClock): Interruption {
  return new Surroundings(clock);
}

interface Trap {
  readonly isMeant: (condition: StoreCondition) => boolean;
  readonly spring: () => void;
  /** Transactions that it lets pass, a count. */
  leftCount: number;
}

class Surroundings implements Interruption {
  readonly clock: Clock;
  lateCount = 0;
  #isPaused = false;
  #held: (() => void)[] = [];
  #trap: Trap | undefined;
  #isDropped = (_condition: StoreCondition): boolean => false;

  constructor(clock: Clock) {
    this.clock = {
      now: () => clock.now(),
      monotonicMs: () => clock.monotonicMs(),
      sleep: async (ms, signal) => {
        await clock.sleep(ms, signal);
        await this.#pass();
        signal?.throwIfAborted();
      },
    };
  }

  pause(): void {
    this.#isPaused = true;
  }

  pauseBefore(isMeant: (condition: StoreCondition) => boolean, skippedCount = 0): Promise<void> {
    return new Promise((resolve) => {
      this.#trap = { isMeant, leftCount: skippedCount, spring: resolve };
    });
  }

  resume(): void {
    this.#trap = undefined;
    this.#isPaused = false;
    for (const go of this.#held.splice(0)) go();
  }

  dropConditions(isDropped: (condition: StoreCondition) => boolean): void {
    this.#isDropped = isDropped;
  }

  store(store: Store): Store {
    return throughGate(
      store,
      () => this.#pass(),
      async (conditions, writes) => {
        if (this.#trap && conditions.some(this.#trap.isMeant)) this.#touchTrap(this.#trap);
        const isLate = this.#isPaused;
        await this.#pass();
        if (isLate) this.lateCount += 1;
        const sent = isLate ? conditions.filter((condition) => !this.#isDropped(condition)) : conditions;
        return store.transact(sent, writes);
      },
    );
  }

  async #pass(): Promise<void> {
    while (this.#isPaused) await new Promise<void>((resolve) => this.#held.push(resolve));
  }

  #touchTrap(trap: Trap): void {
    trap.leftCount -= 1;
    if (trap.leftCount >= 0) return;
    this.#trap = undefined;
    this.pause();
    trap.spring();
  }
}

function throughGate(store: Store, pass: () => Promise<void>, transact: Store["transact"]): Store {
  const both = async <Answer>(ask: () => Promise<Answer>): Promise<Answer> => {
    await pass();
    const answer = await ask();
    await pass();
    return answer;
  };
  return {
    revision: () => both(() => store.revision()),
    get: (key) => both(() => store.get(key)),
    range: (prefix, options) => both(() => store.range(prefix, options)),
    transact: (conditions, writes) => both(() => transact(conditions, writes)),
    watch: (prefix, fromRevision, signal) => delayed(store.watch(prefix, fromRevision, signal), pass),
    grantLease: (ttlSeconds) => both(() => store.grantLease(ttlSeconds)),
    keepLeaseAlive: (leaseId) => both(() => store.keepLeaseAlive(leaseId)),
    revokeLease: (leaseId) => both(() => store.revokeLease(leaseId)),
    compact: (revision) => both(() => store.compact(revision)),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

async function* delayed(
  messages: AsyncIterable<StoreWatchMessage>,
  pass: () => Promise<void>,
): AsyncGenerator<StoreWatchMessage> {
  for await (const message of messages) {
    await pass();
    yield message;
  }
}
