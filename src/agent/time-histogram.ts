import type { TimeHistogram } from "../model/index.ts";

const BOUNDS_MS = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 60_000] as const;

/** Collects times. */
export interface TimeRecorder {
  record(ms: number): void;
  read(): TimeHistogram;
}

/** Makes an empty one. */
export function createTimeRecorder(): TimeRecorder {
  const counts = new Array<number>(BOUNDS_MS.length + 1).fill(0);
  let sumMs = 0;
  return {
    record(ms) {
      const found = BOUNDS_MS.findIndex((bound) => ms <= bound);
      const bucket = found === -1 ? BOUNDS_MS.length : found;
      counts[bucket] = (counts[bucket] ?? 0) + 1;
      sumMs += ms;
    },
    read: () => ({ boundsMs: BOUNDS_MS, counts: [...counts], sumMs }),
  };
}
