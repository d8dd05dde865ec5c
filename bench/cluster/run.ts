import {
  type AgentReport,
  type ClusterOptions,
  type ClusterWorld,
  openCluster,
  waitFor,
} from "../../test/lab/cluster.ts";
import { type Figure, figure, quantile } from "../statistics.ts";

/** How large, and how often. */
export interface ClusterBenchOptions {
  readonly sizes: readonly ClusterOptions[];
  /** Changes of one pool, one after another. */
  readonly changeCount: number;
  readonly print: (line: string) => void;
}

/** A pool on a node has been seen to take 0.1 ms when both CPUs work on it. */
const syncTimeoutMs = ({ agentCount, poolCount }: ClusterOptions) => 240_000 + 0.2 * agentCount * poolCount;

/** Agents in a few processes over two servers and etcd, all on this machine: first sync, changes, a restart of all servers. */
export async function runCluster(options: ClusterBenchOptions): Promise<readonly Figure[]> {
  const figures: Figure[] = [];
  for (const size of options.sizes) figures.push(...(await runSize(size, options)));
  return figures;
}

async function runSize(size: ClusterOptions, options: ClusterBenchOptions): Promise<readonly Figure[]> {
  const contender = `${size.agentCount}-agents-${size.poolCount}-pools`;
  const print = (line: string) => options.print(`cluster ${contender}: ${line}`);
  await using world = await openCluster(size);
  print("etcd has the pools, two servers run");
  const sync = await measureFirstSync(world, size, print);
  const changes = await measureChanges(world, options.changeCount, print);
  const watches = await world.etcdMetric("etcd_debugging_mvcc_watcher_total");
  const peakMib = world.serverPeakMib();
  const resync = await measureRestart(world, size, print);
  const of = (work: string, unit: string, values: readonly number[]) => figure(work, contender, unit, values);
  return [
    of("first-sync", "s", [sync.seconds]),
    of("first-sync-server-cpu", "s", [sync.cpu.servers]),
    of("first-sync-agent-cpu", "s", [sync.cpu.agents]),
    of("change-to-all-nodes-p99", "ms", [quantile(changes, 0.99)]),
    of("change-to-all-nodes-median", "ms", [quantile(changes, 0.5)]),
    of("resync", "s", [resync.seconds]),
    of("resync-without-list", "%", [resync.withoutListPercent]),
    of("server-memory", "MiB", [Math.max(peakMib, world.serverPeakMib())]),
    of("agent-memory", "MiB", [world.agentsPeakMib() / size.agentCount]),
    of("etcd-watches", "watches", [watches]),
  ];
}

const isWhole = (poolCount: number) => (reports: readonly AgentReport[]) =>
  reports.every((report) => report.source === "server" && report.poolCount === poolCount);

async function measureFirstSync(world: ClusterWorld, size: ClusterOptions, print: (line: string) => void) {
  const { poolCount, agentCount } = size;
  const before = world.cpu();
  const startedMs = await world.startAgents();
  const reports = await waitFor("all agents hold all pools", world.reports, isWhole(poolCount), {
    timeoutMs: syncTimeoutMs(size),
    pauseMs: 500,
  });
  const after = world.cpu();
  const cpu = {
    servers: after.servers - before.servers,
    etcd: after.etcd - before.etcd,
    agents: after.agents - before.agents,
  };
  const times = reports.map(({ lastAppliedMs }) => (lastAppliedMs - startedMs) / 1_000);
  const seconds = Math.max(...times);
  const sum = (key: "listCount" | "pageCount") => reports.reduce((total, report) => total + report[key], 0);
  print(
    `first sync ${seconds.toFixed(1)} s (half after ${quantile(times, 0.5).toFixed(1)} s): ${agentCount} agents whole by ${sum("listCount")} lists of ${sum("pageCount")} pages; ` +
      `CPU servers ${cpu.servers.toFixed(1)} s, etcd ${cpu.etcd.toFixed(1)} s, agents ${cpu.agents.toFixed(1)} s`,
  );
  for (const warning of await world.warnings()) print(warning);
  const hashes = new Set(reports.map(({ tableHash }) => tableHash));
  if (hashes.size !== 1) throw new Error(`Cannot believe it: the nodes hold ${hashes.size} different tables`);
  return { seconds, cpu };
}

/** Milliseconds from the request that changes one pool until the last node has it. */
async function measureChanges(
  world: ClusterWorld,
  count: number,
  print: (line: string) => void,
): Promise<number[]> {
  const times: number[] = [];
  for (let round = 0; round < count; round += 1)
    times.push(await changeAll(world, { index: round, weight: 2 + round }));
  const [median, worst] = [quantile(times, 0.5), Math.max(...times)].map(Math.round);
  print(`one change reaches the last node after ${median} ms (median of ${count}), ${worst} ms at most`);
  return times;
}

async function changeAll(
  world: ClusterWorld,
  { index, weight, timeoutMs = 120_000 }: { index: number; weight: number; timeoutMs?: number },
): Promise<number> {
  await world.reset();
  const askedMs = await world.changePool(index, weight);
  const applied = await waitFor(
    "every agent has the change",
    world.applied,
    (agents) => agents.every((times) => times.length > 0),
    { pauseMs: 50, timeoutMs },
  );
  return Math.max(...applied.map((times) => times[0] ?? 0)) - askedMs;
}

async function measureRestart(world: ClusterWorld, size: ClusterOptions, print: (line: string) => void) {
  const { agentCount } = size;
  await world.reset();
  const beganMs = await world.restartServers();
  const reports = await waitFor(
    "every agent watches again",
    world.reports,
    (agents) => agents.every(({ watchMs }) => watchMs > beganMs),
    { timeoutMs: syncTimeoutMs(size) },
  );
  const seconds = (Math.max(...reports.map(({ watchMs }) => watchMs)) - beganMs) / 1_000;
  const listed = reports.filter(({ listCount }) => listCount > 0).length;
  const withoutListPercent = (100 * (agentCount - listed)) / agentCount;
  const changeMs = await changeAll(world, { index: 0, weight: 200, timeoutMs: syncTimeoutMs(size) });
  print(
    `both servers restarted: all ${agentCount} watch again after ${seconds.toFixed(1)} s, ${listed} by a new list; ` +
      `the next change reaches the last after ${Math.round(changeMs)} ms`,
  );
  return { seconds, withoutListPercent };
}
