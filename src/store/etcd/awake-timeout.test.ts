import { setTimeout as sleep } from "node:timers/promises";
import { expect, it } from "vitest";
import { startAwakeTimeout } from "./awake-timeout.ts";

it("calls after the time, and not before", async () => {
  const startedMs = performance.now();
  await new Promise<void>((resolve) => startAwakeTimeout(200, resolve));
  expect(performance.now() - startedMs).toBeGreaterThanOrEqual(199);
});

it("does not count time in which the process could not listen", async () => {
  let isLate = false;
  const stop = startAwakeTimeout(200, () => {
    isLate = true;
  });
  const endMs = performance.now() + 400;
  while (performance.now() < endMs);
  // The control: an ordinary timer of the same length has long gone off.
  await sleep(1);
  expect(isLate).toBe(false);
  await sleep(600);
  expect(isLate).toBe(true);
  stop();
});

it("calls nobody once it is taken back", async () => {
  let isLate = false;
  startAwakeTimeout(30, () => {
    isLate = true;
  })();
  await sleep(60);
  expect(isLate).toBe(false);
});
