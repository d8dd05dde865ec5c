import { ParasausError } from "../../foundation/index.ts";
import { refusalOf } from "./failures.ts";
import type { Transport } from "./transport.ts";

/** A question that is about no object. */
export interface ServerQuestion {
  /** From `/`. */
  readonly path: string;
  /** Sent as JSON. */
  readonly body: unknown;
  readonly signal: AbortSignal;
}

/**
 * Asks a server something that is about no object, by POST, and reads its JSON.
 *
 * @throws ParasausError what the server refuses with, `Unavailable` when it does not answer
 */
export async function askJson(
  transport: Transport,
  { path, body, signal }: ServerQuestion,
): Promise<unknown> {
  const headers = { accept: "application/json", "content-type": "application/json" };
  const answer = await transport.send({ method: "POST", path, headers, body: JSON.stringify(body), signal });
  const chunks: Uint8Array[] = [];
  for await (const chunk of answer.body) chunks.push(chunk);
  const value = parseJson(Buffer.concat(chunks).toString("utf8"));
  if (answer.status >= 400) throw refusalOf(answer.status, value);
  if (value !== undefined) return value;
  throw new ParasausError("Unavailable", "Cannot read the server's answer: it is no JSON");
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
