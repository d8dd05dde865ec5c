import type { FastifyInstance, FastifyRequest } from "fastify";
import { ParasausError } from "../../foundation/index.ts";
import type { AccessRequest } from "./access-request.ts";
import { authorize } from "./authorize.ts";
import type { Identity } from "./identity.ts";

/** What a page repeats the session's `csrfToken` in. */
const CSRF_HEADER = "x-csrf-token";

declare module "fastify" {
  interface FastifyRequest {
    /** Who asks. */
    identity: Identity;
    /** Told when the request is refused. */
    onRefused: RefusalListener | undefined;
  }

  interface FastifyContextConfig {
    /** Kubernetes' verb, or `refused`; absent where the route serves no objects. */
    verb?: string;
    /** Plural, for metrics. */
    resource?: string;
    /** `pools.parasaus.io/status`, for access. */
    access?: string;
  }
}

/** Told of each request that is refused, before it is answered. */
export type RefusalListener = (refused: RefusedRequest) => Promise<void>;

/** A request that may not be, who asked and what for. */
export interface RefusedRequest {
  readonly identity: Identity;
  readonly access: AccessRequest;
  /** Why, as the client is told. */
  readonly message: string;
  /** IP address that it came from. */
  readonly source: string;
}

/** How a server decides. */
export interface AccessGuard {
  readonly identify: (request: FastifyRequest) => Identity | Promise<Identity>;
  readonly onRefused?: RefusalListener;
}

/** Decides every request of the server before its body is read; what is refused never reaches its handler. */
export function guardAccess(app: FastifyInstance, { identify, onRefused }: AccessGuard): void {
  app.decorateRequest("identity");
  app.decorateRequest("onRefused", onRefused);
  app.addHook("onRequest", async (request) => {
    request.identity = await identify(request);
    await refuseForgery(request);
    await decide(request, accessOf(request));
  });
}

/** Whether what is being answered would still be allowed if it was asked now, by who asks as he is known now. */
export function isStillAllowed(request: FastifyRequest, identity: Identity): boolean {
  return authorize(identity, accessOf(request)).kind === "allowed";
}

/**
 * Decides about one object that a request names in its body.
 *
 * @throws ParasausError `Forbidden`
 */
export function permitObject(
  request: FastifyRequest,
  access: Extract<AccessRequest, { readonly kind: "object" }>,
): Promise<void> {
  return decide(request, access);
}

/** Whether the identity behind a request may do something with an object; leaves no record. */
export function mayDo(
  { identity }: FastifyRequest,
  access: Extract<AccessRequest, { readonly kind: "object" }>,
): boolean {
  return authorize(identity, access).kind === "allowed";
}

/**
 * Decides a create once more, with the name that its body gives to the object.
 *
 * @throws ParasausError `Forbidden`
 */
export async function permitName(request: FastifyRequest, name: string | undefined): Promise<void> {
  const access = accessOf(request);
  if (access.kind === "object") await decide(request, { ...access, name: name ?? "" });
}

async function decide(request: FastifyRequest, access: AccessRequest): Promise<void> {
  const decision = authorize(request.identity, access);
  if (decision.kind === "allowed") return;
  await refuse(request, access, decision.code, decision.message);
}

async function refuse(
  request: FastifyRequest,
  access: AccessRequest,
  code: "Unauthorized" | "Forbidden",
  message: string,
): Promise<never> {
  await request.onRefused?.({ identity: request.identity, access, message, source: request.ip });
  throw new ParasausError(code, message, detailsOf(access));
}

/** A browser sends the cookie along whatever page makes it ask; only a page of ours knows the header's value. */
async function refuseForgery(request: FastifyRequest): Promise<void> {
  const { identity, method, headers } = request;
  if (identity.kind !== "account" || identity.credential.kind !== "session") return;
  const { csrfToken } = identity.credential;
  if (csrfToken === undefined) return;
  if (headers.origin !== undefined && !isOwnOrigin(headers.origin, headers.host)) {
    const message = `Cannot answer the page of "${headers.origin}": it is not this server's`;
    await refuse(request, accessOf(request), "Forbidden", message);
  }
  if (method === "GET" || method === "HEAD" || headers[CSRF_HEADER] === csrfToken) return;
  const message = `Cannot ${method} with a session's cookie alone: the header ${CSRF_HEADER} lacks the session's csrfToken`;
  await refuse(request, accessOf(request), "Forbidden", message);
}

function isOwnOrigin(origin: string, host: string | undefined): boolean {
  return URL.canParse(origin) && new URL(origin).host === host?.toLowerCase();
}

/** What a request asks for, from the route that serves it. */
function accessOf(request: FastifyRequest): AccessRequest {
  const { verb, access } = request.routeOptions.config;
  const { namespace, name, node } = request.params as Readonly<Record<string, string | undefined>>;
  if (verb === undefined || access === undefined) {
    const route = `${request.method} ${request.routeOptions.url ?? request.url.replace(/\?.*$/, "")}`;
    return {
      ...{ kind: "route", route },
      ...(node === undefined ? {} : { node }),
      ...(namespace === undefined ? {} : { namespace }),
    };
  }
  return {
    kind: "object",
    verb: verb === "list" && isWatch(request) ? "watch" : verb,
    resource: access,
    ...(namespace === undefined ? {} : { namespace }),
    ...(name === undefined ? {} : { name }),
  };
}

/** Reading a list and watching it are allowed together everywhere; the difference is for the message. */
function isWatch({ query }: FastifyRequest): boolean {
  return "watch" in (query as object);
}

function detailsOf(access: AccessRequest): ConstructorParameters<typeof ParasausError>[2] {
  if (access.kind === "route") return {};
  const [kind = "", ...group] = access.resource.replace(/\/.*$/, "").split(".");
  return { object: { group: group.join("."), kind, name: access.name ?? "" } };
}
