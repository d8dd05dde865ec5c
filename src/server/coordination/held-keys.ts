import { backoffMs, type Clock, type Logger } from "../../foundation/index.ts";
import type { Store, StoreEntry, StoreWatchMessage } from "../../store/index.ts";

const RETRY = { baseMs: 100, maxMs: 2_000 };
/** A watch that has lost an event is found out after this time. */
const LIST_AGAIN_MS = 60_000;

/** What following keys needs. */
export interface HeldKeysOptions {
  readonly store: Store;
  readonly prefix: string;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly random: () => number;
  readonly signal: AbortSignal;
}

/** The keys under a prefix, and so who holds what: as far as is known here, maybe a moment late. */
export interface HeldKeys {
  readonly entries: ReadonlyMap<string, StoreEntry>;
  /** Whether everything up to this revision is known. */
  knows(revision: number): boolean;
  /** Rises with every change, a count. */
  readonly version: number;
  /** Resolves when something has changed since `version`, or when the signal aborts. */
  changedSince(version: number, signal: AbortSignal): Promise<void>;
  /** Resolves when everything is known that there was at the beginning, or when the following ends. */
  readonly synced: Promise<void>;
  /** Resolves after the signal has aborted. */
  readonly ended: Promise<void>;
}

/** Begins to follow keys, until the signal aborts. */
export function followHeldKeys(options: HeldKeysOptions): HeldKeys {
  return new FollowedKeys(options);
}

class FollowedKeys implements HeldKeys {
  readonly entries = new Map<string, StoreEntry>();
  version = 0;
  readonly synced: Promise<void>;
  readonly ended: Promise<void>;
  readonly #options: HeldKeysOptions;
  #announce = (): void => undefined;
  readonly #waiting = new Set<() => void>();
  #revision = 0;

  constructor(options: HeldKeysOptions) {
    this.#options = options;
    this.synced = new Promise((resolve) => {
      this.#announce = resolve;
    });
    this.ended = this.#follow();
  }

  knows(revision: number): boolean {
    return this.#revision >= revision;
  }

  changedSince(version: number, signal: AbortSignal): Promise<void> {
    if (signal.aborted || this.version !== version) return Promise.resolve();
    return new Promise((resolve) => {
      const wake = (): void => {
        signal.removeEventListener("abort", wake);
        this.#waiting.delete(wake);
        resolve();
      };
      this.#waiting.add(wake);
      signal.addEventListener("abort", wake, { once: true });
    });
  }

  async #follow(): Promise<void> {
    const { clock, logger, random, signal, prefix } = this.#options;
    for (let attempt = 0; !signal.aborted; attempt += 1) {
      try {
        await this.#followOnce();
        attempt = 0;
      } catch (error) {
        logger.debug("watch of held keys broke off, listing again", { prefix, error });
        await clock.sleep(backoffMs(attempt, { ...RETRY, random }), signal).catch(() => undefined);
      }
    }
    this.#announce();
  }

  async #followOnce(): Promise<void> {
    const { store, prefix, clock, signal } = this.#options;
    const { entries, revision } = await store.range(prefix);
    this.#replace(entries, revision);
    const turn = new AbortController();
    const stop = (): void => turn.abort();
    signal.addEventListener("abort", stop, { once: true });
    void clock.sleep(LIST_AGAIN_MS, turn.signal).then(stop, stop);
    try {
      for await (const message of store.watch(prefix, revision + 1, turn.signal)) this.#take(message);
    } finally {
      stop();
      signal.removeEventListener("abort", stop);
    }
  }

  #replace(entries: readonly StoreEntry[], revision: number): void {
    this.entries.clear();
    for (const entry of entries) this.entries.set(entry.key, entry);
    this.#revision = revision;
    this.#announce();
    this.#ring();
  }

  #take(message: StoreWatchMessage): void {
    this.#revision = Math.max(this.#revision, message.revision);
    if (message.kind === "progress") return;
    for (const event of message.events) {
      if (event.kind === "put") this.entries.set(event.entry.key, event.entry);
      else this.entries.delete(event.key);
    }
    this.#ring();
  }

  #ring(): void {
    this.version += 1;
    for (const wake of [...this.#waiting]) wake();
  }
}
