import type { Figure } from "../statistics.ts";
import { ratioOf, type TrafficResult } from "./run.ts";

const PEERS = ["direct", "nginx", "haproxy", "nftables"];
const NOISE_LIMIT = 0.03;

/** The table on the terminal: medians, and the ratios that count. */
export function printTraffic(result: TrafficResult): string {
  return [...result.slices.keys()].map((work) => printWork(result, work)).join("\n");
}

function printWork(result: TrafficResult, work: string): string {
  const noise = ratioOf(result, work, "direct-again", "direct");
  const rows = result.figures.filter(
    (figure) => figure.work.startsWith(`${work}-`) && !figure.work.endsWith("p99"),
  );
  const header = ["contender", "median", "min", "max", ...PEERS.map((peer) => `/ ${peer}`), "failed"];
  const cells = rows.map((figure) => row(result, work, figure));
  const trust = Math.abs(noise - 1) > NOISE_LIMIT ? "  (over 3 %: do not believe these ratios)" : "";
  return `\n${rows[0]?.work ?? work} [${rows[0]?.unit ?? ""}]   A/A noise ${noise.toFixed(3)}${trust}\n${align([header, ...cells])}`;
}

function row(result: TrafficResult, work: string, figure: Figure): string[] {
  const errors =
    result.slices
      .get(work)
      ?.get(figure.contender)
      ?.reduce((sum, slice) => sum + slice.errorCount, 0) ?? 0;
  const ratios = PEERS.map((peer) => ratioOf(result, work, figure.contender, peer).toFixed(2));
  return [figure.contender, ...[figure.median, figure.min, figure.max].map(short), ...ratios, String(errors)];
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
