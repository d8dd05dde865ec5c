import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { weightedSequence } from "./sequence.ts";

const someWeights = fc.array(fc.integer({ min: 0, max: 256 }), { minLength: 1, maxLength: 40 });

function countsOf(sequence: Uint16Array, memberCount: number): number[] {
  const counts = new Array<number>(memberCount).fill(0);
  for (const index of sequence) counts[index] = (counts[index] ?? 0) + 1;
  return counts;
}

function sumOf(numbers: readonly number[]): number {
  return numbers.reduce((sum, number) => sum + number, 0);
}

describe("weightedSequence", () => {
  it("spreads the turns of a heavy member instead of bunching them", () => {
    expect([...weightedSequence([2, 1])]).toEqual([0, 1, 0]);
    expect([...weightedSequence([3, 1])]).toEqual([0, 0, 1, 0]);
    expect([...weightedSequence([4, 2, 2])]).toEqual([0, 1, 2, 0]);
  });

  it("is as short as the greatest common divisor allows", () => {
    expect([...weightedSequence([256, 256])]).toEqual([0, 1]);
    expect(weightedSequence([100, 50, 25])).toHaveLength(7);
  });

  it("leaves out members of weight 0, and is empty when nobody is left", () => {
    expect([...weightedSequence([0, 7, 0, 7])]).toEqual([1, 3]);
    expect(weightedSequence([0, 0])).toHaveLength(0);
    expect(weightedSequence([])).toHaveLength(0);
  });

  it("gives every member exactly its weight per cycle while the cycle has at most 4,096 slots", () => {
    fc.assert(
      fc.property(someWeights, (weights) => {
        const sequence = weightedSequence(weights);
        if (sequence.length === 0 || sequence.length > 4096) return;
        const counts = countsOf(sequence, weights.length);
        const scale = sumOf(weights) / sequence.length;
        expect(counts.map((count) => count * scale)).toEqual(weights);
      }),
    );
  });

  it("never makes a member wait more than two of its periods, so that shares hold over short runs too", () => {
    fc.assert(
      fc.property(someWeights, (weights) => {
        const sequence = weightedSequence(weights);
        const counts = countsOf(sequence, weights.length);
        const lastSeen = new Map<number, number>();
        let worst = 0;
        for (const [at, index] of [...sequence, ...sequence].entries()) {
          const period = Math.ceil((2 * sequence.length) / (counts[index] ?? 1));
          worst = Math.max(worst, (at - (lastSeen.get(index) ?? at)) / period);
          lastSeen.set(index, at);
        }
        expect(worst).toBeLessThanOrEqual(1);
      }),
      { numRuns: 1000 },
    );
  });

  it("keeps every share within 1 % when the exact cycle is longer than 4,096", () => {
    const weights = Array.from({ length: 61 }, (_, index) => 199 - index);
    const sequence = weightedSequence(weights);
    expect(sequence.length).toBeLessThan(sumOf(weights));
    const due = weights.map((weight) => (weight / sumOf(weights)) * sequence.length);
    const worst = Math.max(
      ...countsOf(sequence, 61).map((count, index) => Math.abs(count / (due[index] ?? 1) - 1)),
    );
    expect(worst).toBeLessThanOrEqual(0.01);
  });

  it("falls back to the exact cycle when no shorter one is within 1 %", () => {
    const weights = Array.from({ length: 1024 }, (_, index) => (index === 0 ? 1 : 256));
    const sequence = weightedSequence(weights);
    expect(countsOf(sequence, 1024)[0]).toBe(1);
    expect(sequence).toHaveLength(sumOf(weights));
  });
});
