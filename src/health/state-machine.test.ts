import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  firstProbeDelayMs,
  type HealthState,
  type HealthThresholds,
  healthAfterCheckChange,
  initialHealth,
  isInDoubt,
  nextIntervalMs,
  recordRound,
  restoredHealth,
  secondProbeDelayMs,
} from "./state-machine.ts";

type Outcome = "pass" | "fail";
const INTERVALS = { intervalMs: 2_000, fastIntervalMs: 500, downIntervalMs: 1_000 };

function play(start: HealthState, outcomes: readonly Outcome[], thresholds: HealthThresholds): HealthState {
  return outcomes.reduce(
    (state, outcome) => recordRound(state, { roundIndex: state.roundIndex + 1, outcome }, thresholds),
    start,
  );
}

/** The rule in other words: look back over the whole history, remember no counters. */
function oracle(start: HealthState["verdict"], outcomes: readonly Outcome[], thresholds: HealthThresholds) {
  const needed = { unchecked: 1, up: thresholds.fall, down: thresholds.rise };
  let verdict = start;
  let changedAt = 0;
  outcomes.forEach((outcome, index) => {
    const said = outcome === "pass" ? "up" : "down";
    const window = outcomes.slice(Math.max(changedAt, index + 1 - needed[verdict]), index + 1);
    const isUnanimous = window.length === needed[verdict] && window.every((other) => other === outcome);
    if (said === verdict || !isUnanimous) return;
    verdict = said;
    changedAt = index + 1;
  });
  return verdict;
}

const thresholdPairs = [1, 2, 3, 4].flatMap((rise) => [1, 2, 3, 4].map((fall) => ({ rise, fall })));

const historiesOfTen = Array.from({ length: 2 ** 10 }, (_, bits) =>
  Array.from({ length: 10 }, (__, at): Outcome => ((bits >> at) & 1 ? "pass" : "fail")),
);

interface Visit {
  readonly state: HealthState;
  readonly history: readonly Outcome[];
}

/** Every state that any sequence of results can reach, with the shortest history to it. */
function reachable(start: HealthState, thresholds: HealthThresholds): Visit[] {
  const seen = new Map<string, Visit>();
  const queue: Visit[] = [{ state: start, history: [] }];
  for (const visit of queue) {
    const key = `${visit.state.verdict}/${visit.state.contraryCount}`;
    if (seen.has(key)) continue;
    seen.set(key, visit);
    for (const outcome of ["pass", "fail"] as const) {
      queue.push({ state: play(visit.state, [outcome], thresholds), history: [...visit.history, outcome] });
    }
  }
  return [...seen.values()];
}

/** How long a member that dies silently stays up: probes every second, 1 s timeout, fall 2. */
function detectionMs(diesAtMs: number): number {
  const check = { intervalMs: 1_000, fastIntervalMs: 1_000, downIntervalMs: 1_000 };
  let state = restoredHealth("up");
  let decidedMs = 0;
  for (let startMs = 0; state.verdict === "up"; ) {
    const isDead = startMs >= diesAtMs;
    const answersAfterMs = isDead ? 1_000 : 1;
    decidedMs = startMs + answersAfterMs;
    state = play(state, [isDead ? "fail" : "pass"], { rise: 2, fall: 2 });
    startMs += Math.max(nextIntervalMs(state, check), answersAfterMs);
  }
  return decidedMs - diesAtMs;
}

describe("health state machine", () => {
  it.each(thresholdPairs)(
    "reaches exactly its states with rise $rise, fall $fall, and each agrees with the oracle",
    (pair) => {
      const visits = reachable(initialHealth("unchecked"), pair);
      const names = visits.map(({ state }) => `${state.verdict}/${state.contraryCount}`).sort();
      const expected = [
        "unchecked/0",
        ...Array.from({ length: pair.fall }, (_, count) => `up/${count}`),
        ...Array.from({ length: pair.rise }, (_, count) => `down/${count}`),
      ].sort();
      expect(names).toEqual(expected);
      for (const visit of visits) expect(oracle("unchecked", visit.history, pair)).toBe(visit.state.verdict);
    },
  );

  it("agrees with the oracle on every history of 10 results, for every rise and fall up to 4 and every start", () => {
    const starts = ["unchecked", "up", "down"] as const;
    const cases = thresholdPairs.flatMap((pair) => starts.map((start) => ({ pair, start })));
    let compared = 0;
    for (const { pair, start } of cases) {
      for (const history of historiesOfTen) {
        compared += 1;
        if (play(restoredHealth(start), history, pair).verdict !== oracle(start, history, pair)) {
          expect.fail(`rise ${pair.rise} fall ${pair.fall} from ${start}: ${history.join(" ")}`);
        }
      }
    }
    expect(compared).toBe(16 * 3 * 1_024);
  });

  it("settles within max(rise, fall) + 1 equal results from every reachable state", () => {
    const cases = thresholdPairs.flatMap((pair) =>
      reachable(initialHealth("unchecked"), pair).map(({ state }) => ({ pair, state })),
    );
    expect(cases.length).toBe(16 + 2 * 4 * (1 + 2 + 3 + 4));
    for (const { pair, state } of cases) {
      const steps = Math.max(pair.rise, pair.fall) + 1;
      const up = play(state, Array<Outcome>(steps).fill("pass"), pair);
      const down = play(state, Array<Outcome>(steps).fill("fail"), pair);
      expect([up, down]).toMatchObject([
        { verdict: "up", contraryCount: 0 },
        { verdict: "down", contraryCount: 0 },
      ]);
    }
  });

  it.each(thresholdPairs)(
    "turns at exactly the threshold, not before, with rise $rise and fall $fall",
    (pair) => {
      expect(play(restoredHealth("up"), Array(pair.fall - 1).fill("fail"), pair).verdict).toBe("up");
      expect(play(restoredHealth("up"), Array(pair.fall).fill("fail"), pair).verdict).toBe("down");
      expect(play(restoredHealth("down"), Array(pair.rise - 1).fill("pass"), pair).verdict).toBe("down");
      expect(play(restoredHealth("down"), Array(pair.rise).fill("pass"), pair).verdict).toBe("up");
    },
  );

  it("counts consecutive results, so one pass among failures starts the count anew", () => {
    const pair = { rise: 2, fall: 3 };
    const flapping: Outcome[] = ["fail", "fail", "pass", "fail", "fail", "pass", "fail", "fail"];
    expect(play(restoredHealth("up"), flapping, pair)).toMatchObject({ verdict: "up", contraryCount: 2 });
  });

  it("never counts a repeated or late result, whatever came before", () => {
    const round = fc.record({
      roundIndex: fc.integer({ min: 0, max: 12 }),
      outcome: fc.constantFrom<Outcome>("pass", "fail"),
    });
    const pair = fc.record({ rise: fc.integer({ min: 1, max: 4 }), fall: fc.integer({ min: 1, max: 4 }) });
    fc.assert(
      fc.property(fc.array(round, { maxLength: 40 }), pair, (rounds, thresholds) => {
        let state = initialHealth("unchecked");
        const counted: Outcome[] = [];
        let newest = -1;
        for (const each of rounds) {
          if (each.roundIndex > newest) counted.push(each.outcome);
          newest = Math.max(newest, each.roundIndex);
          state = recordRound(state, each, thresholds);
          expect(recordRound(state, each, thresholds)).toBe(state);
        }
        expect(state.verdict).toBe(oracle("unchecked", counted, thresholds));
      }),
      { numRuns: 500 },
    );
  });

  it("keeps the count when thresholds change, and turns at the next result that the new one allows", () => {
    const doubting = play(restoredHealth("up"), ["fail", "fail"], { rise: 2, fall: 4 });
    const kept = healthAfterCheckChange(doubting, false);
    expect(kept).toEqual(doubting);
    expect(play(kept, ["fail"], { rise: 2, fall: 2 }).verdict).toBe("down");
  });

  it("keeps the verdict but not the count when the type of check changes", () => {
    const doubting = play(restoredHealth("up"), ["fail", "fail"], { rise: 2, fall: 3 });
    const changed = healthAfterCheckChange(doubting, true);
    expect(changed).toMatchObject({ verdict: "up", contraryCount: 0 });
    expect(play(changed, ["fail", "fail"], { rise: 2, fall: 3 }).verdict).toBe("up");
    expect(play(changed, ["fail", "fail", "fail"], { rise: 2, fall: 3 }).verdict).toBe("down");
  });

  it("starts from the last published verdict after a restart, not from down", () => {
    expect(play(restoredHealth("up"), ["fail"], { rise: 2, fall: 2 }).verdict).toBe("up");
    expect(play(restoredHealth("down"), ["pass"], { rise: 2, fall: 2 }).verdict).toBe("down");
  });

  it("takes nothing down while frozen, and goes on from the last step when the freeze ends", () => {
    for (const pair of thresholdPairs) {
      const frozen = play(restoredHealth("up"), Array(20).fill("fail"), { ...pair, frozen: true });
      expect(frozen.verdict).toBe("up");
      expect(play(frozen, ["fail"], pair).verdict).toBe("down");
      expect(play(frozen, ["pass"], pair)).toMatchObject({ verdict: "up", contraryCount: 0 });
      expect(
        play(restoredHealth("down"), Array(pair.rise).fill("pass"), { ...pair, frozen: true }).verdict,
      ).toBe("up");
    }
  });

  it("decides an unchecked member at its first result, unless initialState says that it is settled", () => {
    const pair = { rise: 3, fall: 3 };
    expect(play(initialHealth("unchecked"), ["pass"], pair).verdict).toBe("up");
    expect(play(initialHealth("unchecked"), ["fail"], pair).verdict).toBe("down");
    expect(play(initialHealth("up"), ["fail", "fail"], pair).verdict).toBe("up");
    expect(play(initialHealth("down"), ["pass", "pass"], pair).verdict).toBe("down");
  });

  it("picks the interval by state: settled, in doubt, down", () => {
    const pair = { rise: 2, fall: 2 };
    expect(nextIntervalMs(restoredHealth("up"), INTERVALS)).toBe(2_000);
    expect(nextIntervalMs(restoredHealth("down"), INTERVALS)).toBe(1_000);
    expect(nextIntervalMs(initialHealth("unchecked"), INTERVALS)).toBe(500);
    const falling = play(restoredHealth("up"), ["fail"], pair);
    expect([isInDoubt(falling), nextIntervalMs(falling, INTERVALS)]).toEqual([true, 500]);
    expect(nextIntervalMs(play(restoredHealth("down"), ["pass"], pair), INTERVALS)).toBe(500);
  });

  it("finds a death within fall x interval + timeout, whenever it happens between two probes", () => {
    const deaths = Array.from({ length: 10_000 }, (_, kill) => detectionMs(5_000 + kill / 10));
    expect(Math.max(...deaths)).toBeGreaterThan(2_900);
    expect(Math.max(...deaths)).toBeLessThanOrEqual(2 * 1_000 + 1_000);
  });

  it("spreads first probes over a tenth of the interval, a second at most", () => {
    expect(firstProbeDelayMs({ intervalMs: 2_000 }, false, 0)).toBe(0);
    expect(firstProbeDelayMs({ intervalMs: 2_000 }, false, 0.999)).toBeCloseTo(199.8);
    expect(firstProbeDelayMs({ intervalMs: 60_000 }, false, 0.999)).toBeCloseTo(999);
  });

  it("spreads members whose verdict is known over the whole interval, and no later, so that a dead one is known in time", () => {
    expect(firstProbeDelayMs({ intervalMs: 60_000 }, true, 0)).toBe(0);
    expect(firstProbeDelayMs({ intervalMs: 60_000 }, true, 0.999)).toBeCloseTo(59_940);
  });

  it("never probes a new member the second time later than its interval, or at once", () => {
    expect(secondProbeDelayMs(2_000, 0)).toBe(2_000);
    expect(secondProbeDelayMs(2_000, 0.999)).toBeCloseTo(2);
  });
});
