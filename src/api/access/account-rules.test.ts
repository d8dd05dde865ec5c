import { describe, expect, it } from "vitest";
import { DEFINITIONS, type Role } from "../../model/index.ts";
import type { AccessRequest } from "./access-request.ts";
import { authorize } from "./authorize.ts";
import type { Grants } from "./grants.ts";
import type { AccountIdentity } from "./identity.ts";

const SESSION = { kind: "session", id: "0" } as const;
const TOKEN = { kind: "token", name: "ann.ci", id: "1" } as const;
const NOWHERE: Grants = { namespaces: new Map() };
const everywhere = (role: Role): Grants => ({ everywhere: role, namespaces: new Map() });
const inShop = (role: Role): Grants => ({ namespaces: new Map([["shop", role]]) });
const ann = (grants: Grants, credential: AccountIdentity["credential"] = SESSION): AccountIdentity => ({
  kind: "account",
  name: "ann",
  grants,
  credential,
});
const may = (identity: AccountIdentity, request: AccessRequest) =>
  authorize(identity, request).kind === "allowed";

const VERBS = ["get", "list", "watch", "create", "update", "patch", "delete", "deletecollection", "refused"];
const RESOURCES = DEFINITIONS.flatMap(({ group, plural, namespaced, hasStatus }) => {
  const resource = group === "" ? plural : `${plural}.${group}`;
  return [resource, ...(hasStatus ? [`${resource}/status`] : [])].map((each) => ({
    resource: each,
    namespaced,
  }));
});
/** What may be done in a namespace, or with what belongs to the cluster. */
const allowed = (grants: Grants, namespace: string) =>
  RESOURCES.flatMap(({ resource, namespaced }) =>
    VERBS.filter((verb) =>
      may(ann(grants), {
        ...{ kind: "object", verb, resource, name: "x" },
        ...(namespaced ? { namespace } : {}),
      }),
    ).map((verb) => `${verb} ${resource}`),
  ).sort();

const READ = ["get", "list", "watch"];
const CHANGE = ["create", "update", "patch", "delete", "deletecollection"];
const each = (verbs: readonly string[], resources: readonly string[]) =>
  resources.flatMap((resource) => verbs.map((verb) => `${verb} ${resource}`));
const BALANCED = ["pools.parasaus.io", "services", "endpoints"];
const STATUSES = ["pools.parasaus.io/status", "services/status"];
const CLUSTER = ["addresspools.parasaus.io", "nodes.parasaus.io", "namespaces"];
const CLUSTER_STATUSES = CLUSTER.map((resource) => `${resource}/status`);
const ACCOUNTS = ["accounts.parasaus.io", "apitokens.parasaus.io"];

describe("in its namespace", () => {
  it("a viewer reads, and nothing that says who may what", () => {
    expect(allowed(inShop("viewer"), "shop")).toEqual(each(READ, [...BALANCED, ...STATUSES]).sort());
  });

  it("an operator changes pools, Services and Endpoints too, and no status", () => {
    expect(allowed(inShop("operator"), "shop")).toEqual(
      [...each(READ, [...BALANCED, ...STATUSES]), ...each(CHANGE, BALANCED)].sort(),
    );
  });

  it("an administrator says who may what there, too", () => {
    expect(allowed(inShop("admin"), "shop")).toEqual(
      each([...READ, ...CHANGE], [...BALANCED, ...STATUSES, "rolebindings.parasaus.io"]).sort(),
    );
  });

  it("everybody with a role sees that the namespace is there, and no other namespace", () => {
    const look = (name: string): AccessRequest => ({
      kind: "object",
      verb: "get",
      resource: "namespaces",
      name,
    });
    expect([may(ann(inShop("viewer")), look("shop")), may(ann(inShop("admin")), look("bank"))]).toEqual([
      true,
      false,
    ]);
  });
});

describe("elsewhere", () => {
  it.each(["viewer", "operator", "admin"] as const)("%s of another namespace may nothing", (role) => {
    expect(allowed(inShop(role), "bank")).toEqual([]);
    // Nor may he list all namespaces at once, his own among them.
    const all: AccessRequest = { kind: "object", verb: "list", resource: "pools.parasaus.io" };
    expect([may(ann(inShop(role)), all), may(ann(everywhere("viewer")), all)]).toEqual([false, true]);
  });

  it("an account without a role may nothing", () => {
    expect(allowed(NOWHERE, "shop")).toEqual([]);
  });
});

describe("everywhere", () => {
  const readAll = each(READ, [
    ...BALANCED,
    ...STATUSES,
    ...CLUSTER,
    ...CLUSTER_STATUSES,
    "operations.parasaus.io",
  ]);

  it("a viewer reads what there is, the record too", () => {
    expect(allowed(everywhere("viewer"), "any")).toEqual([...readAll].sort());
  });

  it("an operator changes what is in namespaces, and nothing that belongs to the cluster", () => {
    expect(allowed(everywhere("operator"), "any")).toEqual([...readAll, ...each(CHANGE, BALANCED)].sort());
  });

  it("an administrator may everything but change the record", () => {
    const all = [...BALANCED, ...STATUSES, ...CLUSTER, ...CLUSTER_STATUSES, ...ACCOUNTS];
    expect(allowed(everywhere("admin"), "any")).toEqual(
      [
        ...each([...READ, ...CHANGE], [...all, "rolebindings.parasaus.io"]),
        ...each(READ, ["operations.parasaus.io"]),
      ].sort(),
    );
  });
});

describe("of one's own", () => {
  const object = (verb: string, resource: string, name: string): AccessRequest => ({
    ...{ kind: "object", verb, resource, name },
  });

  it("everybody sees the account and the tokens, and nobody else's", () => {
    const seen = ["ann", "bob"].map((name) => may(ann(NOWHERE), object("get", "accounts.parasaus.io", name)));
    const names = ["ann.ci", "bob.ci", "annex.ci", "ann"];
    const tokens = names.map((name) => may(ann(NOWHERE), object("get", "apitokens.parasaus.io", name)));
    expect([seen, tokens]).toEqual([
      [true, false],
      [true, false, false, true],
    ]);
    expect(may(ann(NOWHERE), object("update", "accounts.parasaus.io", "ann"))).toBe(false);
  });

  it("who has logged in makes and ends tokens; a token does not, it would be worth as much as its account", () => {
    const make: AccessRequest = { kind: "route", route: "POST /api/tokens" };
    const end = object("delete", "apitokens.parasaus.io", "ann.other");
    const password: AccessRequest = { kind: "route", route: "POST /api/password" };
    for (const request of [make, end, password])
      expect([may(ann(NOWHERE, SESSION), request), may(ann(NOWHERE, TOKEN), request)]).toEqual([true, false]);
  });
});

it("lets nobody pass for a node, not even an administrator", () => {
  for (const route of [
    "GET /internal/v1/nodes/:node/requests",
    "POST /internal/v1/nodes/:node/answers/:id",
    "POST /internal/v1/nodes/:node/certificates",
    "GET /what/nobody/thought/of",
  ])
    expect([route, may(ann(everywhere("admin")), { kind: "route", route, node: "n1" })]).toEqual([
      route,
      false,
    ]);
});
