import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import type { Namespace } from "../../test/lab/namespaces.ts";
import type { Contender } from "./peers.ts";
import type { BenchTopology } from "./topology.ts";

/** What one slice of one contender gave. */
export interface Slice {
  /** Requests or connections a second, or bits a second. */
  readonly rate: number;
  /** 99th percentile of latency, ms; absent for bulk. */
  readonly p99Ms?: number;
  /** Requests that failed. */
  readonly errorCount: number;
  /** CPU seconds of the whole machine per packet that entered the node. */
  readonly cpuSecondsPerPacket: number;
}

const CONNECTIONS_PER_PROCESS = 8;

const PROCESSES_PER_CLIENT = 2;

/** HTTP load from every client, one process on each of two CPUs, which the members share: both are as busy. */
export async function measureHttp(
  lab: BenchTopology,
  contender: Contender,
  keepAlive: boolean,
  seconds: number,
): Promise<Slice> {
  const cost = startCost(lab.nodes[contender.node]);
  const outputs = await Promise.all(
    lab.clients.flatMap((client) =>
      Array.from({ length: PROCESSES_PER_CLIENT }, (_, cpu) =>
        runWrk(client, contender.httpTarget, { cpu, keepAlive, seconds }),
      ),
    ),
  );
  const results = outputs.map(parseWrk);
  return {
    rate: results.reduce((sum, result) => sum + result.rate, 0),
    p99Ms: Math.max(...results.map((result) => result.p99Ms)),
    errorCount: results.reduce((sum, result) => sum + result.errorCount, 0),
    cpuSecondsPerPacket: cost(),
  };
}

interface Load {
  readonly cpu: number;
  readonly keepAlive: boolean;
  readonly seconds: number;
}

function runWrk(client: Namespace, target: string, load: Load): Promise<string> {
  const header = load.keepAlive ? [] : ["-H", "Connection: close"];
  return outputOf(
    client.start([
      "timeout",
      "20",
      "taskset",
      "-c",
      String(load.cpu),
      "wrk",
      "-t1",
      `-c${CONNECTIONS_PER_PROCESS}`,
      `-d${load.seconds}s`,
      "--latency",
      ...header,
      target,
    ]),
  );
}

interface WrkResult {
  readonly rate: number;
  readonly p99Ms: number;
  readonly errorCount: number;
}

/** Reads what wrk prints: `99%    1.23ms`, `Requests/sec:  1234.5`, `Socket errors: connect 0, read 1, write 0, timeout 0`. */
export function parseWrk(output: string): WrkResult {
  const latency = /99%\s+([\d.]+)(us|ms|s)/.exec(output);
  const toMs = { us: 0.001, ms: 1, s: 1000 }[latency?.[2] ?? "ms"] ?? 1;
  const errors = /Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)/.exec(output);
  const rate = /Requests\/sec:\s+([\d.]+)/.exec(output);
  if (!latency || !rate) throw new Error(`Cannot read wrk's output: ${output}`);
  return {
    rate: Number(rate[1]),
    p99Ms: Number(latency[1]) * toMs,
    errorCount: errors ? errors.slice(1).reduce((sum, each) => sum + Number(each), 0) : 0,
  };
}

/** Bulk transfer from the first client, four streams, iperf3's default window. */
export async function measureBulk(lab: BenchTopology, contender: Contender, seconds: number): Promise<Slice> {
  const target = contender.bulkTarget;
  const [client] = lab.clients;
  if (!client) throw new Error("Cannot measure: no client");
  const cost = startCost(lab.nodes[contender.node]);
  const output = await outputOf(
    client.start([
      "timeout",
      "10",
      "iperf3",
      "-J",
      "-c",
      target.ip,
      "-p",
      String(target.port),
      "-P",
      "4",
      "-t",
      String(seconds),
    ]),
  );
  const report = JSON.parse(output) as {
    readonly end?: { readonly sum_received?: { readonly bits_per_second: number } };
  };
  const rate = report.end?.sum_received?.bits_per_second;
  return { rate: rate ?? 0, errorCount: rate === undefined ? 1 : 0, cpuSecondsPerPacket: cost() };
}

/** The CPU time of the machine and the node's packets from now until the returned function is called. */
function startCost(node: Namespace): () => number {
  const cpu = readCpuSeconds();
  const packets = readPackets(node);
  return () => (readCpuSeconds() - cpu) / Math.max(1, readPackets(node) - packets);
}

function readCpuSeconds(): number {
  const fields =
    readFileSync("/proc/stat", "utf8").split("\n")[0]?.trim().split(/\s+/).slice(1).map(Number) ?? [];
  const idle = (fields[3] ?? 0) + (fields[4] ?? 0);
  return (fields.slice(0, 8).reduce((sum, each) => sum + each, 0) - idle) / 100;
}

function readPackets(node: Namespace): number {
  const lines = node
    .run("cat", "/proc/net/dev")
    .split("\n")
    .filter((line) => line.includes(":") && !line.includes("lo:"));
  return lines.reduce((sum, line) => sum + Number(line.split(":")[1]?.trim().split(/\s+/)[1] ?? 0), 0);
}

async function outputOf(child: ChildProcess): Promise<string> {
  let text = "";
  child.stdout?.on("data", (bytes) => {
    text += String(bytes);
  });
  await once(child, "close");
  return text;
}

/** Waits until something answers at `url` from the client's namespace. */
export async function waitForHttp(client: Namespace, url: string): Promise<void> {
  const deadlineMs = performance.now() + 15_000;
  for (;;) {
    const probe = spawn("nsenter", [
      `--net=/run/netns/${client.id}`,
      "curl",
      "-s",
      "-m",
      "1",
      "-o",
      "/dev/null",
      url,
    ]);
    const [code] = await once(probe, "exit");
    if (code === 0) return;
    if (performance.now() > deadlineMs) throw new Error(`Cannot reach ${url}: no answer within 15 s`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
