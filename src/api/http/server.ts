import { isIP } from "node:net";
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from "fastify";
import { type Logger, ParasausError } from "../../foundation/index.ts";
import { addHealthRoutes, type HealthChecks } from "./health.ts";
import { failureStatus, toRefusal } from "./status.ts";

const BODY_LIMIT_BYTES = 3 * 1024 * 1024;
const HEADERS_TIMEOUT_MS = 10_000;
const REQUEST_TIMEOUT_MS = 30_000;
const KEEP_ALIVE_TIMEOUT_MS = 75_000;
// Running requests may end within this time; then their connections are cut.
const CLOSE_DEADLINE_MS = 3_000;
const MAX_CONNECTIONS = 10_000;

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
  /** Adds routes, e.g. {@link createKubeApi}'s. */
  readonly routes: readonly ((app: FastifyInstance) => void)[];
  /** Longest wait for a request's headers, milliseconds. Default 10,000. */
  readonly headersTimeoutMs?: number;
  /** Longest wait for a whole request, milliseconds. Default 30,000. */
  readonly requestTimeoutMs?: number;
}

/** A listening HTTP server. Disposing ends open watches and waits for running requests. */
export interface HttpServer extends AsyncDisposable {
  /** `http://127.0.0.1:6780`. */
  readonly url: string;
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
  const app = buildApp(options, address);
  let url: string;
  try {
    url = await app.listen({ host: address.host, port: address.port });
  } catch (cause) {
    await app.close();
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new ParasausError("Unavailable", `Cannot listen on ${address.host}:${address.port}: ${reason}`, {
      cause,
    });
  }
  options.logger.info("API listens", { url });
  return { url, [Symbol.asyncDispose]: () => closeGracefully(app) };
}

async function closeGracefully(app: FastifyInstance): Promise<void> {
  const cut = setTimeout(() => app.server.closeAllConnections(), CLOSE_DEADLINE_MS);
  try {
    await app.close();
  } finally {
    clearTimeout(cut);
  }
}

function buildApp(options: HttpServerOptions, address: ListenAddress): FastifyInstance {
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
  const hostNames = options.hostNames ?? (isLoopback(address.host) ? [] : undefined);
  if (hostNames) app.addHook("onRequest", async (request) => refuseForeignHost(request, hostNames));
  app.addHook("onResponse", async (request, reply) => observe(request, reply, options));
  app.setErrorHandler((failure, request, reply) => answerFailure(failure, request, reply, options.logger));
  app.setNotFoundHandler((_request, reply) => {
    reply
      .code(404)
      .send(failureStatus(new ParasausError("NotFound", "the server could not find the requested resource")));
  });
  addHealthRoutes(app, options.health);
  addVersionAndMetrics(app, options);
  for (const add of options.routes) add(app);
  return app;
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

function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || host.startsWith("127.");
}

/** A page on the Internet whose name resolves to our address must not reach us through a browser (DNS rebinding). */
function refuseForeignHost(request: FastifyRequest, hostNames: readonly string[]): void {
  const name = request.hostname.replace(/^\[|\]$/g, "").toLowerCase();
  const isOurs = name === "" || name === "localhost" || isIP(name) !== 0 || hostNames.includes(name);
  if (!isOurs) {
    throw new ParasausError(
      "Forbidden",
      `Cannot answer for the host "${name}": it is not a name of this server`,
    );
  }
}

function answerFailure(failure: unknown, request: FastifyRequest, reply: FastifyReply, logger: Logger): void {
  const refusal = toRefusal(failure);
  if (refusal.code === "Internal") {
    logger.error("request failed", { method: request.method, path: request.url, error: failure });
  }
  const status = failureStatus(refusal);
  if (refusal.code === "TooLarge") reply.header("connection", "close");
  if (refusal.retryAfterSeconds !== undefined) reply.header("retry-after", String(refusal.retryAfterSeconds));
  reply.code(status.code).type("application/json").send(status);
}

function observe(request: FastifyRequest, reply: FastifyReply, options: HttpServerOptions): void {
  const { verb = request.method.toLowerCase(), resource = "" } = request.routeOptions.config as {
    verb?: string;
    resource?: string;
  };
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
