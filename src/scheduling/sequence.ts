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

/**
 * Of a member with n turns in a cycle of L slots, turn k has the window from k·L/n to (k+1)·L/n. Each slot goes to the turn
 * that is in its window and whose window ends first: then every turn is in its window, and no member waits longer than
 * two of its periods (Baruah et al., "Proportionate progress", Algorithmica 1996). Ties go to the window that began first.
 */
function spread(turns: readonly number[], slotCount: number): Uint16Array {
  const next = new Uint32Array(turns.length);
  const opening = openingsBySlot(turns.length, slotCount);
  const started = (index: number) => (next[index] ?? 0) / (turns[index] ?? 1);
  const ended = (index: number) => ((next[index] ?? 0) + 1) / (turns[index] ?? 1);
  const open = makeHeap((a, b) => ended(a) - ended(b) || started(a) - started(b) || a - b);
  for (const [index, count] of turns.entries()) if (count > 0) opening.add(0, index);
  return Uint16Array.from({ length: slotCount }, (_, slot) => {
    opening.take(slot, open.push);
    const chosen = open.pop();
    const turn = (next[chosen] ?? 0) + 1;
    const count = turns[chosen] ?? 0;
    next[chosen] = turn;
    // The window of a turn begins at the whole slot in which it is due.
    if (turn < count) opening.add(Math.max(slot + 1, Math.floor((turn * slotCount) / count)), chosen);
    return chosen;
  });
}

/** Which member's next turn opens at which slot: a linked list per slot, as each member waits for one turn at most. */
function openingsBySlot(memberCount: number, slotCount: number) {
  const first = new Int32Array(slotCount).fill(-1);
  const following = new Int32Array(memberCount);
  return {
    add(slot: number, index: number) {
      following[index] = first[slot] ?? -1;
      first[slot] = index;
    },
    take(slot: number, visit: (index: number) => void) {
      let index = first[slot] ?? -1;
      while (index >= 0) {
        const after = following[index] ?? -1;
        visit(index);
        index = after;
      }
    },
  };
}

/** A binary heap of member indexes; `pop` gives the one that `compare` puts first. */
function makeHeap(compare: (a: number, b: number) => number) {
  const items: number[] = [];
  const at = (place: number) => items[place] ?? 0;
  const isBefore = (a: number, b: number) => compare(at(a), at(b)) < 0;
  const swap = (a: number, b: number) => {
    const kept = at(a);
    items[a] = at(b);
    items[b] = kept;
  };
  const sink = () => {
    let place = 0;
    for (;;) {
      const left = 2 * place + 1;
      const child = left + 1 < items.length && isBefore(left + 1, left) ? left + 1 : left;
      if (child >= items.length || !isBefore(child, place)) return;
      swap(child, place);
      place = child;
    }
  };
  return {
    push(index: number) {
      let place = items.push(index) - 1;
      while (place > 0 && isBefore(place, (place - 1) >> 1)) {
        swap(place, (place - 1) >> 1);
        place = (place - 1) >> 1;
      }
    },
    pop() {
      const [first = 0] = items;
      const last = items.pop() ?? 0;
      if (items.length > 0) {
        items[0] = last;
        sink();
      }
      return first;
    },
  };
}
