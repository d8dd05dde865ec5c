import { setImmediate } from "node:timers/promises";
import type { PacedResponse } from "./paced-response.ts";

/** Length of what is encoded in one turn of the event loop, characters: a fraction of a millisecond. */
const PART_CHARACTERS = 64 * 1024;

/**
 * Answers with a JSON document that comes in pieces. A short one is sent as a whole; a long one as it is encoded, and others
 * get their turn in between.
 *
 * @returns what fastify has to send, or undefined when everything was sent
 */
export async function sendPieces(
  pieces: Iterable<string>,
  response: PacedResponse,
): Promise<string | undefined> {
  let isBegun = false;
  for (const { text, isLast } of partsOf(pieces)) {
    if (isLast && !isBegun) return text;
    if (!isBegun) response.begin();
    isBegun = true;
    response.write(text);
    await setImmediate();
    await response.ready();
    if (response.isGone) return undefined;
  }
  response.end();
  return undefined;
}

function* partsOf(pieces: Iterable<string>): Generator<{ readonly text: string; readonly isLast: boolean }> {
  let text = "";
  for (const piece of pieces) {
    if (text.length >= PART_CHARACTERS) {
      yield { text, isLast: false };
      text = "";
    }
    text += piece;
  }
  yield { text, isLast: true };
}
