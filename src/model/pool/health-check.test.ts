import { describe, expect, it } from "vitest";
import { healthCheckTiming } from "./health-check.ts";

describe("healthCheckTiming", () => {
  it("derives every absent time from the interval", () => {
    expect(healthCheckTiming({ interval: "4s" })).toEqual({
      intervalMs: 4000,
      fastIntervalMs: 4000,
      downIntervalMs: 4000,
      timeoutMs: 1000,
    });
  });

  it("keeps the default timeout below a short interval, so that lowering the interval alone is enough", () => {
    expect(healthCheckTiming({ interval: "2s", fastInterval: "300ms" }).timeoutMs).toBe(300);
  });
});
