import { request as httpRequest, type IncomingMessage } from "node:http";
import { request as httpsRequest } from "node:https";
import { ParasausError } from "../foundation/index.ts";
import type { ClientTls } from "../resources/remote/index.ts";
import type { NodeRequestTransport, NumberedRequest } from "./request-stream.ts";

/** The server sends an empty line at least every 5 s; a stream that is silent for longer is dead. */
const SILENCE_MS = 15_000;
const ANSWER_TIMEOUT_MS = 5_000;

/** Where the servers are. */
export interface HttpRequestOptions {
  /** Base URLs in order of preference; the next one is tried when one does not answer. */
  readonly servers: readonly string[];
  /** What is believed and shown over TLS, asked for each request. */
  readonly tls?: () => ClientTls;
  /** Sent with every request: what the agent is known by without TLS. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** Request streams over HTTP: JSON lines from `GET /internal/v1/nodes/NAME/requests`, answers by POST. */
export function httpNodeRequests(options: HttpRequestOptions): NodeRequestTransport {
  let turn = 0;
  const server = () => options.servers[turn % options.servers.length] ?? "";
  return {
    async *open(nodeName, signal) {
      try {
        const response = await send(options, "GET", urlOf(server(), nodeName, "requests"), { signal });
        response.setTimeout(SILENCE_MS, () => response.destroy(new Error("the request stream is silent")));
        yield* readLines(response);
      } catch (failure) {
        turn += 1;
        throw failure;
      }
    },
    async answer(nodeName, id, answer) {
      const signal = AbortSignal.timeout(ANSWER_TIMEOUT_MS);
      const url = urlOf(server(), nodeName, `answers/${encodeURIComponent(id)}`);
      const response = await send(options, "POST", url, { signal, body: JSON.stringify(answer) });
      response.resume();
    },
  };
}

function urlOf(server: string, nodeName: string, rest: string): URL {
  return new URL(`/internal/v1/nodes/${encodeURIComponent(nodeName)}/${rest}`, server);
}

function send(
  options: HttpRequestOptions,
  method: "GET" | "POST",
  url: URL,
  { signal, body }: { readonly signal: AbortSignal; readonly body?: string },
): Promise<IncomingMessage> {
  const open = url.protocol === "https:" ? httpsRequest : httpRequest;
  return new Promise((resolve, reject) => {
    const request = open(url, {
      method,
      signal,
      headers: { ...options.headers, ...(body ? { "content-type": "application/json" } : {}) },
      ...options.tls?.(),
    });
    request.once("error", reject);
    request.once("response", (response) => {
      if (response.statusCode === 200) return resolve(response);
      response.resume();
      const message = `Cannot ${method} "${url.pathname}": the server answered ${response.statusCode}`;
      reject(new ParasausError("Unavailable", message));
    });
    request.end(body);
  });
}

/** Throws when the stream breaks off, ends when the server ends it. */
async function* readLines(response: IncomingMessage): AsyncGenerator<NumberedRequest> {
  response.setEncoding("utf8");
  let rest = "";
  for await (const chunk of response) {
    const lines = `${rest}${chunk}`.split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) if (line.trim() !== "") yield JSON.parse(line);
  }
}
