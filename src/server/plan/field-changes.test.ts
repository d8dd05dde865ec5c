import { expect, it } from "vitest";
import type { KubeObject } from "../../model/index.ts";
import { fieldChanges } from "./field-changes.ts";

const pool = (spec: object, metadata: object = {}): KubeObject =>
  ({
    ...{ apiVersion: "parasaus.io/v1", kind: "Pool", metadata: { name: "web", ...metadata } },
    spec,
    status: { conditions: [] },
  }) as KubeObject;
const member = (port: number, more: object = {}) => ({ ip: "10.0.0.1", port, ...more });

it("names each field that differs, members by their address and not by their place", () => {
  const before = pool({ drainSeconds: 30, members: [member(80, { weight: 1 }), member(81)] });
  const after = pool(
    { drainSeconds: 5, members: [member(82), member(80, { weight: 2 })] },
    { labels: { "app/x": "y" } },
  );
  expect(fieldChanges(before, after)).toEqual([
    { field: "spec.drainSeconds", before: 30, after: 5 },
    { field: "spec.members[10.0.0.1:80].weight", before: 1, after: 2 },
    { field: "spec.members[10.0.0.1:81].ip", before: "10.0.0.1" },
    { field: "spec.members[10.0.0.1:81].port", before: 81 },
    { field: "spec.members[10.0.0.1:82].ip", after: "10.0.0.1" },
    { field: "spec.members[10.0.0.1:82].port", after: 82 },
    { field: 'metadata.labels["app/x"]', after: "y" },
  ]);
});

it("looks into lists by address or name where these tell their items apart, and takes others whole", () => {
  const endpoints = (subset: object) => ({ ...pool({}), subsets: [subset] });
  const before = endpoints({ addresses: [{ ip: "10.0.0.1" }], ports: [{ name: "http", port: 80 }] });
  const after = endpoints({
    addresses: [{ ip: "10.0.0.2" }],
    ports: [{ name: "http", port: 81 }],
    extra: [],
  });
  expect(fieldChanges(before, after)).toEqual([
    { field: "subsets[0].addresses[10.0.0.1].ip", before: "10.0.0.1" },
    { field: "subsets[0].addresses[10.0.0.2].ip", after: "10.0.0.2" },
    { field: "subsets[0].ports[http].port", before: 80, after: 81 },
    { field: "subsets[0].extra", after: [] },
  ]);
  const [one, two] = [pool({ expect: ["200"] }), pool({ expect: ["200", "301"] })];
  expect(fieldChanges(one, two)).toEqual([{ field: "spec.expect", before: ["200"], after: ["200", "301"] }]);
});

it("finds nothing where only what the server keeps differs", () => {
  const kept = { "kubectl.kubernetes.io/last-applied-configuration": "{}", "parasaus.io/generated": "{}" };
  const before = pool({ members: [member(80)] });
  const after = {
    ...pool({ members: [member(80)] }, { annotations: kept, resourceVersion: "7" }),
    status: {},
  };
  expect(fieldChanges(before, after)).toEqual([]);
});

it("shows that a secret changes, and not the secret", () => {
  const check = (password: string) => pool({ healthCheck: { mysql: { user: "probe", password } } });
  const changes = fieldChanges(check("hunter2hunter2"), check("correct horse"));
  expect(changes.map(({ field }) => field)).toEqual(["spec.healthCheck.mysql.password"]);
  expect(JSON.stringify(changes)).not.toMatch(/hunter|horse/);
});
