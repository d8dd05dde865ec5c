import type { Region } from "./rows.ts";

/** Shares the slots of one big array out. A region that is given back is used again after a grace period. */
export interface RegionAllocator {
  /** @returns undefined when no run of so many slots is free. */
  allocate(count: number): Region | undefined;
  /** Marks a region as used; for what the kernel holds already. */
  claim(region: Region): void;
  /** Gives a region back once no packet can be looking at it any more. */
  release(region: Region, nowMs: number): void;
  /** Slots that are used or in their grace period. */
  usedCount(): number;
}

/** Far longer than a packet takes through a program, which is microseconds. */
const GRACE_MS = 1000;
/** Fewer are not worth sorting the free runs for. */
const PENDING_COUNT = 1024;

/** First fit over the free runs, which are kept sorted and merged. */
export function createRegionAllocator(capacityCount: number, now: () => number): RegionAllocator {
  let free: Region[] = [{ at: 0, count: capacityCount }];
  let nextReclaimMs = 0;
  let pending: { readonly region: Region; readonly sinceMs: number }[] = [];

  return {
    allocate(count) {
      if (count === 0) return { at: 0, count: 0 };
      return take(count) ?? (reclaim() ? take(count) : undefined);
    },
    claim(region) {
      if (region.count === 0) return;
      const end = region.at + region.count;
      const place = findRun(region.at);
      const run = free[place];
      if (run === undefined || run.at + run.count < end || run.at > region.at) return;
      const before = { at: run.at, count: region.at - run.at };
      const after = { at: end, count: run.at + run.count - end };
      free.splice(place, 1, ...[before, after].filter((part) => part.count > 0));
    },
    release(region, nowMs) {
      if (region.count > 0) pending.push({ region, sinceMs: nowMs });
      if (pending.length >= PENDING_COUNT && nowMs >= nextReclaimMs) {
        reclaim();
        nextReclaimMs = nowMs + GRACE_MS;
      }
    },
    usedCount: () => capacityCount - free.reduce((sum, run) => sum + run.count, 0),
  };

  function take(count: number): Region | undefined {
    const place = free.findIndex((run) => run.count >= count);
    const run = free[place];
    if (run === undefined) return undefined;
    if (run.count === count) free.splice(place, 1);
    else free[place] = { at: run.at + count, count: run.count - count };
    return { at: run.at, count };
  }

  function reclaim(): boolean {
    const due = pending.filter(({ sinceMs }) => now() - sinceMs >= GRACE_MS);
    if (due.length === 0) return false;
    pending = pending.filter(({ sinceMs }) => now() - sinceMs < GRACE_MS);
    free = merge([...free, ...due.map(({ region }) => region)]);
    return true;
  }

  /** The run that holds slot `at`, by bisection. */
  function findRun(at: number): number {
    let low = 0;
    let high = free.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((free[middle]?.at ?? 0) <= at) low = middle + 1;
      else high = middle;
    }
    return Math.max(0, low - 1);
  }
}

function merge(runs: Region[]): Region[] {
  const merged: Region[] = [];
  for (const run of runs.sort((a, b) => a.at - b.at)) {
    const last = merged.at(-1);
    if (last && last.at + last.count === run.at) {
      merged[merged.length - 1] = { at: last.at, count: last.count + run.count };
    } else merged.push(run);
  }
  return merged;
}
