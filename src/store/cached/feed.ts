import { setMaxListeners } from "node:events";
import { backoffMs, type Clock, hasCode, type Logger, ParasausError } from "../../foundation/index.ts";
import { Bell } from "../bell.ts";
import type { Store, StoreWatchMessage } from "../store.ts";
import { type Past, PastCollector } from "./past.ts";
import { type Listing, oldestReadable, readAll } from "./read-all.ts";
import { Contradiction, Gap, Replica } from "./replica.ts";
import { revisionFrom } from "./revision-asker.ts";
import { watchUpstream } from "./upstream-watch.ts";
import { MAX_MESSAGES } from "./window.ts";

const RETRY = { baseMs: 100, maxMs: 5_000 };
const MOST_GAPS = 3;
const PAST_TIMEOUT_MS = 5_000;
const LEAST_TICK_MS = 1_000;

/** What happened between a watch cache and its store, for metrics and tests. */
export type WatchCacheEvent =
  /** The watch broke off and was taken up where it was. */
  | "resumed"
  /** History was lost or contradicted itself: everything was listed again, clients list again. */
  | "reloaded"
  /** The watch repeated something; nobody was told. */
  | "repetition"
  /** The store was ahead of its watch for too long: a read was passed on to it. */
  | "passed-on";

/** How a replica is fed. */
export interface FeedOptions {
  readonly store: Store;
  readonly prefix: string;
  readonly clock: Clock;
  readonly random: () => number;
  readonly logger: Logger;
  readonly stallMs: number;
  readonly observe: (event: WatchCacheEvent) => void;
}

/** Keeps a replica of the store by one list and one watch over all keys, for everybody. */
export class Feed implements AsyncDisposable {
  readonly #options: FeedOptions;
  readonly #closed = new AbortController();
  /** Rung when the replica has news, is replaced, or proves that it is still fed. */
  readonly bell = new Bell();
  readonly #running: Promise<void>;
  #replica: Replica | undefined;
  #loading = new Deferred<Replica>();
  #isStale = false;
  #isContradicted = false;
  /** How often in a row the watch left something out. */
  #gaps = 0;
  #ticks = 0;
  #tickedAtMs: number;

  constructor(options: FeedOptions) {
    this.#options = options;
    this.#tickedAtMs = options.clock.monotonicMs();
    // Every watch listens for the end.
    setMaxListeners(0, this.#closed.signal);
    this.#running = this.#run();
  }

  /** Counts proofs that the watch is alive. */
  get ticks(): number {
    return this.#ticks;
  }

  /** Aborts when the feed ends. */
  get closed(): AbortSignal {
    return this.#closed.signal;
  }

  /**
   * The replica; while it is made anew, the next one.
   *
   * @throws ParasausError `Unavailable` and whatever else kept it from being made
   */
  current(): Replica | Promise<Replica> {
    return this.#replica && !this.#isStale ? this.#replica : this.#loading.promise;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const reason = new ParasausError("Unavailable", "Cannot read: the store is closed");
    this.#closed.abort(reason);
    this.#loading.reject(reason);
    await this.#running;
  }

  async #run(): Promise<void> {
    const { clock, random } = this.#options;
    const signal = this.closed;
    for (let attempt = 0; !signal.aborted; attempt += 1) {
      try {
        await this.#follow(() => {
          attempt = 0;
        });
      } catch (failure) {
        if (signal.aborted) return;
        this.#note(failure);
      }
      await clock.sleep(backoffMs(attempt, { ...RETRY, random }), signal).catch(() => undefined);
    }
  }

  async #follow(onMessage: () => void): Promise<void> {
    const messages = await (this.#replica && !this.#isStale ? this.#resume(this.#replica) : this.#load());
    for await (const message of messages) {
      this.#admit(message);
      onMessage();
    }
  }

  #admit(message: StoreWatchMessage): void {
    const admission = this.#replica?.admit(message);
    if (admission === "repetition") {
      this.#options.observe("repetition");
      return;
    }
    this.#gaps = 0;
    this.#tick();
    this.bell.ring();
  }

  /** Watchers of what does not change learn that they are up to date, but not at every single event of others. */
  #tick(): void {
    const nowMs = this.#options.clock.monotonicMs();
    if (nowMs - this.#tickedAtMs < LEAST_TICK_MS) return;
    this.#tickedAtMs = nowMs;
    this.#ticks += 1;
  }

  /** Takes the watch up where it was, unless the store was set back meanwhile: what it counts then was something else once. */
  async #resume({ window }: Replica): Promise<AsyncGenerator<StoreWatchMessage>> {
    const { store, clock, observe } = this.#options;
    const revision = await revisionFrom(store, window.revision, clock);
    if (revision < window.revision) {
      throw new Contradiction(`the store is at revision ${revision}, but ${window.revision} was delivered`);
    }
    observe("resumed");
    return this.#watch(window.revision + 1, this.closed);
  }

  #watch(fromRevision: number, signal: AbortSignal): AsyncGenerator<StoreWatchMessage> {
    const { store, clock, stallMs } = this.#options;
    return watchUpstream({ store, clock, stallMs, fromRevision, signal });
  }

  /** Lists everything, puts the replica in place, and goes on behind it. */
  async #load(): Promise<AsyncGenerator<StoreWatchMessage>> {
    const { store, prefix, clock, logger } = this.#options;
    const lost = this.#replica;
    if (lost) refuseOlder(await revisionFrom(store, lost.window.revision, clock), lost);
    if (this.#isContradicted) await this.#turnPage();
    const listing = await readAll(store, prefix);
    if (lost) refuseOlder(listing.revision, lost);
    const past = lost ? undefined : await this.#readPast(listing);
    const { entries, revision } = listing;
    this.#replace(new Replica(prefix, entries, revision, past));
    const facts = { prefix, keys: entries.length, revision, historyFrom: past?.floor ?? revision };
    logger.info("watch cache filled", facts);
    return this.#watch(revision + 1, this.closed);
  }

  /**
   * Moves the store one revision on. A client that left between the lie and its discovery comes back with the last
   * revision that it was told; it must not look like one that has listed since.
   */
  async #turnPage(): Promise<void> {
    const { store, prefix, clock } = this.#options;
    const value = JSON.stringify({ time: clock.now().toISOString() });
    await store.transact([], [{ kind: "put", key: `${prefix}watch-cache/last-contradiction`, value }]);
  }

  #replace(replica: Replica): void {
    const lost = this.#replica;
    this.#replica = replica;
    this.#isStale = false;
    this.#isContradicted = false;
    this.#gaps = 0;
    this.#loading.resolve(replica);
    this.#loading = new Deferred();
    lost?.window.lose();
    if (lost) this.#options.observe("reloaded");
    this.bell.ring();
  }

  /**
   * What happened before the list, so that the clients of a server that was restarted go on without listing. Only once:
   * when the replica is made anew because its watch was wrong, nobody may go on from what that watch told.
   */
  async #readPast({ entries, revision }: Listing): Promise<Past | undefined> {
    const { store, prefix, clock } = this.#options;
    const floor = await oldestReadable(store, prefix, revision, MAX_MESSAGES);
    if (floor === revision) return undefined;
    const stop = new AbortController();
    const signal = AbortSignal.any([stop.signal, this.closed]);
    clock.sleep(PAST_TIMEOUT_MS, signal).then(
      () => stop.abort(new ParasausError("Timeout", "history did not come to its end in time")),
      () => undefined,
    );
    try {
      const collector = new PastCollector(prefix, entries, floor);
      await collect(this.#watch(floor + 1, signal), collector, revision);
      return collector.finish();
    } catch (error) {
      this.#options.logger.info("history before the start not read, clients list again", { error });
      return undefined;
    } finally {
      stop.abort();
    }
  }

  #note(failure: unknown): void {
    const { logger, prefix } = this.#options;
    const facts = { prefix, revision: this.#replica?.window.revision, error: failure };
    if (failure instanceof Contradiction) {
      this.#isStale = true;
      this.#isContradicted = true;
      logger.error("watch of the store contradicts itself, listing again", facts);
    } else if (hasCode(failure, "Expired") && this.#replica) {
      this.#isStale = true;
      logger.warn("watch of the store is behind its history, listing again", facts);
    } else if (failure instanceof Gap) {
      this.#gaps += 1;
      this.#isStale = this.#gaps >= MOST_GAPS;
      logger.warn("watch of the store left something out, taking it up again", facts);
    } else {
      logger.warn("watch of the store broke off, retrying", facts);
      this.#loading.reject(failure);
      this.#loading = new Deferred();
    }
  }
}

/** @throws ParasausError `Unavailable` when the store is behind what clients were told */
function refuseOlder(revision: number, lost: Replica): void {
  if (revision >= lost.window.revision) return;
  throw new ParasausError(
    "Unavailable",
    `Cannot go back to revision ${revision} of the store: ${lost.window.revision} was delivered. A member of the store that ` +
      "lags catches up; where the store was restored from a backup, restart this program",
  );
}

async function collect(
  messages: AsyncIterable<StoreWatchMessage>,
  collector: PastCollector,
  revision: number,
): Promise<void> {
  for await (const message of messages) {
    if (message.kind === "events" && message.revision <= revision) collector.take(message);
    if (message.revision >= revision) return;
  }
}

/** A promise and how to settle it; nobody needs to wait for it. */
class Deferred<T> {
  readonly promise: Promise<T>;
  resolve!: (value: T) => void;
  reject!: (failure: unknown) => void;

  constructor() {
    this.promise = new Promise((resolve, reject) => {
      this.resolve = resolve;
      this.reject = reject;
    });
    this.promise.catch(() => undefined);
  }
}
