import type { ServerResponse } from "node:http";
import type { WatchEvent } from "../../resources/index.ts";
import { failureStatus, toRefusal } from "../http/status.ts";
import { lineOf } from "./encoder.ts";

// What one client may leave unread before its stream waits; the buffers are shared between clients.
const UNREAD_LIMIT_BYTES = 1024 * 1024;

/** One watch on its way to one client. */
export interface WatchStream {
  readonly response: ServerResponse;
  readonly events: AsyncIterator<WatchEvent>;
  readonly encode: (event: WatchEvent) => Buffer;
  /** Lines to send before the events. */
  readonly prologue: readonly Buffer[];
  /** A client that reads nothing for this long, milliseconds, is dropped; it resumes from its last revision. */
  readonly slowClientMs: number;
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
  const { response } = stream;
  response.writeHead(200, { "content-type": "application/json", "cache-control": "no-cache, private" });
  response.flushHeaders();
  try {
    for (const line of stream.prologue) await write(stream, line);
    for (let step = await first; !step.done; step = await stream.events.next()) {
      if (response.destroyed || stream.signal.aborted) break;
      await write(stream, stream.encode(step.value));
    }
  } catch (failure) {
    if (!response.destroyed && !stream.signal.aborted) {
      response.write(lineOf({ type: "ERROR", object: failureStatus(toRefusal(failure)) }));
    }
  } finally {
    await stream.events.return?.();
    response.end();
  }
}

async function write({ response, slowClientMs }: WatchStream, line: Buffer): Promise<void> {
  if (response.destroyed) return;
  response.write(line);
  if (response.writableLength < UNREAD_LIMIT_BYTES) return;
  if (!(await drains(response, slowClientMs))) response.destroy();
}

/** Whether the client reads on before the time is up. A client that goes is not waited for. */
function drains(response: ServerResponse, patienceMs: number): Promise<boolean> {
  return new Promise((resolve) => {
    const settle = (isRead: boolean) => (): void => {
      clearTimeout(timer);
      response.off("drain", onDrain);
      response.off("close", onClose);
      resolve(isRead);
    };
    const onDrain = settle(true);
    const onClose = settle(false);
    const timer = setTimeout(onClose, patienceMs);
    response.once("drain", onDrain);
    response.once("close", onClose);
  });
}
