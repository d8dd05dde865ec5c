import { describe, expect, it } from "vitest";
import type { Account, ApiToken, RoleBinding } from "./access/access.ts";
import type { AddressPool } from "./address-pool/address-pool.ts";
import type { JsonSchema } from "./definition.ts";
import { findDefinition } from "./definitions.ts";
import type { Namespace } from "./namespace/namespace.ts";
import type { Node } from "./node/node.ts";
import type { Condition, KubeObject, ObjectMeta } from "./object.ts";
import type { Operation } from "./operation/operation.ts";
import type { Pool } from "./pool/pool.ts";
import { validateObject } from "./validation/validate-object.ts";

const NOW = "2026-01-01T00:00:00Z";
const metadata: Required<Omit<ObjectMeta, "namespace">> = {
  name: "web",
  generateName: "web-",
  uid: "u",
  resourceVersion: "1",
  generation: 1,
  creationTimestamp: NOW,
  deletionTimestamp: NOW,
  labels: {},
  annotations: {},
  ownerReferences: [
    { apiVersion: "v1", kind: "Service", name: "web", uid: "u", controller: true, blockOwnerDeletion: true },
  ],
  finalizers: [],
};
const conditions: Required<Condition>[] = [
  {
    type: "Ready",
    status: "True",
    reason: "Fine",
    message: "Fine",
    lastTransitionTime: NOW,
    observedGeneration: 1,
  },
];

const PROBES = { successes: 1, failures: 0, last: "L7OK", lastTime: NOW };
const LAST = { operator: "ada", time: NOW, verb: "update" } as const;

const pool: Pool = {
  apiVersion: "parasaus.io/v1",
  kind: "Pool",
  metadata,
  spec: {
    addressPool: "public",
    ip: "10.9.0.1",
    port: 80,
    lastPort: 89,
    protocol: "TCP",
    scheduler: "rr",
    forwarding: "tunnel",
    guePort: 6080,
    sessionAffinity: { type: "None", timeoutSeconds: 60, prefixLength: 24 },
    onePacketScheduling: false,
    drainSeconds: 30,
    onMemberDown: "keep",
    failOpen: { threshold: 0 },
    healthCheck: {
      type: "http",
      interval: "2s",
      fastInterval: "1s",
      downInterval: "1s",
      timeout: "1s",
      rise: 1,
      fall: 1,
      initialState: "unchecked",
      port: 81,
      http: { method: "GET", path: "/", host: "web", expect: ["200"] },
      mysql: { user: "probe", password: "secret" },
    },
    members: [{ ip: "10.0.0.1", port: 80, weight: 1, state: "ready", drainSeconds: 1 }],
  },
  status: {
    connectAddresses: [{ ip: "10.9.0.1", port: 80, lastPort: 89, protocol: "TCP", addressPool: "public" }],
    members: [
      {
        ip: "10.0.0.1",
        port: 80,
        verdict: "up",
        reason: "L7OK",
        since: NOW,
        probes: PROBES,
        lastOperation: LAST,
      },
    ],
    lastOperation: LAST,
    conditions,
  },
};

const QUARANTINED = {
  ip: "10.9.0.1",
  port: 80,
  lastPort: 89,
  protocol: "TCP",
  pool: "shop/web",
  until: NOW,
} as const;

const addressPool: AddressPool = {
  apiVersion: "parasaus.io/v1",
  kind: "AddressPool",
  metadata,
  spec: { addresses: ["10.9.0.1"], ports: ["80"], autoAssign: true, priority: 0, quarantineSeconds: 30 },
  status: { capacity: 1, used: 1, quarantine: [QUARANTINED], conditions },
};

const OBJECT = { apiVersion: "v1", kind: "Pool", namespace: "shop", name: "web", uid: "u" };

const operation: Operation = {
  apiVersion: "parasaus.io/v1",
  kind: "Operation",
  metadata,
  spec: {
    operator: "ada",
    time: NOW,
    verb: "update",
    object: OBJECT,
    member: "10.0.0.1:80",
    reason: "because",
    source: "192.0.2.1",
    credential: "session",
    message: "Refused",
    also: [{ object: OBJECT, before: {}, after: {} }],
    before: {},
    after: {},
    revision: "2",
  },
};

const node: Node = {
  apiVersion: "parasaus.io/v1",
  kind: "Node",
  metadata,
  spec: { confirmedShrink: "0a1b" },
  status: {
    number: 1,
    addresses: ["10.0.0.9"],
    driver: "ebpf",
    version: "1",
    kernel: { release: "6.1", features: { bpf: true } },
    epoch: 1,
    appliedRevision: "1",
    tableHash: "h",
    poolCount: 1,
    heldShrink: { id: "0a1b", poolCount: 11, ofPoolCount: 12, since: NOW },
    lagRevisions: 0,
    flowEntryCount: 0,
    cpuPercent: 0,
    server: "s",
    heartbeat: NOW,
    conditions,
  },
};

const namespace: Namespace = {
  apiVersion: "v1",
  kind: "Namespace",
  metadata,
  spec: { finalizers: [] },
  status: { phase: "Active", conditions },
};

/** Paths that a schema knows, without what Kubernetes' clients send and nobody keeps. */
function schemaPaths(schema: JsonSchema, path = ""): string[] {
  const inner = (schema["items"] as JsonSchema | undefined) ?? schema;
  const properties = Object.entries((inner["properties"] ?? {}) as Record<string, JsonSchema>);
  if (properties.length === 0) return [path];
  return properties
    .filter(([name]) => !NOT_KEPT.has(name))
    .flatMap(([name, property]) => schemaPaths(property, `${path}.${name}`));
}

const NOT_KEPT: ReadonlySet<string> = new Set([
  "selfLink",
  "managedFields",
  "namespace",
  "deletionGracePeriodSeconds",
]);

function isThere(value: unknown, path: string): boolean {
  return (
    path
      .split(".")
      .slice(1)
      .reduce<unknown>((at, key) => (Array.isArray(at) ? at[0] : at)?.[key as never], value) !== undefined
  );
}

const account: Account = {
  apiVersion: "parasaus.io/v1",
  kind: "Account",
  metadata,
  spec: { displayName: "Ann", role: "admin", disabled: true, oidcName: "ann@example.com" },
};

const roleBinding: RoleBinding = {
  apiVersion: "parasaus.io/v1",
  kind: "RoleBinding",
  metadata: { ...metadata, namespace: "shop" },
  spec: { role: "viewer", accounts: ["ann"] },
};

const apiToken: ApiToken = {
  apiVersion: "parasaus.io/v1",
  kind: "ApiToken",
  metadata: { ...metadata, name: "ann.ci" },
  spec: { account: "ann", role: "viewer", namespaces: ["shop"], expires: NOW, description: "for CI" },
};

describe("the TypeScript interface and the schema", () => {
  it.each<[string, KubeObject]>([
    ["Pool", pool],
    ["AddressPool", addressPool],
    ["Operation", operation],
    ["Node", node],
    ["Namespace", namespace],
    ["Account", account],
    ["RoleBinding", roleBinding],
    ["ApiToken", apiToken],
  ])("of a %s name the same fields", (kind, object) => {
    const definition = findDefinition(kind);
    const result = definition && validateObject(definition, object, "Strict");
    expect(result?.refusal?.message).toBeUndefined();
    const paths = schemaPaths(definition?.schema ?? {});
    expect(paths.filter((path) => !isThere(object, path))).toEqual([]);
  });
});
