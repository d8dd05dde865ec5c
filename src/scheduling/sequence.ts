import { apportion } from "./apportion.ts";

/** Longest sequence that is made exact whatever it costs; also the step by which longer ones grow. */
const EXACT_SLOTS = 4096;
const TOLERANCE = 0.01;

/**
 * A smooth weighted round robin written out: turns of one member are spread evenly over the cycle.
 *
 * Its length is the sum of the weights over their greatest common divisor while that is at most 4,096: one cycle gives
 * each member exactly its weight. Beyond, it is the shortest multiple of 4,096 that keeps every share within 1 % of
 * weight / sum (relative), or the exact cycle where none does.
 *
 * @param weights One per member, 0-256, in member order; 0 takes no slot.
 * @returns Indexes into `weights`; empty when every weight is 0.
 */
export function weightedSequence(weights: readonly number[]): Uint16Array {
  const turns = turnCounts(weights);
  const slotCount = turns.reduce((sum, count) => sum + count, 0);
  if (turns.every((count) => count <= 1)) return firstTurns(turns);
  return spread(turns, slotCount);
}

function turnCounts(weights: readonly number[]): readonly number[] {
  const divisor = weights.reduce(greatestCommonDivisor, 0);
  if (divisor === 0) return [];
  const exact = weights.map((weight) => weight / divisor);
  const slotCount = exact.reduce((sum, count) => sum + count, 0);
  for (let length = EXACT_SLOTS; length < slotCount; length += EXACT_SLOTS) {
    const scaled = apportion(exact, length, 0);
    const isClose = scaled.every((count, index) => {
      const due = (length * (exact[index] ?? 0)) / slotCount;
      return Math.abs(count - due) <= TOLERANCE * due;
    });
    if (slotCount > EXACT_SLOTS && isClose) return scaled;
  }
  return exact;
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}

function firstTurns(turns: readonly number[]): Uint16Array {
  return Uint16Array.from([...turns.keys()].filter((index) => turns[index]));
}

/** Turn k of a member with n turns is due at (k + 1/2) / n of the cycle; who is due first goes first (Webster's order). */
function spread(turns: readonly number[], slotCount: number): Uint16Array {
  const due = new Float64Array(slotCount);
  const member = new Uint16Array(slotCount);
  let slot = 0;
  for (const [index, count] of turns.entries()) {
    for (let turn = 0; turn < count; turn += 1) {
      due[slot] = (turn + 0.5) / count;
      member[slot] = index;
      slot += 1;
    }
  }
  // Slots were filled in member order, so the slot number breaks ties in favour of the member that comes first.
  const order = Uint32Array.from(due.keys()).sort((a, b) => (due[a] ?? 0) - (due[b] ?? 0) || a - b);
  return Uint16Array.from(order, (at) => member[at] ?? 0);
}
