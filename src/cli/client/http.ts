import { ParasausError } from "../../foundation/index.ts";
import type { Transport } from "../../resources/remote/index.ts";

/** What a server answered. */
export interface Answer {
  /** HTTP status. */
  readonly code: number;
  readonly body: string;
}

/**
 * Asks a server for something that is no resource.
 *
 * @param operator Who asks, for the record; believed where the server's owner asks.
 * @throws ParasausError `Unavailable` when it does not answer
 */
export async function askServer(
  transport: Transport,
  path: string,
  signal: AbortSignal,
  question?: unknown,
  operator?: string,
): Promise<Answer> {
  const answer = await transport.send({
    method: question === undefined ? "GET" : "POST",
    path,
    headers: {
      ...(question === undefined ? {} : { "content-type": "application/json" }),
      ...(operator === undefined ? {} : { "x-parasaus-operator": operator }),
    },
    ...(question === undefined ? {} : { body: JSON.stringify(question) }),
    signal,
  });
  const chunks: Uint8Array[] = [];
  for await (const chunk of answer.body) chunks.push(chunk);
  return { code: answer.status, body: Buffer.concat(chunks).toString() };
}

/**
 * Asks a server for something large.
 *
 * @throws ParasausError `Unavailable` when it does not answer, refuses, or stops in the middle
 */
export async function* streamFromServer(
  transport: Transport,
  path: string,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const answer = await transport.send({ method: "GET", path, headers: {}, signal });
  if (answer.status !== 200) {
    throw new ParasausError("Unavailable", `Cannot ask the server for ${path}: it answered ${answer.status}`);
  }
  try {
    yield* answer.body;
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new ParasausError("Unavailable", `Cannot read the server's answer to the end: ${reason}`, {
      cause,
    });
  }
}
