import { setImmediate } from "node:timers/promises";

/** One metric with all its series, in Prometheus' words. */
export interface MetricFamily {
  readonly name: string;
  readonly help: string;
  readonly type: "counter" | "gauge" | "histogram";
  readonly samples: Iterable<MetricSample>;
}

/** One series and its value now. */
export interface MetricSample {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
  /** Of a histogram: `_bucket`, `_sum`, `_count`. */
  readonly suffix?: string;
}

/** How many lines are written before anything else may run. */
const TURN_LINES = 2000;

/**
 * Writes families in Prometheus' text format 0.0.4, straight from the counters and in turns: a node with 35,000 pools
 * has hundreds of thousands of series, and nobody else must wait for them.
 */
export async function renderFamilies(families: Iterable<MetricFamily>): Promise<string> {
  const turns: string[] = [];
  let lines: string[] = [];
  for (const { name, help, type, samples } of families) {
    lines.push(`# HELP ${name} ${help}\n# TYPE ${name} ${type}\n`);
    for (const { suffix = "", labels, value } of samples) {
      lines.push(`${name}${suffix}${renderLabels(labels)} ${value}\n`);
      if (lines.length < TURN_LINES) continue;
      turns.push(lines.join(""));
      lines = [];
      await setImmediate();
    }
  }
  return [...turns, ...lines].join("");
}

/** Samples that are made only when they are written. */
export function samplesOf<Row>(
  rows: Iterable<Row>,
  read: (row: Row) => MetricSample | readonly MetricSample[],
): Iterable<MetricSample> {
  return {
    *[Symbol.iterator]() {
      for (const row of rows) yield* [read(row)].flat();
    },
  };
}

function renderLabels(labels: Readonly<Record<string, string>>): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escapeLabel(value)}"`);
  return pairs.length === 0 ? "" : `{${pairs.join(",")}}`;
}

function escapeLabel(value: string): string {
  return /["\\\n]/.test(value)
    ? value.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n")
    : value;
}
