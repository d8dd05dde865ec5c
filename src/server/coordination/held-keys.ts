import { backoffMs, type Clock, type Logger } from "../../foundation/index.ts";
import type { Store, StoreEntry, StoreWatchMessage } from "../../store/index.ts";
import { News } from "./news.ts";

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
  /** Told of every change; one for several prefixes, to wait for a change of any of them. Default: an own one. */
  readonly news?: News;
}

/** The keys under a prefix, and so who holds what: as far as is known here, maybe a moment late. */
export interface HeldKeys {
  readonly entries: ReadonlyMap<string, StoreEntry>;
  /** Whether everything up to this revision is known. */
  knows(revision: number): boolean;
  /** Takes an entry that was read from the store and has not come yet. */
  learn(entry: StoreEntry): void;
  readonly news: News;
  /** Resolves after the signal has aborted. */
  readonly ended: Promise<void>;
}

/** Begins to follow keys, until the signal aborts. */
export function followHeldKeys(options: HeldKeysOptions): HeldKeys {
  return new FollowedKeys(options);
}

class FollowedKeys implements HeldKeys {
  readonly entries = new Map<string, StoreEntry>();
  readonly news: News;
  readonly ended: Promise<void>;
  readonly #options: HeldKeysOptions;
  #revision = 0;

  constructor(options: HeldKeysOptions) {
    this.#options = options;
    this.news = options.news ?? new News();
    this.ended = this.#follow();
  }

  knows(revision: number): boolean {
    return this.#revision >= revision;
  }

  learn(entry: StoreEntry): void {
    // What is known up to a later revision and does not have it has seen it go.
    if (this.knows(entry.modRevision) || this.entries.has(entry.key)) return;
    this.entries.set(entry.key, entry);
    this.news.tell();
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
    this.news.tell();
  }

  #take(message: StoreWatchMessage): void {
    this.#revision = Math.max(this.#revision, message.revision);
    if (message.kind === "progress") return;
    for (const event of message.events) {
      if (event.kind === "put") this.entries.set(event.entry.key, event.entry);
      else this.entries.delete(event.key);
    }
    this.news.tell();
  }
}
