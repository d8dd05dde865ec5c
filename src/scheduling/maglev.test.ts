import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { maglevSizeFor, maglevTable } from "./maglev.ts";

function keysOf(memberCount: number): string[] {
  return Array.from(
    { length: memberCount },
    (_, index) => `10.${index >> 8}.${index & 255}.7:${8000 + index}`,
  );
}

function tableOf(members: readonly string[], tableSize: number, weights = members.map(() => 1)): string[] {
  return Array.from(maglevTable({ members, weights, tableSize }), (index) => members[index] ?? "nobody");
}

function countsOf(table: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const key of table) counts.set(key, (counts.get(key) ?? 0) + 1);
  return counts;
}

/** Share of the slots that belonged to somebody else and yet changed hands when `gone` left. */
function collateralOf(before: readonly string[], after: readonly string[], gone: string): number {
  const moved = before.filter((key, slot) => key !== gone && key !== after[slot]);
  return moved.length / before.length;
}

const shares = [
  { tableSize: 4093, memberCount: 10, max: 1.002, min: 0.999, collateralMean: 0.013 },
  { tableSize: 4093, memberCount: 254, max: 1.055, min: 0.993, collateralMean: 0.017 },
  { tableSize: 4093, memberCount: 1000, max: 1.222, min: 0.977, collateralMean: 0.005 },
  { tableSize: 16381, memberCount: 100, max: 1.001, min: 0.995, collateralMean: 0.014 },
  { tableSize: 65537, memberCount: 3, max: 1.0, min: 1.0, collateralMean: 0.0002 },
  { tableSize: 65537, memberCount: 100, max: 1.001, min: 0.999, collateralMean: 0.006 },
  { tableSize: 65537, memberCount: 254, max: 1.004, min: 1.0, collateralMean: 0.007 },
];

describe("maglevTable", () => {
  it.each(shares)("splits $tableSize slots among $memberCount members as evenly as slots allow", (figure) => {
    const counts = [...countsOf(tableOf(keysOf(figure.memberCount), figure.tableSize)).values()];
    const mean = figure.tableSize / figure.memberCount;
    expect(counts).toHaveLength(figure.memberCount);
    expect(Math.max(...counts) / mean).toBeCloseTo(figure.max, 2);
    expect(Math.min(...counts) / mean).toBeCloseTo(figure.min, 2);
  });

  it.each(shares)("moves few others' slots of $tableSize when one of $memberCount leaves", (figure) => {
    const members = keysOf(figure.memberCount);
    const before = tableOf(members, figure.tableSize);
    const leavers = [0, 1, 2].map((place) => members[Math.floor((place * figure.memberCount) / 3)] ?? "");
    const collaterals = leavers.map((gone) => {
      const rest = members.filter((key) => key !== gone);
      return collateralOf(before, tableOf(rest, figure.tableSize), gone);
    });
    const mean = collaterals.reduce((sum, share) => sum + share, 0) / collaterals.length;
    expect(mean).toBeLessThanOrEqual(Math.max(figure.collateralMean * 1.5, 0.001));
  });

  it("keeps collateral below 1 % at 65,537 slots", () => {
    const members = keysOf(254);
    const before = tableOf(members, 65537);
    const gone = members[17] ?? "";
    const after = tableOf(
      members.filter((key) => key !== gone),
      65537,
    );
    expect(collateralOf(before, after, gone)).toBeLessThanOrEqual(0.01);
  });

  it("does not depend on the order of the members, so that all nodes agree", () => {
    fc.assert(
      fc.property(fc.shuffledSubarray(keysOf(12), { minLength: 1 }), (shuffled) => {
        expect(tableOf(shuffled, 251)).toEqual(tableOf([...shuffled].sort(), 251));
      }),
      { numRuns: 50 },
    );
  });

  it("restores the identical table when a member is added and removed again", () => {
    const members = keysOf(20);
    const grown = tableOf([...members, "10.9.9.9:1"], 4093);
    expect(countsOf(grown).get("10.9.9.9:1")).toBeGreaterThan(190);
    expect(tableOf(members, 4093)).toEqual(tableOf(keysOf(20), 4093));
  });

  it("gives every member its weight's share to one slot, and at least one slot", () => {
    const weightsOf = fc.array(fc.integer({ min: 1, max: 256 }), { minLength: 1, maxLength: 40 });
    fc.assert(
      fc.property(weightsOf, (weights) => {
        const members = keysOf(weights.length);
        const counts = countsOf(tableOf(members, 4093, weights));
        const total = weights.reduce((sum, weight) => sum + weight, 0);
        for (const [place, key] of members.entries()) {
          const due = (4093 * (weights[place] ?? 0)) / total;
          expect(Math.abs((counts.get(key) ?? 0) - due)).toBeLessThanOrEqual(1);
          expect(counts.get(key)).toBeGreaterThanOrEqual(1);
        }
      }),
      { numRuns: 50 },
    );
  });

  it("keeps most slots where they were when one weight changes", () => {
    const members = keysOf(10);
    const weights = members.map(() => 10);
    const heavier = weights.map((weight, place) => (place === 4 ? weight + 1 : weight));
    const after = tableOf(members, 4093, heavier);
    const moved = tableOf(members, 4093, weights).filter((key, slot) => key !== after[slot]);
    expect(moved.length / 4093).toBeLessThan(0.06);
  });

  it("leaves out members of weight 0, and is empty when nobody is left", () => {
    expect([...countsOf(tableOf(["a:1", "b:1"], 251, [0, 5])).keys()]).toEqual(["b:1"]);
    expect(tableOf(["a:1"], 251, [0])).toHaveLength(0);
  });

  it("builds 65,537 slots for 254 members fast enough to follow changes", () => {
    const members = keysOf(254);
    tableOf(members, 65537);
    const times = Array.from({ length: 7 }, () => {
      const start = performance.now();
      maglevTable({ members, weights: members.map(() => 1), tableSize: 65537 });
      return performance.now() - start;
    });
    // The promise is 20 ms; a loaded machine gets five times that before this counts as a regression.
    expect(Math.min(...times)).toBeLessThan(100);
  });
});

describe("maglevSizeFor", () => {
  it("gives at least 100 slots a member as long as the largest table has them", () => {
    expect([1, 2, 3, 10, 11, 40, 41, 163, 164, 655, 656, 1024].map(maglevSizeFor)).toEqual([
      251, 251, 1021, 1021, 4093, 4093, 16381, 16381, 65537, 65537, 131071, 131071,
    ]);
  });
});
