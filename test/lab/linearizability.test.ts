import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { findFaults, type Operation, type Swap } from "./linearizability.ts";

const read = (calledMs: number, returnedMs: number, value?: string, revision = 0): Operation => ({
  ...{ key: "k", calledMs, returnedMs },
  action: { kind: "read", value, revision },
});

function swap(
  calledMs: number,
  returnedMs: number,
  from: readonly [value: string | undefined, revision: number],
  value: string,
  outcome: number | "refused" | "unknown",
): Operation {
  const action: Swap = {
    ...{ kind: "swap", expected: from[0], expectedRevision: from[1], value },
    ...(typeof outcome === "number" ? { outcome: "done", revision: outcome } : { outcome }),
  };
  return { key: "k", calledMs, returnedMs: outcome === "unknown" ? Infinity : returnedMs, action };
}

const NOTHING = [undefined, 0] as const;

const LEGAL: Readonly<Record<string, readonly Operation[]>> = {
  "nothing at all": [],
  "a write, and a read after it": [swap(0, 1, NOTHING, "a", 5), read(2, 3, "a", 5)],
  "a read during a write that sees the old value": [swap(0, 9, NOTHING, "a", 5), read(1, 2)],
  "a read during a write that sees the new value": [swap(0, 9, NOTHING, "a", 5), read(1, 2, "a", 5)],
  "two swaps at once, of which one is refused": [
    swap(0, 9, NOTHING, "a", 5),
    swap(0, 9, NOTHING, "b", "refused"),
  ],
  "an unknown write that happened": [swap(0, 1, NOTHING, "a", "unknown"), read(2, 3, "a", 5)],
  "an unknown write that never happened": [swap(0, 1, NOTHING, "a", "unknown"), read(2, 3)],
  "an unknown write that happens long after": [
    swap(0, 1, NOTHING, "a", "unknown"),
    read(2, 3),
    read(4, 5, "a", 5),
  ],
  "a chain of swaps": [
    swap(0, 1, NOTHING, "a", 5),
    swap(2, 3, ["a", 5], "b", 6),
    swap(4, 5, ["b", 6], "c", 9),
    read(6, 7, "c", 9),
  ],
  "a swap refused because an unknown one happened": [
    swap(0, 1, NOTHING, "a", "unknown"),
    swap(2, 3, NOTHING, "b", "refused"),
    read(4, 5, "a", 5),
  ],
};

const ILLEGAL: Readonly<Record<string, readonly Operation[]>> = {
  "a lost write": [swap(0, 1, NOTHING, "a", 5), read(2, 3)],
  "a stale read": [swap(0, 1, NOTHING, "a", 5), swap(2, 3, ["a", 5], "b", 6), read(4, 5, "a", 5)],
  "a value out of nowhere": [read(0, 1, "a", 5)],
  "two swaps from one value, both done": [swap(0, 9, NOTHING, "a", 5), swap(0, 9, NOTHING, "b", 6)],
  "a swap refused for nothing": [swap(0, 1, NOTHING, "a", "refused"), read(2, 3)],
  "a lost update": [
    swap(0, 1, NOTHING, "a", 5),
    swap(2, 9, ["a", 5], "b", 6),
    swap(2, 9, ["a", 5], "c", 7),
    read(10, 11, "c", 7),
  ],
  "a read that goes back": [swap(0, 9, NOTHING, "a", 5), read(1, 2, "a", 5), read(3, 4)],
  "an unknown write that happens and is gone": [
    swap(0, 1, NOTHING, "a", "unknown"),
    read(2, 3, "a", 5),
    read(4, 5),
  ],
  "one revision for two values": [
    swap(0, 1, NOTHING, "a", 5),
    swap(2, 3, ["a", 5], "b", 6),
    read(4, 5, "b", 5),
  ],
  "a revision that goes back": [swap(0, 1, NOTHING, "a", 5), swap(2, 3, ["a", 5], "b", 4)],
  "a write seen before it was asked for": [read(0, 1, "a", 5), swap(2, 3, NOTHING, "a", 5)],
};

describe("findFaults", () => {
  it.each(Object.entries(LEGAL))("has nothing against %s", (_title, history) => {
    expect(findFaults(history)).toEqual([]);
  });

  it.each(Object.entries(ILLEGAL))("finds %s", (_title, history) => {
    expect(findFaults(history)).not.toEqual([]);
  });

  it("has nothing against what a register answers to any number of clients, and sees one changed answer", () => {
    let seen = 0;
    const runs = 300;
    fc.assert(
      fc.property(fc.infiniteStream(fc.nat(999)), (numbers) => {
        const history = simulate(numbers, 60);
        expect(findFaults(history)).toEqual([]);
        const last = history.findLastIndex(({ action }) => action.kind === "read" && action.revision > 0);
        if (last < 0) return;
        const wrong = history.with(last, read(1_000_000, 1_000_001, "never written", 99_999));
        expect(findFaults(wrong)).toHaveLength(1);
        seen += 1;
      }),
      { numRuns: runs },
    );
    expect(seen).toBeGreaterThan(runs / 2);
  });
});

/** Clients whose operations overlap; each takes effect at a moment between its call and its return. */
function simulate(numbers: Iterator<number>, count: number): readonly Operation[] {
  const next = (limit: number) => (numbers.next().value as number) % limit;
  const planned = Array.from({ length: count }, (_, index) => {
    const calledMs = index + next(3);
    const effectMs = calledMs + next(10) + 0.5;
    return { calledMs, effectMs, returnedMs: effectMs + next(10), writes: next(2) === 0, guesses: next(3) };
  }).sort((a, b) => a.effectMs - b.effectMs);
  const past: (readonly [string | undefined, number])[] = [NOTHING];
  return planned.map(({ calledMs, returnedMs, writes, guesses }, index) => {
    const now = past.at(-1) ?? NOTHING;
    if (!writes) return read(calledMs, returnedMs, ...now);
    const from = past.at(-1 - guesses) ?? NOTHING;
    if (from !== now) return swap(calledMs, returnedMs, from, `v${index}`, "refused");
    past.push([`v${index}`, index + 10]);
    return swap(calledMs, returnedMs, from, `v${index}`, index + 10);
  });
}
