import { expect, it } from "vitest";
import { FakeClock } from "../foundation/index.ts";
import { createCpuShare, readCpuTimes } from "./cpu-share.ts";

it("tells how busy the processors were between two readings, not since the machine started", async () => {
  const clock = new FakeClock();
  let times = { busyMs: 1_000_000, idleMs: 0 };
  const share = createCpuShare(clock, () => times);
  expect(share()).toBeUndefined();
  await clock.advance(5_000);
  times = { busyMs: 1_002_500, idleMs: 7_500 };
  expect(share()).toBe(25);
  await clock.advance(4_999);
  times = { busyMs: 1_010_000, idleMs: 7_500 };
  expect(share()).toBe(25);
  await clock.advance(1);
  expect(share()).toBe(100);
});

it("reads this machine's times", () => {
  expect(readCpuTimes().busyMs).toBeGreaterThan(0);
});
