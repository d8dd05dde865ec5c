import { expect, it } from "vitest";
import { FakeClock, silentLogger } from "../../foundation/index.ts";
import {
  type AgentStatus,
  type KubeObject,
  type Node,
  nodeDefinition,
  type Pool,
} from "../../model/index.ts";
import type { Resources } from "../../resources/index.ts";
import { readHeartbeats } from "../../resources/local/index.ts";
import type { Store, StoreCondition, StoreEntry, StoreWrite } from "../../store/index.ts";
import { newestRevision, readsWithLiveNodes } from "./live-nodes.ts";
import { type AskedNodes, startNodePulse } from "./node-pulse.ts";

/** As much of a store as heartbeats need. */
function makeStore() {
  const entries = new Map<string, StoreEntry>();
  let revision = 0;
  const store: Pick<Store, "get" | "transact"> = {
    get: async (key: string) => entries.get(key),
    transact: async (conditions: readonly StoreCondition[], writes: readonly StoreWrite[]) => {
      const holds = conditions.every(
        ({ key, modRevision }) => (entries.get(key)?.modRevision ?? 0) === modRevision,
      );
      if (!holds) return { succeeded: false, revision };
      revision += 1;
      for (const write of writes) {
        if (write.kind === "delete") entries.delete(write.key);
        else entries.set(write.key, { ...write, createRevision: 1, modRevision: revision });
      }
      return { succeeded: true, revision };
    },
  };
  return { store, writeCount: () => revision };
}

const nodeNamed = (name: string, status: object = {}): KubeObject => ({
  apiVersion: "parasaus.io/v1",
  kind: "Node",
  metadata: { name, creationTimestamp: "2026-01-01T00:00:00Z" },
  ...{ spec: {}, status },
});
const statusOf = (nodeName: string) =>
  ({
    nodeName,
    tableHash: "0011",
    poolCount: 3,
    epoch: 1,
    appliedRevision: "8",
    flowEntryCount: 4,
  }) as AgentStatus;

function start(names: readonly string[], connected: readonly string[], { store, writeCount } = makeStore()) {
  const clock = new FakeClock();
  const stop = new AbortController();
  const asked: string[] = [];
  const resources: Pick<Resources, "list"> = {
    list: async () => ({ items: names.map((name) => nodeNamed(name)), resourceVersion: "9" }),
  };
  const nodes: AskedNodes = {
    connectedNodes: () => connected,
    ask: async (name: string) => {
      asked.push(name);
      return name.startsWith("mute") ? undefined : { kind: "answered", value: statusOf(name) };
    },
  };
  const pulse = startNodePulse({
    ...{ nodes, store, resources, clock, logger: silentLogger, signal: stop.signal },
  });
  return { clock, pulse, asked, stop, store, writeCount };
}

it("asks 254 nodes over ten seconds, and writes down for all of them at once when they were heard of", async () => {
  const names = Array.from({ length: 254 }, (_, index) => `n${index + 1}`);
  const { clock, pulse, asked, writeCount, stop } = start(names, names);
  await clock.advance(5_000);
  expect(asked.length).toBeGreaterThan(100);
  expect(asked.length).toBeLessThan(150);
  expect(writeCount()).toBe(0);
  await clock.advance(5_000);
  expect(new Set(asked).size).toBe(254);
  expect(writeCount()).toBe(1);
  expect((await pulse.heartbeats()).size).toBe(254);
  expect((await pulse.heartbeats()).get("n254")).toMatchObject({ appliedRevision: "8" });
  stop.abort();
  await pulse.ended;
});

it("does not take a node that is connected and answers nothing for alive", async () => {
  const { clock, pulse, stop } = start(["a", "mute"], ["a", "mute"]);
  await clock.advance(30_000);
  expect([...(await pulse.heartbeats()).keys()]).toEqual(["a"]);
  stop.abort();
});

it("keeps what other servers heard later, and forgets nodes that are gone", async () => {
  const shared = makeStore();
  const first = start(["a", "b"], ["a", "gone"], shared);
  await first.clock.advance(10_000);
  first.stop.abort();
  const second = start(["a", "b"], ["b"], shared);
  await second.clock.advance(20_000);
  second.stop.abort();
  const atMs = (seconds: number) => Date.parse("2026-01-01T00:00:00Z") + seconds * 1_000;
  const times = [...(await second.pulse.heartbeats())].map(([name, heartbeat]) => [name, heartbeat.atMs]);
  expect(Object.fromEntries(times)).toEqual({ a: atMs(0), b: atMs(20) });
});

it("writes what each node said, for the other servers", async () => {
  const { clock, store, stop } = start(["a"], ["a"]);
  await clock.advance(10_000);
  stop.abort();
  const { atMs: _, ...said } = (await readHeartbeats(store)).get("a") ?? { atMs: 0 };
  expect(said).toEqual({
    tableHash: "0011",
    poolCount: 3,
    epoch: 1,
    appliedRevision: "8",
    flowEntryCount: 4,
  });
});

const HEARD_MS = Date.parse("2026-01-01T00:05:00Z");
const ready = (status: string) => ({
  ...{ type: "Ready", status, reason: "Forwarding", message: "Forwards" },
  lastTransitionTime: "2026-01-01T00:00:00Z",
});

/** Nodes `a`, which was heard of, and `b`, which never was, as they are read at a time. */
async function readNodes(nowMs: number) {
  const conditions = [ready("True"), { ...ready("True"), type: "Synced" }];
  const stored = nodeNamed("a", {
    number: 1,
    heartbeat: "2026-01-01T00:00:00Z",
    tableHash: "old",
    conditions,
  });
  const inner: Pick<Resources, "get" | "list"> = {
    get: async () => stored,
    list: async () => ({ items: [stored, nodeNamed("b", { number: 2 })], resourceVersion: "9" }),
  };
  const said = { atMs: HEARD_MS, tableHash: "0011", poolCount: 3, epoch: 1, appliedRevision: "8" };
  const pools = new Map([["u", { metadata: { name: "p", resourceVersion: "10" } } as Pool]]);
  const live = readsWithLiveNodes(inner, {
    heartbeats: async () => new Map([["a", { ...said, flowEntryCount: 4, cpuPercent: 7 }]]),
    poolRevision: newestRevision(pools, () => 0),
    now: () => new Date(nowMs),
  });
  const { items } = await live.list(nodeDefinition);
  const a = (await live.get({ definition: nodeDefinition, name: "a" })) as Node;
  expect(items[0]).toEqual(a);
  expect((stored as Node).status?.tableHash).toBe("old");
  return { a: a.status, b: (items[1] as Node).status };
}

it("joins into Nodes that are read what their agents said last, and stores nothing of it", async () => {
  const { a, b } = await readNodes(HEARD_MS + 30_000);
  const { conditions, ...rest } = a ?? {};
  expect(rest).toEqual({
    number: 1,
    heartbeat: "2026-01-01T00:05:00.000Z",
    tableHash: "0011",
    poolCount: 3,
    epoch: 1,
    appliedRevision: "8",
    flowEntryCount: 4,
    cpuPercent: 7,
    lagRevisions: 2,
  });
  expect(conditions?.map(({ type, status }) => `${type} ${status}`)).toEqual(["Ready True", "Synced True"]);
  expect(b).toEqual({ number: 2 });
});

it("does not know whether a node is ready that was not heard of for longer than 30 s", async () => {
  const { a } = await readNodes(HEARD_MS + 30_001);
  expect(a?.conditions).toEqual([
    {
      type: "Ready",
      status: "Unknown",
      reason: "NodeStatusUnknown",
      message: "Not heard of since 2026-01-01T00:05:00Z",
      lastTransitionTime: "2026-01-01T00:05:30Z",
    },
    { ...ready("True"), type: "Synced" },
  ]);
});
