import { expect, it } from "vitest";
import { figure, pairedRatio, quantile } from "./statistics.ts";

it("interpolates quantiles, so that four rounds have a median between the middle two", () => {
  expect(quantile([4, 1, 3, 2], 0.5)).toBe(2.5);
  expect(quantile([1, 2, 3, 4, 5], 0.25)).toBe(2);
  expect(quantile([Number.POSITIVE_INFINITY], 0.5)).toBe(Number.POSITIVE_INFINITY);
});

it("takes ratios round by round, so that a slow second of the machine cancels out", () => {
  expect(pairedRatio([90, 45, 180], [100, 50, 200])).toBeCloseTo(0.9);
  expect(pairedRatio([90, 45, 180], [100, 0, 200])).toBeCloseTo(0.9);
  expect(pairedRatio([0, 0, 180], [100, 100, 200])).toBe(0);
});

it("reports the spread over the rounds with the median", () => {
  expect(figure("keepalive-rps", "direct", "1/s", [3, 1, 2])).toEqual({
    work: "keepalive-rps",
    contender: "direct",
    unit: "1/s",
    median: 2,
    min: 1,
    max: 3,
    rounds: 3,
  });
});
