import { setImmediate } from "node:timers/promises";
import type { WatchEvent } from "../../resources/index.ts";
import { failureStatus, toRefusal } from "../http/status.ts";
import { lineOf } from "./encoder.ts";
import type { PacedResponse } from "./paced-response.ts";

/** How much of what exists is encoded in one turn of the event loop, bytes. */
const PART_BYTES = 64 * 1024;

/** One watch on its way to one client. */
export interface WatchStream {
  readonly response: PacedResponse;
  readonly events: AsyncIterator<WatchEvent>;
  readonly encode: (event: WatchEvent) => Buffer;
  /** Lines to send before the events. */
  readonly prologue: Iterable<Buffer>;
  /** Told when they are sent. */
  readonly onPrologueSent: () => void;
  /** Ends the stream in good order: the time is up, or the server closes. */
  readonly signal: AbortSignal;
}

/**
 * Writes events until the signal aborts, the client goes, or the watch fails, which the client learns by an ERROR event.
 *
 * @param first The watch's first step, which was begun before the answer's head was written.
 */
export async function streamWatch(
  stream: WatchStream,
  first: Promise<IteratorResult<WatchEvent>>,
): Promise<void> {
  const { response, events, signal } = stream;
  try {
    await sendPrologue(stream);
    stream.onPrologueSent();
    await sendEvents(stream, first);
  } catch (failure) {
    if (!signal.aborted) {
      response.write(lineOf({ type: "ERROR", object: failureStatus(toRefusal(failure)) }));
    }
  } finally {
    await events.return?.();
    response.end();
  }
}

async function sendPrologue({ response, prologue, signal }: WatchStream): Promise<void> {
  let length = 0;
  for (const line of prologue) {
    if (response.isGone || signal.aborted) return;
    response.write(line);
    length += line.length;
    if (length < PART_BYTES) continue;
    length = 0;
    await setImmediate();
    await response.ready();
  }
}

async function sendEvents(
  { response, events, encode, signal }: WatchStream,
  first: Promise<IteratorResult<WatchEvent>>,
): Promise<void> {
  for (let step = await first; !step.done; step = await events.next()) {
    if (response.isGone || signal.aborted) return;
    response.write(encode(step.value));
    if (response.isBehind) await response.ready();
  }
}
