import { accountOfToken, type Role } from "../../model/index.ts";
import type { AccessRequest } from "./access-request.ts";
import { isAtLeast, roleIn } from "./grants.ts";
import type { AccountIdentity } from "./identity.ts";

type ObjectRequest = Extract<AccessRequest, { readonly kind: "object" }>;
type RouteRequest = Extract<AccessRequest, { readonly kind: "route" }>;

const READING: readonly string[] = ["get", "list", "watch"];
const CHANGING: readonly string[] = ["create", "update", "patch", "delete", "deletecollection"];

/** What role it takes to read and to change the objects of a kind; absent: nobody may, or a rule of its own says who. */
interface Needed {
  readonly read: Role;
  readonly change?: Role;
}

const IN_NAMESPACES: Readonly<Record<string, Needed>> = {
  "pools.parasaus.io": { read: "viewer", change: "operator" },
  "pools.parasaus.io/status": { read: "viewer", change: "admin" },
  services: { read: "viewer", change: "operator" },
  "services/status": { read: "viewer", change: "admin" },
  endpoints: { read: "viewer", change: "operator" },
  events: { read: "viewer" },
  "rolebindings.parasaus.io": { read: "admin", change: "admin" },
};

/** Of the whole cluster: only what an account may do everywhere counts. */
const IN_CLUSTER: Readonly<Record<string, Needed>> = {
  "addresspools.parasaus.io": { read: "viewer", change: "admin" },
  "addresspools.parasaus.io/status": { read: "viewer", change: "admin" },
  "nodes.parasaus.io": { read: "viewer", change: "admin" },
  "nodes.parasaus.io/status": { read: "viewer", change: "admin" },
  "operations.parasaus.io": { read: "viewer" },
  namespaces: { read: "viewer", change: "admin" },
  "namespaces/status": { read: "viewer", change: "admin" },
  "accounts.parasaus.io": { read: "admin", change: "admin" },
  "apitokens.parasaus.io": { read: "admin", change: "admin" },
};

/** Routes for every account: what they tell is no secret, or they decide for each object by {@link mayAccount} again. */
const FOR_ACCOUNTS: readonly string[] = [
  "GET /api",
  "GET /apis",
  "GET /api/v1",
  "GET /apis/parasaus.io",
  "GET /apis/parasaus.io/v1",
  "GET /openapi/v2",
  "GET /openapi/v3",
  "GET /openapi/v3/api/v1",
  "GET /openapi/v3/apis/parasaus.io/v1",
  "GET /version",
  "GET /api/whoami",
  "POST /api/logout",
  "GET /api/console/pools",
  "GET /api/console/accounts",
  "GET /api/console/overview",
  "GET /api/console/health",
  "GET /api/console/operations",
  "GET /api/console/operations/:name",
  "GET /api/operations",
  "GET /api/history",
  "GET /api/last-operations",
  "GET /api/openapi.json",
  "GET /api/docs",
  "GET /api/objects/:kind",
  "GET /api/objects/:kind/:name",
  "PUT /api/objects/:kind/:name",
  "DELETE /api/objects/:kind/:name",
  "POST /api/plan",
  "POST /api/apply",
  "GET /api/confirmations",
  "POST /api/confirmations/:id",
  "POST /api/rollback",
  "GET /api/tokens",
];

/** Routes for whoever has logged in: a token that is limited must not make itself one that is not. */
const FOR_SESSIONS: readonly string[] = ["POST /api/password", "POST /api/tokens"];

/** Routes that take a role: in the namespace that they name, else everywhere. */
const BY_ROLE: Readonly<Record<string, Role>> = {
  "GET /metrics": "viewer",
  "GET /api/console/nodes": "viewer",
  "GET /api/console/addresses": "viewer",
  "GET /api/console/addresses/:name": "viewer",
  "GET /api/console/pools/:namespace/:name": "viewer",
  "POST /api/console/pools/:namespace/:name/probe": "operator",
  "GET /internal/v1/agents": "viewer",
  "GET /internal/v1/servers": "viewer",
  "POST /internal/v1/explain": "viewer",
  "GET /internal/v1/pools/:namespace/:name/traffic": "viewer",
  "GET /internal/v1/backup": "admin",
  "POST /internal/v1/tokens": "admin",
  "POST /internal/v1/nodes/:node/revocation": "admin",
  "POST /api/accounts/:name/password": "admin",
  "POST /api/tokens": "admin",
};

/** Whether an account may do what is asked. */
export function mayAccount(identity: AccountIdentity, request: AccessRequest): boolean {
  return request.kind === "route" ? mayUseRoute(identity, request) : mayTouch(identity, request);
}

function mayTouch(identity: AccountIdentity, request: ObjectRequest): boolean {
  const { verb, resource, namespace, name } = request;
  if (isOwn(identity, request)) return true;
  const isNamespaced = resource in IN_NAMESPACES;
  const needed = isNamespaced ? IN_NAMESPACES[resource] : IN_CLUSTER[resource];
  const wanted = READING.includes(verb) ? needed?.read : CHANGING.includes(verb) ? needed?.change : undefined;
  if (wanted === undefined) return false;
  // Whoever may look into a namespace may know that there is one.
  const looksAtNamespace = resource === "namespaces" && verb === "get";
  const place = isNamespaced ? namespace : looksAtNamespace ? name : undefined;
  return isAtLeast(roleIn(identity.grants, place), wanted);
}

/** Everybody sees the own account and the own tokens. Only a session ends tokens: one token must not be worth another. */
function isOwn({ name: own, credential }: AccountIdentity, { verb, resource, name }: ObjectRequest): boolean {
  if (name === undefined) return false;
  if (resource === "accounts.parasaus.io") return verb === "get" && name === own;
  if (resource !== "apitokens.parasaus.io" || accountOfToken(name) !== own) return false;
  return verb === "get" || (verb === "delete" && credential.kind === "session");
}

function mayUseRoute({ grants, credential }: AccountIdentity, { route, namespace }: RouteRequest): boolean {
  if (FOR_ACCOUNTS.includes(route)) return true;
  if (FOR_SESSIONS.includes(route) && credential.kind === "session") return true;
  const wanted = BY_ROLE[route];
  return wanted !== undefined && isAtLeast(roleIn(grants, namespace), wanted);
}
