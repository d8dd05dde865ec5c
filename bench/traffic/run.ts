import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { type Figure, figure, pairedRatio } from "../statistics.ts";
import { measureBulk, measureHttp, type Slice, waitForHttp } from "./measure.ts";
import { startParasaus } from "./parasaus.ts";
import { type Contender, direct, startHaproxy, startMembers, startNftables, startNginx } from "./peers.ts";
import { type BenchTopology, openBenchTopology } from "./topology.ts";

/** How long the bench takes. */
export interface TrafficOptions {
  /** Rounds of each work at least; up to three times as many while the noise is above {@link NOISE_LIMIT}. */
  readonly rounds: number;
  readonly sliceSeconds: number;
  readonly print: (line: string) => void;
}

/** A slice of a contender between two slices of plain routing. */
export interface PairedSlice {
  readonly slice: Slice;
  /** Mean of the slices of `direct` just before and just after, without one that failed. */
  readonly directRate: number;
  readonly directCpuSecondsPerPacket: number;
}

/** What came of one work. */
export interface WorkResult {
  readonly direct: readonly Slice[];
  readonly contenders: ReadonlyMap<string, readonly PairedSlice[]>;
}

/** What came of it: the figures, and by work every slice for the ratios. */
export interface TrafficResult {
  readonly figures: readonly Figure[];
  readonly works: ReadonlyMap<string, WorkResult>;
}

/** How far `direct` may be off against itself before no ratio is believed. */
export const NOISE_LIMIT = 0.03;

/** Runs every contender side by side on one topology, in adjacent slices, and removes everything afterwards. */
export async function runTraffic(options: TrafficOptions): Promise<TrafficResult> {
  const folder = mkdtempSync(path.join(tmpdir(), "parasaus-bench-"));
  try {
    await using lab = await openBenchTopology();
    startMembers(lab, folder);
    const parasaus = await startParasaus(lab);
    await using _product = parasaus.product;
    const contenders = [
      ...parasaus.contenders,
      startNginx(lab, folder),
      startHaproxy(lab, folder),
      startNftables(lab, folder),
      direct(lab, "direct-again"),
    ];
    await waitForAll(lab, contenders);
    const works = new Map<string, WorkResult>();
    for (const work of ["keepalive", "newconn", "bulk"] as const)
      works.set(work, await measureWork(lab, contenders, work, options));
    return { figures: [...works].flatMap(([work, result]) => figuresOf(work, result)), works };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function waitForAll(lab: BenchTopology, contenders: readonly Contender[]): Promise<void> {
  const targets = contenders.map((contender) => contender.httpTarget);
  for (const client of lab.clients) await Promise.all(targets.map((target) => waitForHttp(client, target)));
}

async function measureWork(
  lab: BenchTopology,
  contenders: readonly Contender[],
  work: Work,
  options: TrafficOptions,
): Promise<WorkResult> {
  const reference = direct(lab, "direct");
  const taking = contenders.filter((contender) => work !== "bulk" || !contender.disturb);
  const result = {
    direct: [await measureSlice(lab, reference, work, options)],
    contenders: new Map<string, PairedSlice[]>(taking.map((contender) => [contender.name, []])),
  };
  const isNoisy = () => Math.abs(noiseOf(result) - 1) > NOISE_LIMIT;
  for (let round = 0; round < options.rounds || (isNoisy() && round < options.rounds * 3); round += 1) {
    for (const contender of taking) {
      const before = result.direct.at(-1);
      const slice = await measureSlice(lab, contender, work, options);
      const after = await measureSlice(lab, reference, work, options);
      result.direct.push(after);
      result.contenders.get(contender.name)?.push(pair(slice, before ?? after, after));
    }
    options.print(`${work}: round ${round + 1}, A/A noise ${noiseOf(result).toFixed(3)}`);
  }
  return result;
}

function pair(slice: Slice, before: Slice, after: Slice): PairedSlice {
  const ran = [before, after].filter(({ rate }) => rate > 0);
  return {
    slice,
    directRate: mean(ran.map(({ rate }) => rate)),
    directCpuSecondsPerPacket: mean(ran.map(({ cpuSecondsPerPacket }) => cpuSecondsPerPacket)),
  };
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, each) => sum + each, 0) / values.length;
}

async function measureSlice(
  lab: BenchTopology,
  contender: Contender,
  work: Work,
  options: TrafficOptions,
): Promise<Slice> {
  const stop = new AbortController();
  const disturbance = contender.disturb?.(stop.signal);
  try {
    if (work === "bulk") return await measureBulk(lab, contender, options.sliceSeconds);
    return await measureHttp(lab, contender, work === "keepalive", options.sliceSeconds);
  } finally {
    stop.abort();
    await disturbance;
  }
}

type Work = keyof typeof RATE;

const RATE = {
  keepalive: ["keepalive-rps", "1/s"],
  newconn: ["newconn-rps", "1/s"],
  bulk: ["bulk-throughput", "bit/s"],
} as const;

function figuresOf(work: string, result: WorkResult): Figure[] {
  const all = [["direct", result.direct] as const, ...slicesOf(result)];
  const rates = all.flatMap(([contender, slices]) => rateFigures(work as Work, contender, slices));
  if (work !== "keepalive") return rates;
  const costs = [...result.contenders].map(([contender, pairs]) =>
    figure(
      "cpu-per-million-packets",
      contender,
      "s",
      pairs.map((each) => (each.slice.cpuSecondsPerPacket - each.directCpuSecondsPerPacket) * 1e6),
    ),
  );
  return [...rates, ...costs];
}

function slicesOf(result: WorkResult): (readonly [string, readonly Slice[]])[] {
  return [...result.contenders].map(([name, pairs]) => [name, pairs.map((each) => each.slice)] as const);
}

function rateFigures(work: Work, contender: string, slices: readonly Slice[]): Figure[] {
  const [name, unit] = RATE[work];
  const rates = slices.map((slice) => slice.rate);
  const p99 = slices.flatMap((slice) => (slice.p99Ms === undefined ? [] : [slice.p99Ms]));
  const latency = p99.length > 0 ? [figure(name.replace("rps", "p99"), contender, "ms", p99)] : [];
  return [figure(name, contender, unit, rates), ...latency];
}

/** Each round's rate of a contender, in units of plain routing just before and after it. */
export function relativeRates(result: WorkResult, contender: string): readonly number[] {
  if (contender === "direct")
    return (
      result.contenders
        .values()
        .next()
        .value?.map(() => 1) ?? []
    );
  return result.contenders.get(contender)?.map((each) => each.slice.rate / each.directRate) ?? [];
}

/** Median ratio of a contender's rate to another's, round by round. */
export function ratioOf(result: WorkResult, contender: string, base: string): number {
  return pairedRatio(relativeRates(result, contender), relativeRates(result, base));
}

function noiseOf(result: WorkResult): number {
  return ratioOf(result, "direct-again", "direct");
}
