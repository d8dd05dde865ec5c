import { expect, it } from "vitest";
import { WriteAllowance } from "./write-allowance.ts";

it("lets a quiet pool write three times at once, then once a second", () => {
  const allowance = new WriteAllowance();
  const waits: number[] = [];
  for (let count = 0; count < 4; count += 1) {
    waits.push(allowance.waitMs(5_000));
    allowance.take(5_000);
  }
  expect(waits).toEqual([0, 0, 0, 1_000]);
});

it("allows a flapping pool no more than a write a second in the long run", () => {
  const allowance = new WriteAllowance();
  let writes = 0;
  for (let nowMs = 0; nowMs < 600_000; nowMs += 50) {
    if (allowance.waitMs(nowMs) > 0) continue;
    allowance.take(nowMs);
    writes += 1;
  }
  expect(writes).toBeLessThanOrEqual(600 + 3);
  expect(writes).toBeGreaterThan(590);
});
