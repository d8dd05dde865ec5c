import http from "node:http";
import https from "node:https";
import { TLSSocket } from "node:tls";
import { ParasausError } from "../../foundation/index.ts";
import type { Transport, TransportAnswer, TransportRequest } from "./transport.ts";

/** What a client believes over TLS, and what it shows of itself. All PEM. */
export interface ClientTls {
  /** Authorities that servers' certificates may come from; absent: the machine's. */
  readonly ca?: string;
  readonly cert?: string;
  /** Private key of `cert`. */
  readonly key?: string;
}

/** Where the servers are and how to trust them. */
export interface NodeTransportOptions {
  /** URLs of one control plane's servers, at least one; tried in turn, beginning with the last that answered. */
  readonly servers: readonly string[];
  /** Asked for each request, so that what is renewed counts at once; absent: the machine's authorities, no certificate. */
  readonly tls?: () => ClientTls;
  /** Sent with every request: what the client is known by. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** A transport over `node:http` and `node:https`. Disposing closes its idle connections. */
export interface NodeTransport extends Transport, Disposable {
  /** URL of the server that answered last. */
  readonly currentServer: () => string;
  /** Begins with the next server from now on: what this one answers is of no use. */
  readonly leaveServer: () => void;
}

/** The server's certificate is not one to believe: nothing was sent. */
const NOT_TRUSTED = new Set([
  "CERT_HAS_EXPIRED",
  "CERT_NOT_YET_VALID",
  "CERT_SIGNATURE_FAILURE",
  "DEPTH_ZERO_SELF_SIGNED_CERT",
  "ERR_TLS_CERT_ALTNAME_INVALID",
  "INVALID_PURPOSE",
  "SELF_SIGNED_CERT_IN_CHAIN",
  "UNABLE_TO_GET_ISSUER_CERT",
  "UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
  "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
]);
/** Of these, the cure is to name the authority. */
const UNKNOWN_AUTHORITY = /SELF_SIGNED|ISSUER|VERIFY_LEAF/;
// What these say: the request was never received, so another server may have it.
const NOT_SENT = new Set([
  ...NOT_TRUSTED,
  "ECONNREFUSED",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "ENOTFOUND",
  "EAI_AGAIN",
  "ETIMEDOUT",
]);
const CONNECT_TIMEOUT_MS = 5_000;

/**
 * Sends requests over kept-alive connections.
 *
 * @throws ParasausError `Usage` when `servers` is empty or holds something that is no http or https URL
 */
export function createNodeTransport(options: NodeTransportOptions): NodeTransport {
  const servers = options.servers.map(parseServer);
  if (servers.length === 0) throw new ParasausError("Usage", "Cannot reach a server: no URL is given");
  const agents = createAgents(options.tls ?? (() => NO_TLS));
  let current = 0;
  const leaveServer = (): void => {
    current = (current + 1) % servers.length;
  };

  const send = async (asked: TransportRequest): Promise<TransportAnswer> => {
    const request = { ...asked, headers: { ...asked.headers, ...options.headers } };
    let failure: unknown;
    for (let offset = 0; offset < servers.length; offset += 1) {
      const index = (current + offset) % servers.length;
      const server = servers[index] as URL;
      try {
        const answer = await sendWithRetry(server, agents.for(server), request);
        current = index;
        return answer;
      } catch (cause) {
        failure = describeFailure(cause, server, request);
        if (request.signal.aborted || !NOT_SENT.has(codeOf(cause))) break;
      }
    }
    // The next request begins elsewhere: a server may accept connections and still answer none.
    if (!request.signal.aborted) leaveServer();
    throw failure;
  };

  return {
    send,
    leaveServer,
    currentServer: () => (servers[current] as URL).href.replace(/\/$/, ""),
    [Symbol.dispose]: () => agents[Symbol.dispose](),
  };
}

function parseServer(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol === "http:" || url?.protocol === "https:") return url;
  throw new ParasausError("Usage", `Cannot use "${text}" as a server: it is no http or https URL`);
}

const NO_TLS: ClientTls = {};

interface Agents extends Disposable {
  readonly for: (server: URL) => http.Agent;
}

/** Kept-alive connections. Those over TLS that show what is shown no more end with their requests. */
function createAgents(tls: () => ClientTls): Agents {
  const plain = new http.Agent({ keepAlive: true });
  let shown = tls();
  let secure = new https.Agent({ keepAlive: true, ...shown });
  const secureNow = (): https.Agent => {
    const next = tls();
    if (next === shown) return secure;
    retire(secure);
    shown = next;
    secure = new https.Agent({ keepAlive: true, ...shown });
    return secure;
  };
  return {
    for: ({ protocol }) => (protocol === "https:" ? secureNow() : plain),
    [Symbol.dispose]: () => {
      plain.destroy();
      secure.destroy();
    },
  };
}

/** Ends what is idle; what is in use is not kept afterwards. */
function retire(agent: https.Agent): void {
  agent.maxFreeSockets = 0;
  for (const sockets of Object.values(agent.freeSockets))
    for (const socket of sockets ?? []) socket.destroy();
}

/** A kept-alive connection may be closed by the server just as it is used again; a read is then simply repeated. */
async function sendWithRetry(
  server: URL,
  agent: http.Agent,
  request: TransportRequest,
): Promise<TransportAnswer> {
  try {
    return await sendOnce(server, agent, request);
  } catch (failure) {
    const mayRepeat = request.method === "GET" && codeOf(failure) === "ECONNRESET" && !request.signal.aborted;
    if (!mayRepeat) throw failure;
    return await sendOnce(server, agent, request);
  }
}

function sendOnce(server: URL, agent: http.Agent, request: TransportRequest): Promise<TransportAnswer> {
  const { request: begin } = server.protocol === "https:" ? https : http;
  const length = request.body === undefined ? {} : { "content-length": Buffer.byteLength(request.body) };
  const outgoing = begin(new URL(request.path, server), {
    method: request.method,
    agent,
    signal: request.signal,
    headers: { ...request.headers, ...length },
  });
  return new Promise((resolve, reject) => {
    outgoing.once("socket", (socket) => limitConnect(socket, outgoing));
    // Stays on: a request that is given up fails again while its answer arrives, which the answer's reader learns.
    outgoing.on("error", reject);
    outgoing.once("response", (response) => resolve(answerOf(response)));
    outgoing.end(request.body);
  });
}

function answerOf(response: http.IncomingMessage): TransportAnswer {
  return {
    status: response.statusCode ?? 0,
    header: (name) => [response.headers[name] ?? []].flat().join(", ") || undefined,
    body: response,
  };
}

function limitConnect(socket: NodeJS.Socket & { connecting?: boolean }, outgoing: http.ClientRequest): void {
  if (!socket.connecting) return;
  const timer = setTimeout(() => {
    outgoing.destroy(Object.assign(new Error("connecting took too long"), { code: "ETIMEDOUT" }));
  }, CONNECT_TIMEOUT_MS);
  const stop = (): void => clearTimeout(timer);
  socket.once(socket instanceof TLSSocket ? "secureConnect" : "connect", stop);
  socket.once("close", stop);
}

function describeFailure(cause: unknown, server: URL, request: TransportRequest): unknown {
  if (request.signal.aborted) return request.signal.reason;
  const advice = UNKNOWN_AUTHORITY.test(codeOf(cause))
    ? "; name the authority that its certificate comes from with --ca"
    : "";
  const reason = cause instanceof Error ? (cause.message || codeOf(cause)) + advice : String(cause);
  const isWrite = request.method !== "GET" && !NOT_SENT.has(codeOf(cause));
  const outcome = isWrite ? " before it answered; whether the change was made is not known" : "";
  return new ParasausError("Unavailable", `Cannot reach the server ${server.origin}: ${reason}${outcome}`, {
    cause,
  });
}

/** The errno of a failure; of several addresses that failed, the first's. */
function codeOf(failure: unknown): string {
  const first = failure instanceof AggregateError ? failure.errors[0] : failure;
  return first instanceof Error && "code" in first ? String(first.code) : "";
}
