import { type Figure, quantile } from "../statistics.ts";
import { NOISE_LIMIT, ratioOf, relativeRates, type TrafficResult, type WorkResult } from "./run.ts";

const PEERS = ["nginx", "haproxy", "nftables"];

/** The table on the terminal: medians, and the ratios that count. */
export function printTraffic(result: TrafficResult): string {
  return [...result.works].map(([work, of]) => printWork(of, work, result.figures)).join("\n");
}

function printWork(result: WorkResult, work: string, figures: readonly Figure[]): string {
  const noise = ratioOf(result, "direct-again", "direct");
  const rates = figures.filter((each) => each.work.startsWith(`${work}-`) && !each.work.endsWith("p99"));
  const header = ["contender", "median", "p99 ms", "/ direct", "quartiles"];
  const cells = rates.map((rate) => row(result, rate, figures));
  const trust = Math.abs(noise - 1) > NOISE_LIMIT ? "  (over 3 %: do not believe these ratios)" : "";
  const title = `${rates[0]?.work ?? work} [${rates[0]?.unit ?? ""}]   rounds ${rates[1]?.rounds ?? 0}   A/A noise ${noise.toFixed(3)}${trust}`;
  return `\n${title}\n${align([[...header, ...PEERS.map((peer) => `/ ${peer}`), "failed"], ...cells])}`;
}

function row(result: WorkResult, rate: Figure, figures: readonly Figure[]): string[] {
  const relative = relativeRates(result, rate.contender);
  const p99 = figures.find(
    (each) =>
      each.contender === rate.contender && each.work === rate.work.replace("rps", "p99") && each !== rate,
  );
  return [
    rate.contender,
    short(rate.median),
    p99 ? p99.median.toFixed(1) : "-",
    quantile(relative, 0.5).toFixed(2),
    `${quantile(relative, 0.25).toFixed(2)}-${quantile(relative, 0.75).toFixed(2)}`,
    ...PEERS.map((peer) => ratioOf(result, rate.contender, peer).toFixed(2)),
    String(failuresOf(result, rate.contender)),
  ];
}

function failuresOf(result: WorkResult, contender: string): number {
  const slices =
    contender === "direct"
      ? result.direct
      : (result.contenders.get(contender)?.map((each) => each.slice) ?? []);
  return slices.reduce((sum, slice) => sum + slice.errorCount, 0);
}

function short(value: number): string {
  if (value >= 1e9) return `${(value / 1e9).toFixed(2)}G`;
  return value >= 1e4 ? `${(value / 1e3).toFixed(1)}k` : value.toFixed(1);
}

function align(table: readonly (readonly string[])[]): string {
  const widths =
    table[0]?.map((_, column) => Math.max(...table.map((line) => line[column]?.length ?? 0))) ?? [];
  return table
    .map(
      (line) =>
        `  ${line.map((cell, column) => (column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0))).join("  ")}\n`,
    )
    .join("");
}
