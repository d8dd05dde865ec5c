import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import {
  type AgentReport,
  type ClusterWorld,
  cpuSeconds,
  openCluster,
  type PoolSpecOf,
  waitFor,
} from "../../test/lab/cluster.ts";
import { type CumulativeHistogram, histogramQuantile, readHistogram, sumGrowth } from "./histogram.ts";
import { type MemberGroup, startMembers } from "./members.ts";
import { measureVerdicts, readVerdicts } from "./verdicts.ts";

/** How large, and how long. */
export interface HealthPlan {
  readonly poolCount: number;
  readonly agentCount: number;
  /** Members that die together, a pool each. */
  readonly victimCount: number;
  /** As a pool's health check has it: `5s`. */
  readonly interval: string;
  readonly seconds: number;
}

/** What was found. */
export interface HealthReport {
  readonly probeCount: number;
  readonly seconds: number;
  /** Probes by reason code. */
  readonly results: Readonly<Record<string, number>>;
  readonly latenessMedianMs: number;
  readonly latenessP99Ms: number;
  /** Connections that the members' kernel took meanwhile, and those that it turned away because a queue was full. */
  readonly handshakeCount: number;
  readonly overflowCount: number;
  /** CPU seconds meanwhile. */
  readonly cpu: Readonly<Record<"servers" | "members" | "etcd" | "agents" | "machineBusyShare", number>>;
  /** From each verdict until the last agent had it in its kernel. */
  readonly toAllNodesMs: readonly number[];
  /** Verdicts on members that nobody had touched. */
  readonly wrongVerdictCount: number;
  readonly serverPeakMib: number;
}

const PORT = 8080;
const VICTIMS_PORT = 8081;
const SETTLE_TIMEOUT_MS = 240_000;
/** As often as a Prometheus asks. */
const SCRAPE_MS = 15_000;
/** How far the members' own count may be off: probes that are under way when it is read. */
const TOLERATED_SHARE = 0.03;

/** Fills a cluster with pools whose members are probed, looks on for a while, then lets some members die and come again. */
export async function measureHealth(plan: HealthPlan, print: (line: string) => void): Promise<HealthReport> {
  await using members = await startMembers(PORT);
  let victims: MemberGroup = await startMembers(VICTIMS_PORT);
  try {
    const { poolCount, agentCount } = plan;
    await using world = await openCluster({ poolCount, agentCount, hostCount: 1, specOf: specOf(plan) });
    await world.startAgents();
    const areWhole = (reports: readonly AgentReport[]) =>
      reports.every((report) => report.source === "server" && report.poolCount === poolCount);
    await waitFor("all agents hold all pools", world.reports, areWhole, { timeoutMs: SETTLE_TIMEOUT_MS });
    print("all agents hold all pools");
    await untilProbed(world, 2 * poolCount);
    print("every member has been probed");
    const steady = await measureSteady(world, members, plan.seconds);
    await world.reset();
    await victims[Symbol.asyncDispose]();
    const downMs = await measureVerdicts(world, plan.victimCount, "down");
    print(`${downMs.length} members went down`);
    await world.reset();
    victims = await startMembers(VICTIMS_PORT);
    const upMs = await measureVerdicts(world, plan.victimCount, "up");
    const verdictCount = readVerdicts(world).length;
    return {
      ...steady,
      toAllNodesMs: [...downMs, ...upMs],
      wrongVerdictCount: verdictCount - downMs.length - upMs.length,
      serverPeakMib: world.serverPeakMib(),
    };
  } finally {
    await victims[Symbol.asyncDispose]();
  }
}

function specOf({ victimCount, interval }: HealthPlan): PoolSpecOf {
  return (index, weight) => {
    const member = (group: number, port: number) => ({
      ip: `10.${100 + group}.${index >> 8}.${index & 255}`,
      ...{ port, weight },
    });
    const members = [member(1, PORT), member(2, index < victimCount ? VICTIMS_PORT : PORT)];
    return { healthCheck: { type: "tcp", interval }, members };
  };
}

/** Waits until there were twice as many probes as members: no server takes up members any more. */
async function untilProbed(world: ClusterWorld, memberCount: number): Promise<void> {
  const count = async () => sumResults(await readMetrics(world)).total;
  await waitFor("every member is probed", count, (total) => total >= 2 * memberCount, {
    timeoutMs: SETTLE_TIMEOUT_MS,
    pauseMs: 5_000,
  });
}

async function measureSteady(world: ClusterWorld, members: MemberGroup, seconds: number) {
  const before = await readAll(world, members);
  for (let leftMs = 1_000 * seconds; leftMs > SCRAPE_MS; leftMs -= SCRAPE_MS) {
    await sleep(SCRAPE_MS);
    await readMetrics(world);
  }
  await sleep(Math.max(0, before.answered.atMs + 1_000 * seconds - performance.now()));
  const after = await readAll(world, members);
  const results = difference(sumResults(before.metrics).byCode, sumResults(after.metrics).byCode);
  const probeCount = Object.values(results).reduce((sum, count) => sum + count, 0);
  const network = difference(before.asked.network, after.asked.network);
  const least = after.asked.network.handshakeCount - before.answered.network.handshakeCount;
  const most = after.answered.network.handshakeCount - before.asked.network.handshakeCount;
  if (probeCount < least * (1 - TOLERATED_SHARE) || probeCount > most * (1 + TOLERATED_SHARE))
    throw new Error(
      `Cannot believe it: ${probeCount} probes, but the members saw ${least} to ${most} connections`,
    );
  const lateness = latenessBetween(before.metrics, after.metrics);
  const { machineBusy, machine, ...cpu } = difference(before.cpu, after.cpu);
  return {
    ...{ probeCount, results, ...network },
    seconds: (middleMs(after) - middleMs(before)) / 1_000,
    latenessMedianMs: 1_000 * histogramQuantile(lateness, 0.5),
    latenessP99Ms: 1_000 * histogramQuantile(lateness, 0.99),
    cpu: { ...cpu, machineBusyShare: machineBusy / machine },
  };
}

/** Everything that counts. A busy server answers late, so that its counters are of some moment between two. */
async function readAll(world: ClusterWorld, members: MemberGroup) {
  const moment = () => ({ network: readNetwork(), atMs: performance.now() });
  const [asked, cpu] = [moment(), readCpu(world, members)];
  const metrics = await readMetrics(world);
  return { asked, cpu, metrics, answered: moment() };
}

type Reading = Awaited<ReturnType<typeof readAll>>;

function middleMs({ asked, answered }: Reading): number {
  return (asked.atMs + answered.atMs) / 2;
}

function latenessBetween(before: readonly string[], after: readonly string[]): CumulativeHistogram {
  const read = (text = "") => readHistogram(text, "parasaus_probe_lag_seconds");
  return sumGrowth(before.map((text, index) => ({ before: read(text), after: read(after[index]) })));
}

function readMetrics(world: ClusterWorld): Promise<readonly string[]> {
  return Promise.all(world.servers().map(async ({ url }) => (await fetch(`${url}/metrics`)).text()));
}

function sumResults(texts: readonly string[]): { total: number; byCode: Record<string, number> } {
  const byCode: Record<string, number> = {};
  let total = 0;
  for (const [, code = "", count] of texts
    .join("\n")
    .matchAll(/^parasaus_healthcheck_results_total\{check="tcp",code="(\w+)"\} (\d+)$/gm)) {
    byCode[code] = (byCode[code] ?? 0) + Number(count);
    total += Number(count);
  }
  return { total, byCode };
}

function readCpu(world: ClusterWorld, members: MemberGroup) {
  const [user = 0, nice = 0, system = 0, idle = 0, wait = 0, ...interrupts] =
    /^cpu +(.*)$/m.exec(readFileSync("/proc/stat", "utf8"))?.[1]?.split(" ").slice(0, 8).map(Number) ?? [];
  const machineBusy = interrupts.reduce((sum, each) => sum + each, user + nice + system);
  return {
    ...world.cpu(),
    members: cpuSeconds(members.process.pid),
    machineBusy,
    machine: machineBusy + idle + wait,
  };
}

function readNetwork(): { readonly handshakeCount: number; readonly overflowCount: number } {
  return {
    handshakeCount: kernelCounter("/proc/net/snmp", "Tcp", "PassiveOpens"),
    overflowCount: kernelCounter("/proc/net/netstat", "TcpExt", "ListenDrops"),
  };
}

function kernelCounter(file: string, group: string, name: string): number {
  const [names, values] = readFileSync(file, "utf8")
    .split("\n")
    .filter((line) => line.startsWith(`${group}: `))
    .map((line) => line.split(" "));
  const column = names?.indexOf(name) ?? -1;
  if (column < 0) throw new Error(`${file} has no counter ${group} ${name}`);
  return Number(values?.[column]);
}

function difference<Key extends string>(before: Record<Key, number>, after: Record<Key, number>) {
  const keys = Object.keys(after) as Key[];
  return Object.fromEntries(keys.map((key) => [key, after[key] - (before[key] ?? 0)])) as Record<Key, number>;
}
