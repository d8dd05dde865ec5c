import { expect, it } from "vitest";
import { histogramQuantile, readHistogram, sumGrowth } from "./histogram.ts";

const text = (low: number, middle: number, all: number) =>
  [
    "# TYPE lag_seconds histogram",
    `lag_seconds_bucket{le="0.1"} ${low}`,
    `lag_seconds_bucket{le="0.5"} ${middle}`,
    `lag_seconds_bucket{le="+Inf"} ${all}`,
    "lag_seconds_sum 3",
  ].join("\n");

it("adds up what came in meanwhile, and finds a quantile within its bucket", () => {
  const read = (...counts: [number, number, number]) => readHistogram(text(...counts), "lag_seconds");
  const grown = sumGrowth([
    { before: read(100, 100, 100), after: read(150, 175, 175) },
    { before: read(0, 0, 1), after: read(0, 25, 26) },
  ]);
  expect(grown.map(({ count }) => count)).toEqual([50, 100, 100]);
  expect(histogramQuantile(grown, 0.5)).toBeCloseTo(0.1);
  expect(histogramQuantile(grown, 0.75)).toBeCloseTo(0.3);
  expect(histogramQuantile(grown, 1)).toBeCloseTo(0.5);
});

it("calls what lies beyond the last bound infinite, and what never came in not a number", () => {
  const none = readHistogram(text(0, 0, 0), "lag_seconds");
  const beyond = readHistogram(text(1, 1, 9), "lag_seconds");
  expect(histogramQuantile(beyond, 0.99)).toBe(Number.POSITIVE_INFINITY);
  expect(histogramQuantile(none, 0.99)).toBeNaN();
});

it("does not take a metric that is missing for one that stands at zero", () => {
  expect(() => readHistogram("", "lag_seconds")).toThrow("There is no histogram lag_seconds");
});
