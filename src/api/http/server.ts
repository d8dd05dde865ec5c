import { createServer, isIPv6, type Server } from "node:net";
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from "fastify";
import { ERROR_CODES, type Logger, ParasausError } from "../../foundation/index.ts";
import { type Credentials, credentialsIn } from "../access/credentials.ts";
import {
  type Identity,
  identify,
  isLoopbackAddress,
  type RevocationLookup,
  type Trust,
} from "../access/identity.ts";
import { guardAccess, type RefusalListener } from "../access/permit.ts";
import { isPlainPath } from "../rest/open-api.ts";
import { type Connections, isLoopback, knowConnections } from "./connection-facts.ts";
import { addHealthRoutes, type HealthChecks } from "./health.ts";
import { refuseForeignPage } from "./host-guard.ts";
import { knowOpenRequests, type OpenRequests } from "./open-requests.ts";
import { failureProblem, failureStatus, toRefusal } from "./status.ts";
import { speakTls, type TlsMaterial, type TlsPort } from "./tls-port.ts";

const BODY_LIMIT_BYTES = 3 * 1024 * 1024;
const HEADERS_TIMEOUT_MS = 10_000;
const REQUEST_TIMEOUT_MS = 30_000;
const KEEP_ALIVE_TIMEOUT_MS = 75_000;
// Running requests may end within this time; then their connections are cut.
const CLOSE_DEADLINE_MS = 3_000;
const MAX_CONNECTIONS = 10_000;
const LOCAL_HOST = "127.0.0.1";

/** One answered request, for metrics. Labels are few: never names of objects. */
export interface RequestObservation {
  readonly method: string;
  /** `get`, `list`, `watch`, `create` …; the HTTP method for what is no resource. */
  readonly verb: string;
  /** Plural of the resource, or the empty string. */
  readonly resource: string;
  /** HTTP status code. */
  readonly code: number;
  /** From the request's first byte to the answer's last, milliseconds. */
  readonly durationMs: number;
}

/** What the HTTP server serves besides the routes that are added to it. */
export interface HttpServerOptions {
  readonly logger: Logger;
  /** Version of the program, for `/version`. */
  readonly version: string;
  readonly health: HealthChecks;
  /** Text in Prometheus' format, for `/metrics`. */
  readonly metrics: () => Promise<{ readonly contentType: string; readonly body: string }>;
  /** Called after every request. */
  readonly onResponse?: (observation: RequestObservation) => void;
  /**
   * Host names, besides IP addresses and `localhost`, by which clients may call the server. Absent: on loopback none, so
   * that a page on the Internet cannot rebind its own name to us; elsewhere any.
   */
  readonly hostNames?: readonly string[];
  /** Names by which this machine's clients may call the server as well, where `hostNames` is absent. Default none. */
  readonly localNames?: () => readonly string[];
  /**
   * Speak TLS. Plain HTTP is served then on loopback addresses only, where the server listens too, so that this machine's
   * operators reach it; with `permitsPlain` everywhere. Absent: plain HTTP alone.
   */
  readonly tls?: TlsMaterial;
  /** Plain HTTP is served off loopback too. Default false. */
  readonly permitsPlain?: boolean;
  /** From where whoever shows nothing is an operator. Default `loopback`. */
  readonly believes?: Trust;
  /** Who shows a token or a session; undefined: nobody that is known. Default: nobody is. */
  readonly authenticate?: Authenticate;
  /** Told of each request that is refused because of who asks, before it is answered. */
  readonly onRefused?: RefusalListener;
  /** Whether certificates of a node count no more. Default: all do. */
  readonly isRevoked?: RevocationLookup;
  /** Wall clock, for the ends of client certificates. Default: the machine's. */
  readonly now?: () => Date;
  /** Adds routes, e.g. {@link createKubeApi}'s. */
  readonly routes: readonly ((app: FastifyInstance) => void)[];
  /** Longest wait for a request's headers, milliseconds. Default 10,000. */
  readonly headersTimeoutMs?: number;
  /** Longest wait for a whole request, milliseconds. Default 30,000. */
  readonly requestTimeoutMs?: number;
}

/** Who shows a token or a session. */
export type Authenticate = (
  credentials: Credentials,
  isLoopback: boolean,
) => Promise<Identity | undefined> | Identity | undefined;

/** A listening HTTP server. Disposing ends open watches and waits for running requests. */
export interface HttpServer extends AsyncDisposable {
  /** `http://127.0.0.1:6780`: for this machine, where that is possible without TLS. */
  readonly url: string;
  /** Port that it listens on. */
  readonly port: number;
  /** Every route there is, as `GET /apis`, in order. */
  readonly routes: readonly string[];
  /** New connections see another certificate from now on. Throws when it does not go with its key. */
  readonly useTls: (material: TlsMaterial) => void;
  /** Ends the connections of nodes whose certificate counts no more, with the streams on them. */
  readonly endRevoked: () => void;
  /** Ends what accounts have open and may no more, as who they are now. */
  readonly endRefused: OpenRequests["endRefused"];
}

/** Where to listen. */
export interface ListenAddress {
  readonly host: string;
  /** 0 picks a free port. */
  readonly port: number;
}

/**
 * Builds the HTTP server and listens.
 *
 * @throws ParasausError `Unavailable` when the address is taken or not ours
 */
export async function createHttpServer(
  options: HttpServerOptions,
  address: ListenAddress,
): Promise<HttpServer> {
  const { now = () => new Date(), isRevoked = () => false } = options;
  const connections = knowConnections(now);
  const { app, routes, open } = buildApp(options, connections);
  const tls = options.tls && speakTls(app.server, tlsPortOptions(options, options.tls, address));
  let local: Server | undefined;
  try {
    await app.listen({ host: address.host, port: address.port });
    const { port } = app.server.address() as { port: number };
    if (tls && !coversLoopback(address.host)) local = await listenLocally(app, port);
    const url = tls ? `http://${LOCAL_HOST}:${port}` : `http://${inUrl(address.host)}:${port}`;
    options.logger.info("API listens", { host: address.host, port, tls: tls !== undefined });
    return {
      url,
      port,
      routes,
      useTls: (material) => tls?.use(material),
      endRevoked: () =>
        connections.endUnless(
          ({ nodeName, enrolment }) => nodeName === undefined || !isRevoked(nodeName, enrolment),
        ),
      endRefused: open.endRefused,
      [Symbol.asyncDispose]: () => closeGracefully(app, tls, local),
    };
  } catch (cause) {
    await closeGracefully(app, tls, local);
    if (cause instanceof ParasausError) throw cause;
    throw listenFailure(cause, address);
  }
}

function tlsPortOptions(
  { permitsPlain = false }: HttpServerOptions,
  material: TlsMaterial,
  { host, port }: ListenAddress,
): Parameters<typeof speakTls>[1] {
  const message = `Cannot answer plain HTTP on ${inUrl(host)}${port === 0 ? "" : `:${port}`}: use https`;
  return {
    material,
    isPlainPermitted: (socket) => permitsPlain || isLoopback(socket),
    refusal: failureStatus(new ParasausError("BadRequest", message)),
  };
}

function coversLoopback(host: string): boolean {
  return host === "localhost" || host === "0.0.0.0" || host === "::" || isLoopbackAddress(host);
}

/** Operators and the agent of this machine reach the server on its loopback, wherever else it listens. */
async function listenLocally(app: FastifyInstance, port: number): Promise<Server> {
  const local = createServer({ allowHalfOpen: true, noDelay: true }, (socket) =>
    app.server.emit("connection", socket),
  );
  local.maxConnections = MAX_CONNECTIONS;
  await new Promise<void>((resolve, reject) => {
    local.once("error", (cause) => reject(listenFailure(cause, { host: LOCAL_HOST, port })));
    local.listen(port, LOCAL_HOST, resolve);
  });
  return local;
}

function listenFailure(cause: unknown, { host, port }: ListenAddress): ParasausError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new ParasausError("Unavailable", `Cannot listen on ${host}:${port}: ${reason}`, { cause });
}

function inUrl(host: string): string {
  return isIPv6(host) ? `[${host}]` : host;
}

async function closeGracefully(
  app: FastifyInstance,
  tls: TlsPort | undefined,
  local: Server | undefined,
): Promise<void> {
  const cut = setTimeout(() => app.server.closeAllConnections(), CLOSE_DEADLINE_MS);
  local?.close();
  tls?.endPending();
  try {
    await app.close();
  } finally {
    clearTimeout(cut);
  }
}

function buildApp(
  options: HttpServerOptions,
  connections: Connections,
): {
  readonly app: FastifyInstance;
  readonly routes: readonly string[];
  readonly open: OpenRequests;
} {
  const app = fastify({
    logger: false,
    bodyLimit: BODY_LIMIT_BYTES,
    exposeHeadRoutes: false,
    forceCloseConnections: "idle",
    keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS,
    requestTimeout: options.requestTimeoutMs ?? REQUEST_TIMEOUT_MS,
    routerOptions: { maxParamLength: 512 },
    http: {
      headersTimeout: options.headersTimeoutMs ?? HEADERS_TIMEOUT_MS,
      connectionsCheckingInterval: 1_000,
    },
    frameworkErrors: (failure, request, reply) => answerFailure(failure, request, reply, options.logger),
  });
  app.server.maxConnections = MAX_CONNECTIONS;
  app.removeAllContentTypeParsers();
  app.addContentTypeParser("*", { parseAs: "buffer" }, (_request, body, done) => done(null, body));
  const routes: string[] = [];
  app.addHook("onRoute", ({ method, url }) => {
    for (const each of [method].flat()) routes.push(`${each} ${url}`);
  });
  guard(app, options, connections);
  const open = knowOpenRequests(app);
  app.addHook("onResponse", async (request, reply) => observe(request, reply, options));
  app.setErrorHandler((failure, request, reply) => answerFailure(failure, request, reply, options.logger));
  app.setNotFoundHandler((request, reply) => {
    send(new ParasausError("NotFound", "the server could not find the requested resource"), request, reply);
  });
  addHealthRoutes(app, options.health);
  addVersionAndMetrics(app, options);
  for (const add of options.routes) add(app);
  return { app, routes, open };
}

/** Who asks, and whether he may, before anything else is looked at. */
function guard(app: FastifyInstance, options: HttpServerOptions, connections: Connections): void {
  const { hostNames, localNames = () => [], believes = "loopback", now = () => new Date() } = options;
  guardAccess(app, {
    ...(options.onRefused ? { onRefused: options.onRefused } : {}),
    identify: (request) => {
      const facts = connections.factsOf(request.raw.socket);
      const names = hostNames ?? (facts.isLoopback ? localNames() : undefined);
      if (names) refuseForeignPage(request, names);
      const shown = identify(facts, believes, now(), options.isRevoked);
      const credentials = facts.certificate ? undefined : credentialsIn(request.headers);
      if (!credentials || !options.authenticate) return shown;
      return knownOr(shown, options.authenticate(credentials, facts.isLoopback));
    },
  });
}

/** Who shows something that is good for nothing is no more than who shows nothing, and is told so. */
async function knownOr(shown: Identity, asking: ReturnType<Authenticate>): Promise<Identity> {
  const known = await asking;
  if (known) return known;
  if (shown.kind !== "stranger") return shown;
  return { kind: "stranger", reason: "the session or token is not known here, or has ended; log in again" };
}

function addVersionAndMetrics(app: FastifyInstance, options: HttpServerOptions): void {
  const [major = "0", minor = "0"] = options.version.split(".");
  app.get("/version", () => ({
    major,
    minor,
    gitVersion: `v${options.version}`,
    gitCommit: "",
    gitTreeState: "",
    buildDate: "",
    goVersion: "",
    compiler: `node ${process.version}`,
    platform: `${process.platform}/${process.arch}`,
  }));
  app.get("/metrics", async (_request, reply) => {
    const { contentType, body } = await options.metrics();
    reply.type(contentType);
    return body;
  });
}

function answerFailure(failure: unknown, request: FastifyRequest, reply: FastifyReply, logger: Logger): void {
  const refusal = toRefusal(failure);
  if (refusal.code === "Internal") {
    logger.error("request failed", { method: request.method, path: request.url, error: failure });
  }
  if (refusal.code === "TooLarge") reply.header("connection", "close");
  if (refusal.retryAfterSeconds !== undefined) reply.header("retry-after", String(refusal.retryAfterSeconds));
  send(refusal, request, reply);
}

/** Kubernetes' clients read a Status; under /api, where they do not ask, it is a problem. */
function send(refusal: ParasausError, request: FastifyRequest, reply: FastifyReply): void {
  const isPlain = isPlainPath(request.url.replace(/\?.*$/, ""));
  reply
    .code(ERROR_CODES[refusal.code].http)
    .type(isPlain ? "application/problem+json" : "application/json")
    .send(isPlain ? failureProblem(refusal) : failureStatus(refusal));
}

function observe(request: FastifyRequest, reply: FastifyReply, options: HttpServerOptions): void {
  const { verb = request.method.toLowerCase(), resource = "" } = request.routeOptions.config;
  const durationMs = Math.round(reply.elapsedTime * 1_000) / 1_000;
  const code = reply.raw.statusCode;
  options.onResponse?.({ method: request.method, verb, resource, code, durationMs });
  options.logger.debug("request answered", {
    method: request.method,
    path: request.url,
    verb,
    code,
    durationMs,
  });
}
