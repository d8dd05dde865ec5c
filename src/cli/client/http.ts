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
 * @throws ParasausError `Unavailable` when it does not answer
 */
export async function askServer(
  transport: Transport,
  path: string,
  signal: AbortSignal,
  question?: unknown,
): Promise<Answer> {
  const answer = await transport.send({
    method: question === undefined ? "GET" : "POST",
    path,
    headers: question === undefined ? {} : { "content-type": "application/json" },
    ...(question === undefined ? {} : { body: JSON.stringify(question) }),
    signal,
  });
  const chunks: Uint8Array[] = [];
  for await (const chunk of answer.body) chunks.push(chunk);
  return { code: answer.status, body: Buffer.concat(chunks).toString() };
}
