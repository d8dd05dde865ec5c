import type { Kernel } from "./kernel.ts";
import { LAYOUT } from "./layout.ts";
import type { Mirror } from "./mirror.ts";
import type { SweepResult } from "./sweep.ts";
import { words } from "./words.ts";

const BATCH_COUNT = 8192;

/** What one comparison of counted and true loads found. */
export interface RecountResult {
  /** By row of `member`: counted minus true; what is equal twice in a row is no race. */
  readonly drifts: ReadonlyMap<number, number>;
  /** Sum of |drift| that was repaired. */
  readonly repairedCount: number;
}

/**
 * Compares each member's load with the flows that a sweep counted, and repairs what differs as it did before.
 *
 * @param before Drifts that the last recount saw.
 */
export function recountLoads(
  kernel: Kernel,
  mirror: Mirror,
  counted: SweepResult,
  before: ReadonlyMap<number, number>,
): RecountResult {
  const drifts = new Map<number, number>();
  let repairedCount = 0;
  for (const [index, load] of readLoads(kernel, counted.loads.length)) {
    const drift = load - (counted.loads[index] ?? 0);
    if (drift === 0 || !mirror.memberIndexes.isUsed(index)) continue;
    if (before.get(index) === drift) {
      kernel.adjustLoad(index, -drift);
      repairedCount += Math.abs(drift);
    } else drifts.set(index, drift);
  }
  return { drifts, repairedCount };
}

function* readLoads(kernel: Kernel, endIndex: number): Generator<readonly [number, number]> {
  const { size, load } = LAYOUT.member;
  let index = 0;
  for (const { values, count } of kernel.maps.member.batches(BATCH_COUNT)) {
    for (let place = 0; place < count && index < endIndex; place += 1) {
      yield [index, words.readI64(values, place * size + load)];
      index += 1;
    }
    if (index >= endIndex) return;
  }
}
