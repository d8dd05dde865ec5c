import { setMaxListeners } from "node:events";
import type { Store, StoreWatchMessage } from "../../src/store/index.ts";

/** What becomes of one message: what is delivered in its place. `cut` breaks the watch off, `stall` silences it for good. */
export type Tampering = (message: StoreWatchMessage) => readonly StoreWatchMessage[] | "cut" | "stall";

/** A store whose watches lie when told to, and are counted. Everything else is true. */
export class TamperedStore {
  readonly store: Store;
  /** Watches that are open now. */
  openWatches = 0;
  /** The most that were ever open at the same time. */
  mostWatches = 0;
  /** How often the tampering changed something. */
  faults = 0;
  /** By how much the store claims to be at an earlier revision than it is. */
  setBack = 0;
  #tampering: Tampering = (message) => [message];

  constructor(honest: Store) {
    this.store = {
      revision: async () => (await honest.revision()) - this.setBack,
      get: (key) => honest.get(key),
      range: async (prefix, options) => {
        const result = await honest.range(prefix, options);
        return { ...result, revision: result.revision - this.setBack };
      },
      transact: (conditions, writes) => honest.transact(conditions, writes),
      grantLease: (ttlSeconds) => honest.grantLease(ttlSeconds),
      keepLeaseAlive: (leaseId) => honest.keepLeaseAlive(leaseId),
      revokeLease: (leaseId) => honest.revokeLease(leaseId),
      compact: (revision) => honest.compact(revision),
      watch: (prefix, fromRevision, signal) => this.#watch(honest, prefix, fromRevision, signal),
      [Symbol.asyncDispose]: () => honest[Symbol.asyncDispose](),
    };
  }

  /** Tampers with messages from now on, until the fault has happened `times` times. */
  tamper(tampering: Tampering, times = 1): void {
    const last = this.faults + times;
    this.#tampering = (message) => {
      if (this.faults >= last) return [message];
      const told = tampering(message);
      if (told === "cut" || told === "stall" || told.length !== 1 || told[0] !== message) this.faults += 1;
      return told;
    };
  }

  async *#watch(
    honest: Store,
    prefix: string,
    fromRevision: number,
    signal: AbortSignal,
  ): AsyncGenerator<StoreWatchMessage> {
    setMaxListeners(0, signal);
    this.openWatches += 1;
    this.mostWatches = Math.max(this.mostWatches, this.openWatches);
    try {
      for await (const message of honest.watch(prefix, fromRevision, signal)) {
        const told = this.#tampering(message);
        if (told === "cut") throw new Error("the connection broke");
        if (told === "stall") await silence(signal);
        else yield* told;
      }
    } finally {
      this.openWatches -= 1;
    }
  }
}

function silence(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
}
