import type { BpfMap } from "../../linux/index.ts";
import type { Kernel } from "./kernel.ts";
import { LAYOUT } from "./layout.ts";
import type { Mirror } from "./mirror.ts";
import { pause } from "./snapshot.ts";
import type { SweepResult } from "./sweep.ts";
import { words } from "./words.ts";

const BATCH_COUNT = 8192;

/** By row of `member`: flows that it counts now, and flows that it was ever given. */
export interface LoadReading {
  readonly loads: Float64Array;
  readonly opened: Float64Array;
}

/** What one comparison of counted and true loads found. */
export interface RecountResult {
  /** By row of `member`: how far the load is off for certain; it is repaired when the next recount agrees. */
  readonly drifts: ReadonlyMap<number, number>;
  /** Sum of |drift| that was repaired. */
  readonly repairedCount: number;
}

/** Reads what a sweep begins with. Flows that come while this reads are taken for new ones. */
export async function readBefore(kernel: Kernel, mirror: Mirror): Promise<LoadReading> {
  const opened = await readOpened(kernel, mirror);
  return { opened, loads: await readLoads(kernel, mirror) };
}

/** Reads what a sweep ends with. Flows that come while this reads are taken for new ones. */
export async function readAfter(kernel: Kernel, mirror: Mirror): Promise<LoadReading> {
  const loads = await readLoads(kernel, mirror);
  return { loads, opened: await readOpened(kernel, mirror) };
}

function readLoads({ maps }: Kernel, mirror: Mirror): Promise<Float64Array> {
  return readColumn(maps.member, mirror, (rows, at) => words.readI64(rows, at + LAYOUT.member.load));
}

function readOpened({ maps }: Kernel, mirror: Mirror): Promise<Float64Array> {
  const { member_traffic: traffic } = maps;
  return readColumn(traffic, mirror, (rows, at) => sumConnections(rows, at, traffic.valueBytes));
}

async function readColumn(
  map: BpfMap,
  mirror: Mirror,
  read: (rows: Buffer, at: number) => number,
): Promise<Float64Array> {
  const column = new Float64Array(mirror.memberIndexes.endIndex());
  let index = 0;
  for (const { values, count } of map.batches(BATCH_COUNT)) {
    for (let row = 0; row < count && index < column.length; row += 1, index += 1) {
      column[index] = read(values, row * map.valueBytes);
    }
    if (index >= column.length) break;
    await pause();
  }
  return column;
}

function sumConnections(values: Buffer, from: number, bytes: number): number {
  const { size, connections } = LAYOUT.member_traffic;
  let sum = 0;
  for (let at = from; at < from + bytes; at += size) sum += words.readU64(values, at + connections);
  return sum;
}

/**
 * Compares each member's load with the flows that a sweep counted between two readings. Flows that came or went
 * meanwhile may explain a difference; what they cannot explain is drift, and repaired when it was there before.
 *
 * @param previous Drifts that the last recount saw.
 */
export function recountLoads(
  kernel: Kernel,
  mirror: Mirror,
  counted: SweepResult,
  readings: { readonly before: LoadReading; readonly after: LoadReading },
  previous: ReadonlyMap<number, number>,
): RecountResult {
  const drifts = new Map<number, number>();
  let repairedCount = 0;
  for (let index = 0; index < readings.before.loads.length; index += 1) {
    if (!mirror.memberIndexes.isUsed(index)) continue;
    const drift = certainDrift(index, counted, readings);
    const confirmed = agreed(drift, previous.get(index) ?? 0);
    if (confirmed !== 0) {
      kernel.adjustLoad(index, -confirmed);
      repairedCount += Math.abs(confirmed);
    } else if (drift !== 0) drifts.set(index, drift);
  }
  return { drifts, repairedCount };
}

function certainDrift(
  index: number,
  counted: SweepResult,
  { before, after }: { readonly before: LoadReading; readonly after: LoadReading },
): number {
  const load = after.loads[index] ?? 0;
  const openedCount = Math.max(0, (after.opened[index] ?? 0) - (before.opened[index] ?? 0));
  const closedCount = Math.max(0, (before.loads[index] ?? 0) + openedCount - load);
  const difference = load - (counted.loads[index] ?? 0);
  return Math.sign(difference) * Math.max(0, Math.abs(difference) - openedCount - closedCount);
}

/** The smaller of two drifts in the same direction. */
function agreed(one: number, other: number): number {
  return Math.sign(one) === Math.sign(other) ? Math.sign(one) * Math.min(Math.abs(one), Math.abs(other)) : 0;
}
