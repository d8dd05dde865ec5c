import { setMaxListeners } from "node:events";
import { backoffMs, type Clock, hasCode, type Logger, ParasausError } from "../../foundation/index.ts";
import type { StoreWatchMessage } from "../store.ts";
import type { Cluster } from "./cluster.ts";
import { followStream } from "./follow-stream.ts";
import { readRevision } from "./reads.ts";
import type { StreamEnd, WatchState } from "./watch-state.ts";
import { WatchStream } from "./watch-stream.ts";

/** How often in a row streams may be found wrong at the same revision. */
const MOST_DOUBTS = 3;
/** A stream that lasted so long was a good one. */
const GOOD_STREAM_MS = 2_000;
const BACKOFF = { baseMs: 50, maxMs: 1_000 };
const FIRST_REVISION = 1;

/** What a watch is made with. */
export interface WatchSource {
  readonly cluster: Cluster;
  readonly clock: Clock;
  readonly random: () => number;
  readonly logger: Logger;
}

/**
 * Everything that happens under `prefix` from `fromRevision` on. Goes on at another member when its member dies, is cut
 * off, falls silent or sends what cannot be right, always from the revision behind the last one delivered.
 *
 * @throws ParasausError `Expired` when it cannot go on without loss, `Unavailable` when the store closes
 */
export async function* followCluster(
  source: WatchSource,
  prefix: string,
  fromRevision: number,
  signal: AbortSignal,
): AsyncGenerator<StoreWatchMessage> {
  const { cluster, clock } = source;
  // For "from now on": what this process has seen so far is not later than now.
  const next = Math.max(fromRevision > 0 ? fromRevision : cluster.revision + 1, FIRST_REVISION + 1);
  const either = AbortSignal.any([signal, cluster.closed]);
  setMaxListeners(0, either);
  const state: WatchState = { prefix, next, unproven: undefined };
  const trouble = new Trouble(source);
  while (!signal.aborted) {
    refuseClosed(cluster);
    const startedMs = clock.monotonicMs();
    const from = state.next;
    const end = yield* followOnce(source, state, either);
    if (state.next > from || clock.monotonicMs() - startedMs > GOOD_STREAM_MS) trouble.forget();
    if (!signal.aborted && !cluster.closed.aborted) await trouble.cope(state, end, either);
  }
}

/** One stream, from the check that it can begin to its end. */
async function* followOnce(
  source: WatchSource,
  state: WatchState,
  signal: AbortSignal,
): AsyncGenerator<StoreWatchMessage, StreamEnd> {
  const { cluster } = source;
  const refusal = await whyNotReadable(cluster, state);
  if (refusal) return refusal;
  const { member } = cluster;
  using stream = new WatchStream(member, state.next);
  const cancel = () => stream[Symbol.dispose]();
  signal.addEventListener("abort", cancel);
  try {
    if (signal.aborted) return { reason: "aborted", isDoubt: false };
    const end = yield* followStream({ cluster, clock: source.clock, stream, state, signal });
    cluster.leave(member);
    return end;
  } finally {
    signal.removeEventListener("abort", cancel);
  }
}

/** @throws ParasausError `Expired` */
async function whyNotReadable(cluster: Cluster, state: WatchState): Promise<StreamEnd | undefined> {
  try {
    const { next, unproven } = state;
    // A watch may begin behind a revision that can still be read: whatever was there before and was deleted is then known.
    await readRevision(cluster, (unproven ?? next) - 1);
    state.unproven = undefined;
    return undefined;
  } catch (failure) {
    if (hasCode(failure, "BadRequest")) throw neverHappened(state.next, cluster.revision, failure);
    if (!hasCode(failure, "Unavailable")) throw failure;
    return { reason: failure.message, isDoubt: false };
  }
}

function neverHappened(next: number, revision: number, cause: unknown): ParasausError {
  const message = `Cannot watch from revision ${next}: the cluster is at ${revision}, and never was further`;
  return new ParasausError("Expired", message, { cause });
}

function refuseClosed({ closed }: Cluster): void {
  if (closed.aborted) throw new ParasausError("Unavailable", "Cannot go on watching: the store is closed");
}

/** Counts what went wrong in a row, waits longer each time, and gives up on a place where no stream can be believed. */
class Trouble {
  readonly #source: WatchSource;
  #ends = 0;
  #doubts = 0;

  constructor(source: WatchSource) {
    this.#source = source;
  }

  forget(): void {
    this.#ends = 0;
    this.#doubts = 0;
  }

  /** @throws ParasausError `Expired` */
  async cope(
    { prefix, next }: WatchState,
    { reason, isDoubt }: StreamEnd,
    signal: AbortSignal,
  ): Promise<void> {
    const { clock, random, logger } = this.#source;
    this.#ends += 1;
    if (isDoubt) this.#doubts += 1;
    const facts = { prefix, revision: next - 1, reason };
    if (this.#ends === 1) logger.warn("watch interrupted", facts);
    else logger.debug("watch interrupted again", facts);
    if (this.#doubts >= MOST_DOUBTS) {
      const message = `Cannot go on watching behind revision ${next - 1}: ${reason}, ${MOST_DOUBTS} times in a row`;
      throw new ParasausError("Expired", message);
    }
    if (this.#ends === 1) return;
    await clock.sleep(backoffMs(this.#ends - 2, { ...BACKOFF, random }), signal).catch(() => undefined);
  }
}
