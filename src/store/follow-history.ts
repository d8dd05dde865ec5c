import { setImmediate } from "node:timers/promises";
import { ParasausError } from "../foundation/index.ts";
import type { Bell } from "./bell.ts";
import type { Message, ReadableHistory } from "./readable-history.ts";
import type { StoreEvent, StoreWatchMessage } from "./store.ts";
import { keyOfEvent } from "./store-event.ts";

const MANY_MESSAGES = 64;

/** What a watch reads and how it is woken. */
export interface WatchSource {
  readonly history: ReadableHistory;
  /** Rung at every commit and every progress tick. */
  readonly bell: Bell;
  /** Aborts when the store closes. */
  readonly closed: AbortSignal;
  /** Counts the progress ticks. */
  readonly ticks: () => number;
}

/**
 * Follows history under `prefix`. There is no queue per watch: each reads history at its own pace,
 * so that a slow one costs nothing and at worst falls behind compaction.
 *
 * @param fromRevision First revision to deliver; 0 = the next one.
 * @throws ParasausError `Expired`, or `Unavailable` when the store closes
 */
export async function* followHistory(
  source: WatchSource,
  prefix: string,
  fromRevision: number,
  signal: AbortSignal,
): AsyncGenerator<StoreWatchMessage> {
  const { history, bell, closed } = source;
  const either = AbortSignal.any([signal, closed]);
  let next = fromRevision > 0 ? fromRevision : history.revision + 1;
  let tick = source.ticks();
  while (!signal.aborted) {
    const messages = readOn(source, next);
    next = behind(messages, next, history);
    for (const message of eventsUnder(prefix, messages)) if (!signal.aborted) yield message;
    if (messages.length > 0) await leaveRoom(messages);
    else if (tick === source.ticks()) await bell.wait(either);
    else {
      tick = source.ticks();
      yield { kind: "progress", revision: Math.min(next - 1, history.revision) };
    }
  }
}

/** Long catching up leaves the event loop to others now and then. */
async function leaveRoom(messages: readonly Message[]): Promise<void> {
  if (messages.length > MANY_MESSAGES) await setImmediate();
}

function readOn({ history, closed }: WatchSource, next: number): readonly Message[] {
  if (closed.aborted) throw new ParasausError("Unavailable", "Cannot go on watching: the store is closed");
  return history.read(next);
}

/** The first revision that is not read yet: whoever reads nothing has read everything there is. */
function behind(messages: readonly Message[], next: number, { revision }: ReadableHistory): number {
  return Math.max(next, (messages.at(-1)?.revision ?? revision) + 1);
}

function eventsUnder(prefix: string, messages: readonly Message[]): StoreWatchMessage[] {
  const isUnder = (event: StoreEvent) => keyOfEvent(event).startsWith(prefix);
  return messages.flatMap(({ revision, events }) => {
    const matching = events.every(isUnder) ? events : events.filter(isUnder);
    return matching.length > 0 ? [{ kind: "events" as const, revision, events: matching }] : [];
  });
}
