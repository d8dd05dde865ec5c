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
  readonly rounds: number;
  readonly sliceSeconds: number;
  readonly print: (line: string) => void;
}

/** What came of it: the figures, and by contender each round's values for the ratios. */
export interface TrafficResult {
  readonly figures: readonly Figure[];
  readonly slices: ReadonlyMap<string, ReadonlyMap<string, readonly Slice[]>>;
}

/** Runs every contender side by side on one topology, in adjacent slices, and removes everything afterwards. */
export async function runTraffic(options: TrafficOptions): Promise<TrafficResult> {
  const folder = mkdtempSync(path.join(tmpdir(), "parasaus-bench-"));
  try {
    await using lab = await openBenchTopology();
    startMembers(lab, folder);
    const parasaus = await startParasaus(lab);
    await using _product = parasaus.product;
    const contenders = [
      direct(lab, "direct"),
      ...parasaus.contenders,
      startNginx(lab, folder),
      startHaproxy(lab, folder),
      startNftables(lab, folder),
      direct(lab, "direct-again"),
    ];
    await waitForAll(lab, contenders);
    const slices = new Map<string, Map<string, Slice[]>>();
    for (const work of ["keepalive", "newconn", "bulk"] as const) {
      slices.set(work, await measureRounds(lab, contenders, work, options));
    }
    return { figures: [...slices].flatMap(([work, byContender]) => figuresOf(work, byContender)), slices };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function waitForAll(lab: BenchTopology, contenders: readonly Contender[]): Promise<void> {
  const targets = contenders.flatMap((contender) => contender.httpTargets);
  for (const client of lab.clients) await Promise.all(targets.map((target) => waitForHttp(client, target)));
}

async function measureRounds(
  lab: BenchTopology,
  contenders: readonly Contender[],
  work: "keepalive" | "newconn" | "bulk",
  options: TrafficOptions,
): Promise<Map<string, Slice[]>> {
  const slices = new Map<string, Slice[]>(contenders.map((contender) => [contender.name, []]));
  for (let round = 0; round < options.rounds; round += 1) {
    for (const contender of contenders) {
      const slice =
        work === "bulk"
          ? await measureBulk(lab, contender, options.sliceSeconds)
          : await measureHttp(lab, contender, work === "keepalive", options.sliceSeconds);
      slices.get(contender.name)?.push(slice);
    }
    options.print(`${work}: round ${round + 1} of ${options.rounds}`);
  }
  return slices;
}

const RATE = {
  keepalive: ["keepalive-rps", "1/s"],
  newconn: ["newconn-rps", "1/s"],
  bulk: ["bulk-throughput", "bit/s"],
} as const;

function figuresOf(work: string, byContender: ReadonlyMap<string, readonly Slice[]>): Figure[] {
  const [rateName, unit] = RATE[work as keyof typeof RATE];
  const baseCost = byContender.get("direct")?.map((slice) => slice.cpuSecondsPerPacket) ?? [];
  return [...byContender].flatMap(([contender, slices]) => {
    const p99 = slices.flatMap((slice) => (slice.p99Ms === undefined ? [] : [slice.p99Ms]));
    const extraCost = slices.map(
      (slice, round) => (slice.cpuSecondsPerPacket - (baseCost[round] ?? Number.NaN)) * 1e6,
    );
    return [
      figure(
        rateName,
        contender,
        unit,
        slices.map((slice) => slice.rate),
      ),
      ...(p99.length > 0 ? [figure(rateName.replace("rps", "p99"), contender, "ms", p99)] : []),
      ...(work === "keepalive" ? [figure("cpu-per-million-packets", contender, "s", extraCost)] : []),
    ];
  });
}

/** Median ratio of a contender's rate to another's, round by round. */
export function ratioOf(result: TrafficResult, work: string, contender: string, base: string): number {
  const rates = (name: string) =>
    result.slices
      .get(work)
      ?.get(name)
      ?.map((slice) => slice.rate) ?? [];
  return pairedRatio(rates(contender), rates(base));
}
