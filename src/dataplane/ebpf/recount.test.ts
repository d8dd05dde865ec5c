import { expect, it } from "vitest";
import { createIndexAllocator } from "./index-allocator.ts";
import type { Kernel } from "./kernel.ts";
import type { Mirror } from "./mirror.ts";
import { type LoadReading, recountLoads } from "./recount.ts";
import type { SweepResult } from "./sweep.ts";

/** One member; `counted` flows were found between two readings of its load and of the flows it was given. */
function recountOne(input: {
  readonly counted: number;
  readonly loads: readonly [number, number];
  readonly opened?: readonly [number, number];
  readonly previous?: number;
}) {
  const repairs: number[] = [];
  const kernel = { adjustLoad: (_member: number, delta: number) => void repairs.push(delta) };
  const memberIndexes = createIndexAllocator(1);
  memberIndexes.claim(0);
  const reading = (at: 0 | 1): LoadReading => ({
    loads: Float64Array.of(input.loads[at]),
    opened: Float64Array.of(input.opened?.[at] ?? 0),
  });
  const result = recountLoads(
    kernel as unknown as Kernel,
    { memberIndexes } as unknown as Mirror,
    { loads: Int32Array.of(input.counted) } as unknown as SweepResult,
    { before: reading(0), after: reading(1) },
    new Map([[0, input.previous ?? 0]]),
  );
  return { drift: result.drifts.get(0) ?? 0, repairs };
}

it("only remembers what differs for the first time, and repairs what still does", () => {
  expect(recountOne({ counted: 3, loads: [5, 5] })).toEqual({ drift: 2, repairs: [] });
  expect(recountOne({ counted: 3, loads: [5, 5], previous: 2 })).toEqual({ drift: 0, repairs: [-2] });
  expect(recountOne({ counted: 3, loads: [1, 1], previous: -2 })).toEqual({ drift: 0, repairs: [2] });
});

it("does not take flows that come and go during the count for drift, however often", () => {
  expect(recountOne({ counted: 10, loads: [10, 12], opened: [100, 102], previous: 2 })).toEqual({
    drift: 0,
    repairs: [],
  });
  expect(recountOne({ counted: 12, loads: [12, 10], opened: [100, 100], previous: -2 })).toEqual({
    drift: 0,
    repairs: [],
  });
  expect(recountOne({ counted: 9, loads: [10, 10], opened: [100, 103] })).toEqual({ drift: 0, repairs: [] });
});

it("repairs only what both counts are certain of", () => {
  const busy = { counted: 10, loads: [60, 60], opened: [100, 110] } as const;
  expect(recountOne(busy)).toEqual({ drift: 30, repairs: [] });
  expect(recountOne({ ...busy, previous: 20 })).toEqual({ drift: 0, repairs: [-20] });
  expect(recountOne({ ...busy, previous: -20 })).toEqual({ drift: 30, repairs: [] });
});
