import { expect, it } from "vitest";
import type { AgentStatus, DriverCounters } from "../../model/index.ts";
import { agentFamilies } from "./agent-families.ts";
import { renderFamilies, samplesOf } from "./exposition.ts";
import { createProcessMetrics } from "./registry.ts";
import { trafficFamilies } from "./traffic-families.ts";

const counters: DriverCounters = {
  members: [
    {
      poolUid: "u1",
      ip: "10.0.0.1",
      port: 80,
      activeConnections: 2,
      totalConnections: 10,
      packetsIn: 30,
      bytesIn: 400,
      packetsOut: 50,
      bytesOut: 6000,
    },
  ],
  drops: { "no-member": 3 },
  flowEntryCount: 4,
  flowEntryCapacityCount: 1024,
  halfOpenCount: 1,
};

it("writes traffic per node, pool and member, and drops by reason", async () => {
  const text = await renderFamilies(
    trafficFamilies([{ node: "node-1", counters }], (uid) =>
      uid === "u1" ? { namespace: "shop", name: "web" } : undefined,
    ),
  );
  const labels = 'node="node-1",namespace="shop",pool="web",member="10.0.0.1:80"';
  expect(text.split("\n")).toEqual(
    expect.arrayContaining([
      "# TYPE parasaus_member_connections_total counter",
      `parasaus_member_connections_total{${labels}} 10`,
      `parasaus_member_active_connections{${labels}} 2`,
      `parasaus_member_bytes_total{${labels},direction="out"} 6000`,
      `parasaus_member_packets_total{${labels},direction="in"} 30`,
      'parasaus_flow_entries{node="node-1"} 4',
      'parasaus_drops_total{node="node-1",reason="no-member"} 3',
    ]),
  );
  expect(text.endsWith("\n")).toBe(true);
});

it("escapes what would end a label value", async () => {
  const text = await renderFamilies([
    { name: "m", help: "h", type: "gauge", samples: [{ labels: { l: 'a"b\\c\nd' }, value: 1 }] },
  ]);
  expect(text).toBe('# HELP m h\n# TYPE m gauge\nm{l="a\\"b\\\\c\\nd"} 1\n');
});

it("adds the process's own metrics and the version", async () => {
  const metrics = createProcessMetrics();
  metrics.histogram("parasaus_test_seconds", "Test.", ["verb"])({ verb: "get" }, 0.02);
  metrics.counter("parasaus_test_total", "Test.", [])({});
  metrics.gauge("parasaus_test", "Test.", [])({}, 7);
  const text = await metrics.render();
  expect(text).toMatch(/^process_cpu_seconds_total /m);
  expect(text).toMatch(/^parasaus_build_info\{version="\d+\.\d+\.\d+"\} 1$/m);
  expect(text).toMatch(/^parasaus_test_seconds_bucket\{le="0.025",verb="get"\} 1$/m);
  expect(text).toMatch(/^parasaus_test_total 1$/m);
  expect(text).toMatch(/^parasaus_test 7$/m);
});

it("writes an agent's times as a cumulative histogram in seconds", async () => {
  const times = { boundsMs: [1, 10], counts: [2, 1, 1], sumMs: 30 };
  const agent: AgentStatus = {
    nodeName: "node-1",
    driver: "ebpf",
    version: "1.0.0",
    source: "server",
    appliedRevision: "42",
    tableHash: "h",
    poolCount: 3,
    refusedAnswerCount: 0,
    heldPoolCount: 0,
    watchAgeMs: 1500,
    changeToKernel: times,
    reconcile: { boundsMs: [], counts: [0], sumMs: 0 },
    driftCount: 0,
    refusedPoolCount: 0,
    unreadablePoolCount: 0,
    operationCount: 7,
    cutFlowCount: 0,
    expiredFlowCount: 0,
    loadDriftCount: 0,
  };
  expect((await renderFamilies(agentFamilies([agent]))).split("\n")).toEqual(
    expect.arrayContaining([
      'parasaus_change_to_kernel_seconds_bucket{node="node-1",le="0.001"} 2',
      'parasaus_change_to_kernel_seconds_bucket{node="node-1",le="0.01"} 3',
      'parasaus_change_to_kernel_seconds_bucket{node="node-1",le="+Inf"} 4',
      'parasaus_change_to_kernel_seconds_sum{node="node-1"} 0.03',
      'parasaus_change_to_kernel_seconds_count{node="node-1"} 4',
      'parasaus_agent_watch_lag_seconds{node="node-1"} 1.5',
      'parasaus_dataplane_operations_total{node="node-1"} 7',
    ]),
  );
});

it("lets others run while it writes many series, and writes each exactly once", async () => {
  const rows = Array.from({ length: 10_000 }, (_, index) => index);
  let turns = 0;
  const ticking = setInterval(() => {
    turns += 1;
  }, 0);
  const samples = samplesOf(rows, (index) => ({ labels: { index: String(index) }, value: index }));
  const text = await renderFamilies([{ name: "m", help: "h", type: "gauge", samples }]);
  clearInterval(ticking);
  const lines = text.trimEnd().split("\n").slice(2);
  expect(lines).toEqual(rows.map((index) => `m{index="${index}"} ${index}`));
  expect(turns).toBeGreaterThan(0);
});
