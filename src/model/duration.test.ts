import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { formatDurationMs, parseDurationMs } from "./duration.ts";

describe("parseDurationMs", () => {
  it.each([
    ["500ms", 500],
    ["2s", 2000],
    ["1.5s", 1500],
    ["1m30s", 90_000],
    ["1h", 3_600_000],
    ["0s", 0],
    [2, 2000],
    ["2", 2000],
    [0, 0],
  ])("reads %j as %i ms", (value, expected) => {
    expect(parseDurationMs(value)).toBe(expected);
  });

  it.each([
    "",
    "s",
    "2 s",
    "-1s",
    "2d",
    "1s 2s",
    "2S",
    ".5s",
    "1".repeat(40),
    -1,
    1.5,
    Number.NaN,
    null,
    true,
  ])("refuses %j, because it is no duration", (value) => {
    expect(parseDurationMs(value)).toBeUndefined();
  });

  it("reads back whatever was formatted", () => {
    fc.assert(
      fc.property(fc.nat(1_000_000_000), (ms) => {
        expect(parseDurationMs(formatDurationMs(ms))).toBe(ms);
      }),
    );
  });
});
