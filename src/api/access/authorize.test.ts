import { describe, expect, it } from "vitest";
import type { AccessRequest } from "./access-request.ts";
import { authorize } from "./authorize.ts";
import type { Identity } from "./identity.ts";

const n1: Identity = { kind: "node", name: "n1" };
const stranger: Identity = { kind: "stranger", reason: "no certificate" };
const operator: Identity = { kind: "operator" };

const object = (verb: string, resource: string, name?: string, namespace?: string): AccessRequest => ({
  kind: "object",
  verb,
  resource,
  ...(name === undefined ? {} : { name }),
  ...(namespace === undefined ? {} : { namespace }),
});
const route = (text: string, node?: string): AccessRequest => ({
  kind: "route",
  route: text,
  ...(node === undefined ? {} : { node }),
});
const isAllowed = (identity: Identity, request: AccessRequest) =>
  authorize(identity, request).kind === "allowed";

const VERBS = ["get", "list", "watch", "create", "update", "patch", "delete", "deletecollection", "refused"];
const RESOURCES = [
  ...[
    "pools.parasaus.io",
    "pools.parasaus.io/status",
    "addresspools.parasaus.io",
    "addresspools.parasaus.io/status",
  ],
  ...["nodes.parasaus.io", "nodes.parasaus.io/status", "operations.parasaus.io"],
  ...["services", "services/status", "endpoints", "namespaces", "namespaces/status", "secrets"],
];

describe("a node", () => {
  const allowed = (name?: string) =>
    RESOURCES.flatMap((resource) =>
      VERBS.filter((verb) => isAllowed(n1, object(verb, resource, name))).map(
        (verb) => `${verb} ${resource}`,
      ),
    );
  const READING = ["pools.parasaus.io", "addresspools.parasaus.io", "namespaces"].flatMap((resource) =>
    ["get", "list", "watch"].map((verb) => `${verb} ${resource}`),
  );

  it("reads what it forwards from, and writes the Node that has its name", () => {
    expect(allowed("n1").sort()).toEqual(
      [
        ...READING,
        ...["get", "create", "update", "patch"].map((verb) => `${verb} nodes.parasaus.io`),
        ...["get", "update", "patch"].map((verb) => `${verb} nodes.parasaus.io/status`),
      ].sort(),
    );
  });

  it.each(["n2", "n", "n11", "N1", ""])("may not even read the Node of another: %j", (name) => {
    expect(allowed(name).sort()).toEqual([...READING].sort());
  });

  it("without a name may begin to create a Node, and not list, watch or delete them", () => {
    expect(allowed().sort()).toEqual([...READING, "create nodes.parasaus.io"].sort());
  });

  it("opens the request stream, answers and renews in its own name alone", () => {
    const own = ["GET /internal/v1/nodes/:node/requests", "POST /internal/v1/nodes/:node/answers/:id"];
    for (const each of [...own, "POST /internal/v1/nodes/:node/certificates"]) {
      expect([each, isAllowed(n1, route(each, "n1"))]).toEqual([each, true]);
      for (const other of ["n2", "", undefined])
        expect([each, other, isAllowed(n1, route(each, other))]).toEqual([each, other, false]);
    }
  });

  it.each([
    [
      object("update", "pools.parasaus.io", "web", "shop"),
      'pools.parasaus.io "web" is forbidden: the node "n1" cannot update pools.parasaus.io in the namespace "shop"',
    ],
    [
      object("patch", "nodes.parasaus.io/status", "n2"),
      'nodes.parasaus.io/status "n2" is forbidden: the node "n1" cannot patch nodes.parasaus.io/status',
    ],
    [object("list", "services"), 'services is forbidden: the node "n1" cannot list services'],
    [route("GET /metrics"), 'Cannot GET /metrics: the node "n1" may not'],
  ])("is told what it may not, by name", (request, message) => {
    expect(authorize(n1, request)).toEqual({ kind: "refused", code: "Forbidden", message });
  });
});

describe("a stranger", () => {
  it("may ask whether the server is well, whom it trusts, and to be let in", () => {
    const open = [
      "GET /livez",
      "HEAD /readyz",
      "GET /healthz",
      "GET /internal/v1/authority",
      "GET /console/*",
    ];
    for (const each of [...open, "POST /internal/v1/enrolments"])
      expect([each, isAllowed(stranger, route(each))]).toEqual([each, true]);
  });

  it("is refused everything else, and told why", () => {
    const routes = [
      "GET /metrics",
      "GET /version",
      "POST /livez",
      "GET /api/console/pools",
      "POST /internal/v1/tokens",
    ];
    const objects = RESOURCES.flatMap((resource) => VERBS.map((verb) => object(verb, resource, "n1")));
    for (const request of [...routes.map((each) => route(each, "n1")), ...objects]) {
      expect(authorize(stranger, request)).toEqual({
        kind: "refused",
        code: "Unauthorized",
        message: "Cannot answer a stranger: no certificate",
      });
    }
  });
});

it("refuses an operator nothing", () => {
  for (const resource of RESOURCES)
    for (const verb of VERBS) expect(isAllowed(operator, object(verb, resource, "x"))).toBe(true);
  expect(isAllowed(operator, route("POST /internal/v1/tokens"))).toBe(true);
});
