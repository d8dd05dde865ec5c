import { expect, it } from "vitest";
import { LatenessWatch } from "./lateness-watch.ts";

/** A probe every 100 ms, so late each. @returns what was reported, and when */
function watch(watched: LatenessWatch, fromMs: number, toMs: number, latenessMs: (count: number) => number) {
  const reports: [number, object][] = [];
  for (let nowMs = fromMs, count = 0; nowMs < toMs; nowMs += 100, count += 1) {
    watched.note(latenessMs(count), nowMs);
    const report = watched.report(nowMs);
    if (report) reports.push([nowMs, report]);
  }
  return reports;
}

it("says after ten seconds that probes start late, with how many and how late", () => {
  const reports = watch(new LatenessWatch(), 0, 11_000, (count) => (count === 50 ? 1_234.5 : 600));
  expect(reports).toEqual([[10_000, { lateCount: 101, probeCount: 101, worstMs: 1_235 }]]);
});

it("says it once a minute at most, so that the log of a server that is behind stays readable", () => {
  const reports = watch(new LatenessWatch(), 0, 125_000, () => 600);
  expect(reports.map(([atMs]) => atMs)).toEqual([10_000, 70_600]);
});

it("says nothing of one probe in a hundred, nor of half a second", () => {
  expect(watch(new LatenessWatch(), 0, 60_000, (count) => (count % 101 === 0 ? 5_000 : 500))).toEqual([]);
});

it("forgets a bad time that is over", () => {
  const watched = new LatenessWatch();
  expect(watch(watched, 0, 10_500, () => 600)).toHaveLength(1);
  expect(watch(watched, 10_500, 200_000, () => 5)).toEqual([]);
  expect(watched.note(501, 200_000)).toBe(true);
  expect(watched.note(500, 200_000)).toBe(false);
});
