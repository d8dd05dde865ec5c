import { type ChildProcess, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { createInterface } from "node:readline";
import { silentLogger, systemClock } from "../../src/foundation/index.ts";
import { type Pool, poolDefinition } from "../../src/model/index.ts";
import { createNodeTransport, createRemoteResources } from "../../src/resources/remote/index.ts";
import { openEtcdStore } from "../../src/store/etcd/index.ts";
import { type RunningProgram, startProgram } from "../scenario/program.ts";
import { type EtcdCluster, startEtcd } from "./etcd.ts";
import { endProcess } from "./namespaces.ts";
import { labProgram } from "./traffic.ts";

const POOLS = "/parasaus/registry/parasaus.io/pools/default/";
const NAMESPACE = "default";
const WRITES_AT_ONCE = 100;
const FIRST_PORT = 30_000;

/** How large. */
export interface ClusterOptions {
  readonly agentCount: number;
  readonly poolCount: number;
  /** Processes that the agents are spread over. */
  readonly hostCount: number;
  /** Spec of each pool; its members are up. Default: two members without a check. */
  readonly specOf?: PoolSpecOf;
}

/** What a pool of the cluster says, by its number and the weight of its members. */
export type PoolSpecOf = (
  index: number,
  weight: number,
) => {
  readonly healthCheck: object;
  readonly members: readonly { readonly ip: string; readonly port: number; readonly weight: number }[];
};

/** What an agent is doing, and did since the last `reset`; times are milliseconds since 1970. */
export interface AgentReport {
  readonly name: string;
  /** Lists of all pools that it began, and pages that it asked for. */
  readonly listCount: number;
  readonly pageCount: number;
  /** Watches of the pools that were answered, and when the last one was. */
  readonly watchCount: number;
  readonly watchMs: number;
  readonly poolCount: number;
  readonly source: string;
  readonly appliedRevision: string;
  readonly tableHash: string;
  readonly lastAppliedMs: number;
}

/** CPU time used so far, seconds. */
export interface CpuTimes {
  readonly servers: number;
  readonly etcd: number;
  readonly agents: number;
}

/** Two servers over one etcd, and agents. Disposing it ends all of them. */
export interface ClusterWorld extends AsyncDisposable {
  readonly etcd: EtcdCluster;
  /** The servers that run now. */
  servers(): readonly RunningProgram[];
  /** Lets all agents begin. @returns when that was, milliseconds since 1970 */
  startAgents(): Promise<number>;
  reports(): Promise<readonly AgentReport[]>;
  /** What agents warned of since they started, and how often. */
  warnings(): Promise<readonly string[]>;
  /** When each agent had changes in its kernel since the last `reset`, milliseconds since 1970. */
  applied(): Promise<readonly (readonly number[])[]>;
  /** When each agent last had each pool in its kernel since the last `reset`, by uid, milliseconds since 1970. */
  appliedPools(): Promise<readonly Readonly<Record<string, number>>[]>;
  reset(): Promise<void>;
  /** Changes one pool through one of the servers. @returns when it was asked for, milliseconds since 1970 */
  changePool(index: number, weight: number): Promise<number>;
  /** Ends both servers and starts them again. @returns when that began, milliseconds since 1970 */
  restartServers(): Promise<number>;
  /** Value of a metric of etcd, summed over its labels. */
  etcdMetric(name: string): Promise<number>;
  cpu(): CpuTimes;
  /** Largest resident size that a server had since it started, MiB. */
  serverPeakMib(): number;
  /** Largest resident sizes of the processes of the agents together, MiB. */
  agentsPeakMib(): number;
}

interface AgentHost {
  readonly process: ChildProcess;
  ask(command: string): Promise<unknown>;
}

/** Starts etcd with the pools in it, two servers, and processes whose agents wait for their start. */
export async function openCluster(options: ClusterOptions): Promise<ClusterWorld> {
  const specOf = options.specOf ?? withoutCheck;
  const folder = mkdtempSync(path.join(tmpdir(), "parasaus-cluster-"));
  const etcd = await startEtcd();
  const startServer = () =>
    startProgram("server", "--auto-create-namespaces=true", `--store=etcd://${etcd.endpoints.join(",")}`);
  let servers: readonly RunningProgram[] = [];
  const hosts: AgentHost[] = [];
  const dispose = async () => {
    await Promise.all(hosts.map(({ process }) => endProcess(process)));
    await Promise.all(servers.map((server) => server[Symbol.asyncDispose]()));
    await etcd[Symbol.asyncDispose]();
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    const template = await makeTemplate(startServer, specOf);
    await seedPools(etcd, template, options.poolCount, specOf);
    servers = await Promise.all([startServer(), startServer()]);
    const urls = servers.map(({ url }) => url);
    hosts.push(...(await startHosts(options, folder, urls)));
  } catch (failure) {
    await dispose();
    throw failure;
  }
  const askAll = async <Answer>(command: string) =>
    (await Promise.all(hosts.map((host) => host.ask(command)))) as readonly Answer[];
  return {
    etcd,
    servers: () => servers,
    startAgents: async () =>
      Math.min(...(await askAll<{ startedMs: number }>("start")).map(({ startedMs }) => startedMs)),
    reports: async () => (await askAll<readonly AgentReport[]>("report")).flat(),
    warnings: async () => countAll(await askAll<Readonly<Record<string, number>>>("warnings")),
    applied: async () => (await askAll<readonly (readonly number[])[]>("applied")).flat(),
    appliedPools: async () =>
      (await askAll<readonly Readonly<Record<string, number>>[]>("applied-pools")).flat(),
    reset: async () => void (await askAll("reset")),
    changePool: (index, weight) =>
      changePool(servers[index % 2]?.url ?? "", nameOf(index), specOf(index, weight)),
    restartServers: async () => {
      const beganMs = performance.timeOrigin + performance.now();
      servers = await Promise.all(servers.map((server) => server.restart()));
      return beganMs;
    },
    etcdMetric: (name) => readMetric(`http://${etcd.endpoints[0]}/metrics`, name),
    cpu: () => ({
      servers: servers.reduce((sum, { process }) => sum + cpuSeconds(process.pid), 0),
      etcd: cpuSeconds(etcd.members[0]?.pid()),
      agents: hosts.reduce((sum, { process }) => sum + cpuSeconds(process.pid), 0),
    }),
    serverPeakMib: () => Math.max(...servers.map(({ process }) => peakMib(process.pid))),
    agentsPeakMib: () => hosts.reduce((sum, { process }) => sum + peakMib(process.pid), 0),
    [Symbol.asyncDispose]: dispose,
  };
}

function countAll(counts: readonly Readonly<Record<string, number>>[]): readonly string[] {
  const sums = new Map<string, number>();
  for (const [what, count] of counts.flatMap(Object.entries)) sums.set(what, (sums.get(what) ?? 0) + count);
  return [...sums].map(([what, count]) => `${count} × ${what}`);
}

/** Asks until it is so; names what was waited for when it does not come. */
export async function waitFor<Value>(
  what: string,
  read: () => Promise<Value>,
  isThere: (value: Value) => boolean,
  { timeoutMs = 120_000, pauseMs = 100 } = {},
): Promise<Value> {
  for (const deadlineMs = performance.now() + timeoutMs; ; ) {
    const value = await read();
    if (isThere(value)) return value;
    if (performance.now() > deadlineMs) throw new Error(`Waited ${timeoutMs} ms in vain until ${what}`);
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
  }
}

/** A pool as a server leaves it in the store: with its address, and with all that the controllers write. */
async function makeTemplate(startServer: () => Promise<RunningProgram>, specOf: PoolSpecOf): Promise<Pool> {
  await using server = await startServer();
  using transport = createNodeTransport({ servers: [server.url] });
  const resources = createRemoteResources({ transport, clock: systemClock });
  const reference = { definition: poolDefinition, namespace: NAMESPACE, name: nameOf(0) };
  const pool = { metadata: { name: nameOf(0), namespace: NAMESPACE }, spec: specOf(0, 1) };
  await resources.create(poolDefinition, pool, { operator: "bench" });
  const hasAll = ({ status, spec }: Pool) =>
    ["Allocated", "Available"].every((type) => status?.conditions?.some((each) => each.type === type)) &&
    status?.members?.filter(({ verdict }) => verdict === "up").length === spec.members.length;
  return await waitFor(
    "a pool has its address",
    async () => (await resources.get(reference)) as Pool,
    (found) => found.status?.connectAddresses?.length === 1 && hasAll(found),
  );
}

/** Writes the pools as they would be there after all were created, a hundred in a transaction. */
async function seedPools(
  { endpoints }: EtcdCluster,
  template: Pool,
  count: number,
  specOf: PoolSpecOf,
): Promise<void> {
  const common = { clock: systemClock, random: Math.random, logger: silentLogger };
  await using store = await openEtcdStore({ endpoints, ...common });
  for (let first = 0; first < count; first += WRITES_AT_ONCE) {
    const indexes = Array.from(
      { length: Math.min(WRITES_AT_ONCE, count - first) },
      (_, offset) => first + offset,
    );
    const writes = indexes.map((index) => ({
      kind: "put" as const,
      key: `${POOLS}${nameOf(index)}`,
      value: JSON.stringify(poolOf(template, index, specOf(index, 1))),
    }));
    await store.transact([], writes);
  }
}

function poolOf(
  { apiVersion, kind, metadata, spec, status }: Pool,
  index: number,
  wanted: ReturnType<PoolSpecOf>,
): object {
  const { resourceVersion: _, ...kept } = metadata;
  const uid = index === 0 ? metadata.uid : randomUUID();
  const [address] = status?.connectAddresses ?? [];
  const port = FIRST_PORT + index;
  // The controllers find everything as they would have left it, and write nothing.
  const conditions = (status?.conditions ?? [])
    .filter(({ type }) => type !== "Programmed")
    .map((each) => ({ ...each, message: each.message.replace(`:${address?.port}/`, `:${port}/`) }));
  const members = wanted.members.map(({ ip, port }, at) => ({
    ...storedPart(status?.members?.[at] ?? {}),
    ...{ ip, port },
  }));
  return {
    ...{ apiVersion, kind },
    metadata: { ...kept, name: nameOf(index), uid },
    spec: { ...spec, members: wanted.members.map(withDefaults) },
    status: { ...storedPart(status ?? {}), conditions, members, connectAddresses: [{ ...address, port }] },
  };
}

/** Without what the API joins in when it is asked. */
function storedPart<Part extends { readonly lastOperation?: object }>({ lastOperation: _, ...stored }: Part) {
  return stored;
}

const nameOf = (index: number) => `pool-${index}`;
const withDefaults = (member: { readonly weight: number }) => ({ ...member, state: "ready" });

function withoutCheck(index: number, weight: number): ReturnType<PoolSpecOf> {
  const ip = (member: number) => `10.${100 + member}.${index >> 8}.${index & 255}`;
  const members = [1, 2].map((member) => ({ ip: ip(member), port: 8080, weight }));
  return { healthCheck: { type: "none" }, members };
}

async function changePool(
  server: string,
  name: string,
  { members }: ReturnType<PoolSpecOf>,
): Promise<number> {
  using transport = createNodeTransport({ servers: [server] });
  const resources = createRemoteResources({ transport, clock: systemClock });
  const askedMs = performance.timeOrigin + performance.now();
  await resources.patch(
    { definition: poolDefinition, namespace: NAMESPACE, name },
    { type: "merge", body: { spec: { members } } },
    { operator: "bench" },
  );
  return askedMs;
}

async function startHosts(
  { agentCount, hostCount }: ClusterOptions,
  folder: string,
  urls: readonly string[],
): Promise<readonly AgentHost[]> {
  const share = Math.ceil(agentCount / hostCount);
  const firsts = Array.from({ length: hostCount }, (_, host) => host * share);
  return await Promise.all(
    firsts.map((first) =>
      startHost(String(first + 1), String(Math.min(share, agentCount - first)), folder, urls.join(",")),
    ),
  );
}

async function startHost(...words: readonly string[]): Promise<AgentHost> {
  const [program = "", ...rest] = labProgram("agent-host.ts", ...words);
  const process = spawn(program, ["--max-old-space-size=8000", ...rest], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const lines = createInterface({ input: process.stdout })[Symbol.asyncIterator]();
  const gone = ended(process);
  gone.catch(() => undefined);
  const read = async () => String((await Promise.race([lines.next(), gone])).value);
  await read();
  return {
    process,
    ask: async (command) => {
      process.stdin.write(`${command}\n`);
      return JSON.parse(await read());
    },
  };
}

async function ended(process: ChildProcess): Promise<never> {
  const [code] = await once(process, "exit");
  throw new Error(`The host of the agents ended with ${code}`);
}

async function readMetric(url: string, name: string): Promise<number> {
  const text = await (await fetch(url)).text();
  const values = [...text.matchAll(new RegExp(`^${name}(?:\\{[^}]*\\})? (\\S+)$`, "gm"))];
  if (values.length === 0) throw new Error(`There is no metric ${name} at ${url}`);
  return values.reduce((sum, [, value]) => sum + Number(value), 0);
}

/** CPU time of a process so far, seconds. Clock ticks are hundredths of a second on every Linux that matters. */
export function cpuSeconds(pid = 0): number {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8")
    .replace(/^.*\) /, "")
    .split(" ");
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

function peakMib(pid = 0): number {
  return Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]) / 1_024;
}
