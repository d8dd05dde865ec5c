import { cpus } from "node:os";
import type { Clock } from "../foundation/index.ts";

/** Times shorter than this say little, milliseconds. */
const LEAST_MS = 5_000;

/** How long all processors together worked and rested since the machine started, milliseconds. */
export interface CpuTimes {
  readonly busyMs: number;
  readonly idleMs: number;
}

/** Reads the machine's times. */
export function readCpuTimes(): CpuTimes {
  const times = cpus().map((cpu) => cpu.times);
  const idleMs = times.reduce((sum, { idle }) => sum + idle, 0);
  const totalMs = times.reduce(
    (sum, each) => sum + each.user + each.nice + each.sys + each.idle + each.irq,
    0,
  );
  return { busyMs: totalMs - idleMs, idleMs };
}

/**
 * Makes a reader of how busy the machine's processors were lately.
 *
 * @returns a function that answers 0-100, percent; undefined before 5 s have gone by
 */
export function createCpuShare(clock: Clock, read: () => CpuTimes = readCpuTimes): () => number | undefined {
  let last = { ...read(), atMs: clock.monotonicMs() };
  let percent: number | undefined;
  return () => {
    const nowMs = clock.monotonicMs();
    if (nowMs - last.atMs < LEAST_MS) return percent;
    const now = { ...read(), atMs: nowMs };
    const [busyMs, idleMs] = [now.busyMs - last.busyMs, now.idleMs - last.idleMs];
    last = now;
    if (busyMs + idleMs > 0) percent = Math.round((100 * busyMs) / (busyMs + idleMs));
    return percent;
  };
}
