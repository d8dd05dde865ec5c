import type { FastifyInstance, FastifyRequest } from "fastify";
import { ParasausError } from "../../foundation/index.ts";
import { type AccessRequest, authorize } from "./authorize.ts";
import type { Identity } from "./identity.ts";

declare module "fastify" {
  interface FastifyRequest {
    /** Who asks. */
    identity: Identity;
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

/** Decides every request of the server before its body is read; what is refused never reaches its handler. */
export function guardAccess(app: FastifyInstance, identityOf: (request: FastifyRequest) => Identity): void {
  app.decorateRequest("identity");
  app.addHook("onRequest", async (request) => {
    request.identity = identityOf(request);
    decide(request, accessOf(request));
  });
}

/**
 * Decides a create once more, with the name that its body gives to the object.
 *
 * @throws ParasausError `Forbidden`
 */
export function permitName(request: FastifyRequest, name: string | undefined): void {
  const access = accessOf(request);
  if (access.kind === "object") decide(request, { ...access, name: name ?? "" });
}

function decide(request: FastifyRequest, access: AccessRequest): void {
  const decision = authorize(request.identity, access);
  if (decision.kind === "allowed") return;
  throw new ParasausError(decision.code, decision.message, detailsOf(access));
}

/** What a request asks for, from the route that serves it. */
function accessOf(request: FastifyRequest): AccessRequest {
  const { verb, access } = request.routeOptions.config;
  const { namespace, name, node } = request.params as Readonly<Record<string, string | undefined>>;
  if (verb === undefined || access === undefined) {
    const route = `${request.method} ${request.routeOptions.url ?? request.url.replace(/\?.*$/, "")}`;
    return { kind: "route", route, ...(node === undefined ? {} : { node }) };
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
