import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";
import { VERSION } from "../../foundation/index.ts";

/** Label values of one sample. */
export type Labels = Readonly<Record<string, string>>;

/** Metrics of the process itself; hides the library behind it. */
export interface ProcessMetrics {
  /** A counter; call the result to add. */
  counter(
    name: string,
    help: string,
    labelNames: readonly string[],
  ): (labels: Labels, amount?: number) => void;
  /** A gauge; call the result to set. */
  gauge(name: string, help: string, labelNames: readonly string[]): (labels: Labels, value: number) => void;
  /** A histogram of seconds; call the result to observe. */
  histogram(
    name: string,
    help: string,
    labelNames: readonly string[],
  ): (labels: Labels, seconds: number) => void;
  /** All of them in Prometheus' text format. */
  render(): Promise<string>;
}

const SECONDS_BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/** A registry with `process_*`, `nodejs_*` and `parasaus_build_info`. */
export function createProcessMetrics(): ProcessMetrics {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });
  const build = new Gauge({
    name: "parasaus_build_info",
    help: "1; the labels say what runs.",
    labelNames: ["version"],
    registers,
  });
  build.set({ version: VERSION }, 1);
  return {
    counter: (name, help, labelNames) => {
      const metric = new Counter({ name, help, labelNames: [...labelNames], registers });
      return (labels, amount = 1) => metric.inc({ ...labels }, amount);
    },
    gauge: (name, help, labelNames) => {
      const metric = new Gauge({ name, help, labelNames: [...labelNames], registers });
      return (labels, value) => metric.set({ ...labels }, value);
    },
    histogram: (name, help, labelNames) => {
      const metric = new Histogram({
        name,
        help,
        labelNames: [...labelNames],
        registers,
        buckets: SECONDS_BUCKETS,
      });
      return (labels, seconds) => metric.observe({ ...labels }, seconds);
    },
    render: () => registry.metrics(),
  };
}
