import type { AccessRequest } from "./access-request.ts";
import { mayAccount } from "./account-rules.ts";
import type { Identity } from "./identity.ts";

/** Whether a request is allowed. */
export type Decision =
  | { readonly kind: "allowed" }
  /** `Unauthorized`: nobody known asks; `Forbidden`: who asks is known and may not. */
  | { readonly kind: "refused"; readonly code: "Unauthorized" | "Forbidden"; readonly message: string };

/** What anybody may ask: whether the server is well, who vouches for it, and to be let in. */
const OPEN_ROUTES: readonly string[] = [
  ...["livez", "readyz", "healthz"].flatMap((probe) => [`GET /${probe}`, `HEAD /${probe}`]),
  "GET /internal/v1/authority",
  "POST /internal/v1/enrolments",
  "GET /api/login",
  // The console's files hold nothing of this server; what they show is asked for by whoever has logged in.
  ...["GET /", "GET /console", "GET /console/*", "HEAD /console/*"],
  "POST /api/login",
  "GET /api/oidc/login",
  "GET /api/oidc/callback",
  "POST /api/first-administrator",
];

/** What each node may read of all objects. */
const READ_BY_NODES: readonly string[] = ["pools.parasaus.io", "addresspools.parasaus.io", "namespaces"];

/** What a node may do with the one Node that has its name. */
const OWN_NODE: Readonly<Record<string, readonly string[]>> = {
  "nodes.parasaus.io": ["get", "create", "update", "patch"],
  "nodes.parasaus.io/status": ["get", "update", "patch"],
};

/** Routes that a node may use in its own name. */
const OWN_ROUTES: readonly string[] = [
  "GET /internal/v1/nodes/:node/requests",
  "POST /internal/v1/nodes/:node/answers/:id",
  "POST /internal/v1/nodes/:node/certificates",
];

const ALLOWED: Decision = { kind: "allowed" };

/** Decides every request, in this one place. What no rule allows is refused. */
export function authorize(identity: Identity, request: AccessRequest): Decision {
  if (identity.kind === "operator") return ALLOWED;
  if (request.kind === "route" && OPEN_ROUTES.includes(request.route)) return ALLOWED;
  if (identity.kind === "stranger") {
    const message = `Cannot answer a stranger: ${identity.reason}`;
    return { kind: "refused", code: "Unauthorized", message };
  }
  const isAllowed =
    identity.kind === "node" ? mayNode(identity.name, request) : mayAccount(identity, request);
  if (isAllowed) return ALLOWED;
  const who = identity.kind === "node" ? `the node "${identity.name}"` : `the account "${identity.name}"`;
  return { kind: "refused", code: "Forbidden", message: forbidden(who, request) };
}

function mayNode(own: string, request: AccessRequest): boolean {
  if (request.kind === "route") return OWN_ROUTES.includes(request.route) && request.node === own;
  const { verb, resource, name } = request;
  if (READ_BY_NODES.includes(resource)) return ["get", "list", "watch"].includes(verb);
  // The name of what is created stands in the body: the request is decided once before that is read, and once after.
  const isOwn = name === own || (verb === "create" && name === undefined);
  return isOwn && (OWN_NODE[resource] ?? []).includes(verb);
}

/** In Kubernetes' words, which its clients and their users know. */
function forbidden(user: string, request: AccessRequest): string {
  if (request.kind === "route") return `Cannot ${request.route}: ${user} may not`;
  const { verb, resource, namespace, name } = request;
  const object = name === undefined || name === "" ? resource : `${resource} "${name}"`;
  const place = namespace === undefined ? "" : ` in the namespace "${namespace}"`;
  return `${object} is forbidden: ${user} cannot ${verb} ${resource}${place}`;
}
