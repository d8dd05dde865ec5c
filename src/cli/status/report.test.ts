import { expect, it } from "vitest";
import type { AgentStatus, KubeObject } from "../../model/index.ts";
import { makeReport, renderReport } from "./report.ts";

const NOW = new Date("2026-01-01T00:10:00Z");
const condition = (type: string, status: string, message: string) => ({
  type,
  status,
  reason: "Why",
  message,
  lastTransitionTime: "2026-01-01T00:00:00Z",
});
const object = (kind: string, name: string, rest: object, namespace?: string) =>
  ({
    apiVersion: "parasaus.io/v1",
    kind,
    metadata: { name, ...(namespace ? { namespace } : {}), resourceVersion: "20" },
    ...rest,
  }) as KubeObject;

const node = object("Node", "node-1", {
  status: {
    number: 3,
    driver: "ebpf",
    flowEntryCount: 700,
    cpuPercent: 12,
    appliedRevision: "18",
    tableHash: "0123456789abcdef",
    poolCount: 2,
    heartbeat: "2026-01-01T00:09:55Z",
    conditions: [condition("Ready", "True", "forwards")],
  },
});
const members = [
  { ip: "10.0.0.1", port: 80 },
  { ip: "10.0.0.2", port: 80 },
];
const pool = object(
  "Pool",
  "web",
  {
    spec: { members },
    status: {
      members: [
        { ...members[0], verdict: "up", reason: "L7OK 200", since: "" },
        { ...members[1], verdict: "down", reason: "L4CON connection refused", since: "" },
      ],
    },
  },
  "shop",
);
const input = {
  server: { url: "http://a", version: "1.0.0", ready: true },
  checks: [{ name: "store", ok: true }],
  overview: {
    servers: [
      { id: "a-1f", leads: ["allocator", "circle-watch"], shardCount: 24 },
      { id: "b-2e", leads: [], shardCount: 40 },
    ],
    unled: [],
    freeShardCount: 0,
  },
  nodes: [node],
  agents: [],
  pools: [pool],
  services: [],
  revision: 20,
  now: NOW,
};

it("sums up what there is, how far each node is behind, and which member is down and why", () => {
  expect(renderReport(makeReport(input), NOW)).toBe(`Server:   http://a, version 1.0.0, ready
Parts:    store ok
Objects:  1 pool (1 of 2 members up), 0 services, 1 node

SERVER   SHARDS   LEADS
a-1f     24       allocator, circle-watch
b-2e     40       -

NODE     NUMBER   DRIVER   READY   REVISION   LAG   POOLS   HASH           FLOWS   CPU   HEARTBEAT
node-1   3        ebpf     True    18         2     2       0123456789ab   700     12%   5s ago

Needs attention:
  pool.parasaus.io/web -n shop: 1 of 2 members down: 10.0.0.2:80 L4CON connection refused
`);
});

it("names failed parts, work that nobody does, silent nodes and false conditions", () => {
  const silent = object("Node", "node-2", {
    status: {
      number: 2,
      heartbeat: "2026-01-01T00:05:00Z",
      conditions: [condition("Ready", "False", "no eBPF on this machine")],
    },
  });
  const { attention } = makeReport({
    ...input,
    checks: [{ name: "store", ok: false, message: "disk full" }],
    overview: { servers: [], unled: ["allocator"], freeShardCount: 3 },
    nodes: [silent, object("Node", "node-3", {})],
    pools: [],
  });
  expect(attention).toEqual([
    { object: "store", message: "disk full" },
    { object: "allocator", message: "no server leads in it" },
    { object: "circle-healthcheck", message: "3 shards are no server's" },
    { object: "node.parasaus.io/node-2", message: "Ready: no eBPF on this machine" },
    { object: "node.parasaus.io/node-2", message: "not heard of for 300 s; it forwards what it had" },
    { object: "node.parasaus.io/node-3", message: "never reported" },
  ]);
});

it("names what keeps a Service from its pools, which stands there as long as it is true", () => {
  const problem = condition("NoAddressPool", "True", "no address pool hands out addresses by itself");
  const service = object("Service", "web", { apiVersion: "v1", status: { conditions: [problem] } }, "shop");
  const { attention } = makeReport({ ...input, pools: [], services: [service] });
  expect(attention).toEqual([
    {
      object: "service/web -n shop",
      message: "NoAddressPool: no address pool hands out addresses by itself",
    },
  ]);
});

it("says which nodes hold something else than the others at the same revision", () => {
  const agent = (nodeName: string, tableHash: string) =>
    ({ nodeName, epoch: 1, appliedRevision: "20", tableRevision: "20", tableHash }) as AgentStatus;
  const agents = [
    agent("a", "1111222233334444"),
    agent("b", "1111222233334444"),
    agent("c", "9999000000000000"),
  ];
  expect(makeReport({ ...input, pools: [], agents }).attention).toEqual([
    {
      object: "nodes",
      message: "table hashes differ at revision 20: 111122223333 on a, b; 999900000000 on c",
    },
  ]);
});

it("says so when there is nothing to do", () => {
  expect(renderReport(makeReport({ ...input, pools: [] }), NOW)).toMatch(/\nNothing needs attention\n$/);
});

it("names a node that has no number, which the 255th is", () => {
  const late = object("Node", "late", { status: { heartbeat: "2026-01-01T00:09:55Z" } });
  const { attention } = makeReport({ ...input, nodes: [late], pools: [] });
  expect(attention).toEqual([
    { object: "node.parasaus.io/late", message: "has no number: all 254 are taken" },
  ]);
});
