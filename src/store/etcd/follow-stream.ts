import { type Clock, ParasausError } from "../../foundation/index.ts";
import type { StoreEvent, StoreWatchMessage } from "../store.ts";
import type { Cluster } from "./cluster.ts";
import { reasonOf } from "./failure.ts";
import { type Revision, RevisionReader, type StreamFault } from "./revision-reader.ts";
import type { WatchResponse } from "./watch-messages.ts";
import type { StreamEnd, WatchState } from "./watch-state.ts";
import type { WatchStream } from "./watch-stream.ts";
import { type Probe, Watchdog } from "./watchdog.ts";

const PROGRESS_INTERVAL_MS = 2_000;
/** How long a stream may be behind the cluster without a word. */
const STALL_GRACE_MS = 1_000;

type Message =
  | { readonly kind: "message"; readonly response: WatchResponse }
  | { readonly kind: "broken"; readonly reason: string };
type Tick = { readonly kind: "tick" };

/** What a stream is followed with. */
export interface StreamSource {
  readonly cluster: Cluster;
  readonly clock: Clock;
  readonly stream: WatchStream;
  /** Moved on as revisions are delivered. */
  readonly state: WatchState;
  readonly signal: AbortSignal;
}

/**
 * Delivers what one stream brings, until it ends or cannot be believed any more. Beside it the revision of the cluster
 * is read every 2 s, from any member: a stream that is behind it and stays silent for a second is left.
 *
 * @throws ParasausError `Expired` when history was forgotten before it was delivered
 */
export async function* followStream(source: StreamSource): AsyncGenerator<StoreWatchMessage, StreamEnd> {
  const { stream, signal, clock } = source;
  const follower = new StreamFollower(source);
  let message = nextMessage(stream);
  let other: Promise<Tick | Probe> = tickIn(PROGRESS_INTERVAL_MS, clock, signal);
  while (!signal.aborted) {
    const happening = await Promise.race([message, other]);
    const end = yield* follower.react(happening);
    if (end) return end;
    if (happening.kind === "message") message = nextMessage(stream);
    else if (happening.kind === "tick") other = follower.watchdog.ask();
    else
      other = tickIn(follower.watchdog.isSuspicious ? STALL_GRACE_MS : PROGRESS_INTERVAL_MS, clock, signal);
  }
  return { reason: "the watch was ended", isDoubt: false };
}

async function tickIn(ms: number, clock: Clock, signal: AbortSignal): Promise<Tick> {
  await clock.sleep(ms, signal).catch(() => undefined);
  return { kind: "tick" };
}

class StreamFollower {
  readonly watchdog: Watchdog;
  readonly #source: StreamSource;
  readonly #reader: RevisionReader;

  constructor(source: StreamSource) {
    this.#source = source;
    this.#reader = new RevisionReader(source.state.next);
    this.watchdog = new Watchdog(source.cluster, source.state);
  }

  /** Delivers what follows from it. @returns why the stream has to be left, if so. */
  *react(happening: Message | Tick | Probe): Generator<StoreWatchMessage, StreamEnd | undefined> {
    if (happening.kind === "broken") return { reason: happening.reason, isDoubt: false };
    if (happening.kind === "tick") return undefined;
    if (happening.kind === "message") return yield* this.#take(happening.response);
    const verdict = this.watchdog.judge(happening);
    if (verdict === "progress") yield { kind: "progress", revision: this.#source.state.next - 1 };
    return verdict === "stalled"
      ? { reason: "it is behind the cluster, and silent", isDoubt: true }
      : undefined;
  }

  *#take(response: WatchResponse): Generator<StoreWatchMessage, StreamEnd | undefined> {
    const { cluster, state } = this.#source;
    const { canceled, compactRevision, cancelReason, header } = response;
    this.watchdog.hear();
    if (compactRevision > 0)
      throw expired(`history begins at revision ${compactRevision} (too old resource version)`);
    if (canceled) return { reason: cancelReason || "the member cancelled it", isDoubt: false };
    const doubt = cluster.notice(header);
    if (doubt !== undefined) return { reason: doubt, isDoubt: true };
    const { revisions, fault, unproven } = this.#reader.read(response);
    state.unproven ??= unproven;
    for (const revision of revisions) yield* deliver(state, revision);
    return fault && explainFault(fault, this.#reader.next);
  }
}

async function nextMessage(stream: WatchStream): Promise<Message> {
  try {
    const response = await stream.next();
    return response ? { kind: "message", response } : { kind: "broken", reason: "the member ended it" };
  } catch (failure) {
    return { kind: "broken", reason: reasonOf(failure) };
  }
}

function* deliver(state: WatchState, { revision, events }: Revision): Generator<StoreWatchMessage> {
  const isUnder = (event: StoreEvent) =>
    (event.kind === "put" ? event.entry.key : event.key).startsWith(state.prefix);
  const matching = events.every(isUnder) ? events : events.filter(isUnder);
  state.next = revision + 1;
  if (matching.length > 0) yield { kind: "events", revision, events: matching };
}

const FAULTS: Readonly<Record<StreamFault, string>> = {
  gap: "a revision is missing",
  back: "a revision came again",
  split: "a revision came in two parts",
  overtaken: "history was compacted before its events were sent",
};

/** @throws ParasausError `Expired` where what is missing belongs to what was delivered already, or is gone */
function explainFault(fault: StreamFault, next: number): StreamEnd {
  if (fault === "split" || fault === "overtaken") throw expired(`${FAULTS[fault]} (revision ${next})`);
  return { reason: `${FAULTS[fault]} behind ${next - 1}`, isDoubt: true };
}

function expired(reason: string): ParasausError {
  return new ParasausError("Expired", `Cannot go on watching: ${reason}`);
}
