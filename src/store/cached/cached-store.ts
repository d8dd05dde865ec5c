import type { Clock, Logger } from "../../foundation/index.ts";
import { followHistory } from "../follow-history.ts";
import { readRange } from "../read-range.ts";
import type {
  RangeOptions,
  RangeResult,
  Store,
  StoreCondition,
  StoreEntry,
  StoreWatchMessage,
  StoreWrite,
  TransactionResult,
} from "../store.ts";
import { Feed, type WatchCacheEvent } from "./feed.ts";
import type { Replica } from "./replica.ts";
import { RevisionAsker } from "./revision-asker.ts";

/** How long the watch may be behind before a read is passed on to the store. */
const CATCH_UP_MS = 200;
// A page of a revision that was read before comes again and again, so it is worth waiting until the cache has it.
const PAGE_CATCH_UP_MS = 5_000;
const DEFAULT_STALL_MS = 10_000;

/** What a watch cache needs besides the store. */
export interface WatchCacheOptions {
  /** Keys that begin with it are cached; what concerns others is passed on. */
  readonly prefix: string;
  readonly clock: Clock;
  /** Source of randomness in [0, 1). */
  readonly random: () => number;
  readonly logger: Logger;
  /** A watch of the store on which nothing arrives for this long, milliseconds, is given up and taken up again. Default 10,000. */
  readonly stallMs?: number;
  /** Told what happens between the cache and its store. */
  readonly observe?: (event: WatchCacheEvent) => void;
}

/**
 * Puts a watch cache before a store: it reads everything under the prefix once and follows it by one watch, from which
 * every watch and nearly every read is served. Reads are never older than a write that was acknowledged before, by whichever
 * process. Disposing it disposes the store too.
 *
 * @throws ParasausError `Unavailable` and whatever else keeps the store from being read; the store is not disposed then
 */
export async function withWatchCache(store: Store, options: WatchCacheOptions): Promise<Store> {
  const observe = options.observe ?? (() => undefined);
  const feed = new Feed({ stallMs: DEFAULT_STALL_MS, ...options, store, observe });
  try {
    await feed.current();
  } catch (failure) {
    await feed[Symbol.asyncDispose]();
    throw failure;
  }
  return new CachedStore(store, feed, options, observe);
}

class CachedStore implements Store {
  readonly #store: Store;
  readonly #feed: Feed;
  readonly #asker: RevisionAsker;
  readonly #prefix: string;
  readonly #clock: Clock;
  readonly #observe: (event: WatchCacheEvent) => void;
  /** A revision that the watch did not bring in time: until it does, nobody else waits. */
  #missed = 0;

  constructor(
    store: Store,
    feed: Feed,
    { prefix, clock }: WatchCacheOptions,
    observe: (event: WatchCacheEvent) => void,
  ) {
    this.#store = store;
    this.#feed = feed;
    this.#asker = new RevisionAsker(store, clock);
    this.#prefix = prefix;
    this.#clock = clock;
    this.#observe = observe;
  }

  revision(): Promise<number> {
    return this.#asker.ask();
  }

  async get(key: string): Promise<StoreEntry | undefined> {
    if (!key.startsWith(this.#prefix)) return await this.#store.get(key);
    const replica = await this.#newest();
    if (replica) return replica.entries.get(key);
    const entry = await this.#store.get(key);
    return entry && this.#shared(await this.#feed.current(), entry);
  }

  async range(prefix: string, options: RangeOptions = {}): Promise<RangeResult> {
    if (!prefix.startsWith(this.#prefix)) return await this.#store.range(prefix, options);
    const { revision } = options;
    const replica = await (revision === undefined ? this.#newest() : this.#at(revision));
    if (replica) return readRange(replica.entries, replica.window, prefix, options);
    const result = await this.#store.range(prefix, options);
    this.#asker.note(result.revision);
    const current = await this.#feed.current();
    return { ...result, entries: result.entries.map((entry) => this.#shared(current, entry)) };
  }

  async transact(
    conditions: readonly StoreCondition[],
    writes: readonly StoreWrite[],
  ): Promise<TransactionResult> {
    const result = await this.#store.transact(conditions, writes);
    this.#asker.note(result.revision);
    return result;
  }

  async *watch(prefix: string, fromRevision: number, signal: AbortSignal): AsyncGenerator<StoreWatchMessage> {
    if (!prefix.startsWith(this.#prefix)) {
      yield* this.#store.watch(prefix, fromRevision, signal);
      return;
    }
    const current = this.#feed.current();
    const { window } = current instanceof Promise ? await current : current;
    // What this process writes from here on must not be missed, so this is decided without waiting for anything.
    const first = fromRevision > 0 ? fromRevision : Math.max(this.#asker.known, window.revision) + 1;
    const { bell, closed } = this.#feed;
    yield* followHistory(
      { history: window, bell, closed, ticks: () => this.#feed.ticks },
      prefix,
      first,
      signal,
    );
  }

  grantLease(ttlSeconds: number): Promise<string> {
    return this.#store.grantLease(ttlSeconds);
  }

  keepLeaseAlive(leaseId: string): Promise<boolean> {
    return this.#store.keepLeaseAlive(leaseId);
  }

  revokeLease(leaseId: string): Promise<void> {
    return this.#store.revokeLease(leaseId);
  }

  async compact(revision: number): Promise<void> {
    await this.#store.compact(revision);
    (await this.#feed.current()).window.forgetBefore(revision);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#feed[Symbol.asyncDispose]();
    await this.#store[Symbol.asyncDispose]();
  }

  /** The replica once it has everything that was acknowledged before the call; undefined when that takes too long. */
  async #newest(): Promise<Replica | undefined> {
    const revision = await this.#asker.ask();
    const replica = await this.#feed.current();
    if (replica.window.revision >= revision) return replica;
    if (replica.window.revision >= this.#missed && (await this.#reaches(replica, revision, CATCH_UP_MS))) {
      return (await this.#feed.current()) === replica ? replica : await this.#newest();
    }
    this.#missed = Math.max(this.#missed, revision);
    this.#observe("passed-on");
    return undefined;
  }

  /** The replica when it can tell how it was at a revision. */
  async #at(revision: number): Promise<Replica | undefined> {
    const replica = await this.#feed.current();
    if (replica.window.revision < revision) {
      const isToCome = revision > (await this.#asker.ask());
      if (isToCome || !(await this.#reaches(replica, revision, PAGE_CATCH_UP_MS))) return undefined;
    }
    return revision >= replica.window.floor ? replica : undefined;
  }

  /** Waits until the replica is at the revision. @returns false when the time is up before */
  async #reaches({ window }: Replica, revision: number, patienceMs: number): Promise<boolean> {
    const stop = new AbortController();
    this.#clock.sleep(patienceMs, stop.signal).then(
      () => stop.abort(),
      () => undefined,
    );
    while (window.revision < revision && !stop.signal.aborted) await this.#feed.bell.wait(stop.signal);
    stop.abort();
    return window.revision >= revision;
  }

  /** The entry object that others have already, where it is the same version: what hangs on it is made once. */
  #shared({ entries }: Replica, entry: StoreEntry): StoreEntry {
    const held = entries.get(entry.key);
    return held?.modRevision === entry.modRevision ? held : entry;
  }
}
