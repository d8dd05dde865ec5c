import type { HealthCheck, HealthCheckTiming, Verdict } from "../model/index.ts";

/** What the state machine remembers about one member of one pool. */
export interface HealthState {
  readonly verdict: Verdict;
  /** Consecutive results that contradicted the verdict, a count from 0. */
  readonly contraryCount: number;
  /** Number of the last probe round that was counted; an answer to it or to an older one says nothing new. */
  readonly roundIndex: number;
}

/** What one finished probe round says. */
export interface ProbeRound {
  /** Rises by at least one from probe to probe of one member. */
  readonly roundIndex: number;
  readonly outcome: "pass" | "fail";
}

/** What decides how many results turn a verdict. */
export interface HealthThresholds {
  /** Consecutive passes that bring a down member up, a count from 1. */
  readonly rise: number;
  /** Consecutive failures that take an up member down, a count from 1. */
  readonly fall: number;
  /** True while the checker has lost sight of most of the fleet: nothing goes down. */
  readonly frozen?: boolean;
}

/** The state of a member that was never probed. */
export function initialHealth(initialState: HealthCheck["initialState"]): HealthState {
  return { verdict: initialState, contraryCount: 0, roundIndex: -1 };
}

/** The state after a restart: the last published verdict holds until results in a row contradict it. */
export function restoredHealth(verdict: Verdict): HealthState {
  return { verdict, contraryCount: 0, roundIndex: -1 };
}

/** The state after a change of the check: kept as it is, but results of another type of check count anew. */
export function healthAfterCheckChange(state: HealthState, typeChanged: boolean): HealthState {
  return typeChanged ? { ...state, contraryCount: 0 } : state;
}

/**
 * Counts one result. The first result of an unchecked member decides; after that only `rise` passes or `fall` failures
 * in a row turn the verdict. A result that comes twice or late changes nothing.
 */
export function recordRound(
  state: HealthState,
  round: ProbeRound,
  thresholds: HealthThresholds,
): HealthState {
  if (round.roundIndex <= state.roundIndex) return state;
  const { roundIndex } = round;
  const said: Verdict = round.outcome === "pass" ? "up" : "down";
  if (said === state.verdict) return { ...state, contraryCount: 0, roundIndex };
  const needed = state.verdict === "unchecked" ? 1 : said === "up" ? thresholds.rise : thresholds.fall;
  const contraryCount = state.contraryCount + 1;
  if (contraryCount < needed) return { ...state, contraryCount, roundIndex };
  if (said === "down" && thresholds.frozen === true)
    return { ...state, contraryCount: needed - 1, roundIndex };
  return { verdict: said, contraryCount: 0, roundIndex };
}

/** Whether the next result may bring news: rising, falling, or never probed. */
export function isInDoubt(state: HealthState): boolean {
  return state.verdict === "unchecked" || state.contraryCount > 0;
}

/** Milliseconds from the start of one probe to the start of the next. */
export function nextIntervalMs(
  state: HealthState,
  timing: Pick<HealthCheckTiming, "intervalMs" | "fastIntervalMs" | "downIntervalMs">,
): number {
  if (isInDoubt(state)) return timing.fastIntervalMs;
  return state.verdict === "down" ? timing.downIntervalMs : timing.intervalMs;
}

/** Share of the interval over which first probes are spread, so that a thousand new members are not probed in one instant. */
const FIRST_PROBE_JITTER = 0.1;
/** A new member takes no traffic before its first pass, so even a slow check asks soon. */
const LONGEST_FIRST_DELAY_MS = 1_000;

/**
 * Milliseconds until the first probe of a member. One whose verdict is known, as after a restart, is in no hurry: those are
 * spread over the whole interval, which is how they stay.
 *
 * @param random In [0, 1).
 */
export function firstProbeDelayMs(
  timing: Pick<HealthCheckTiming, "intervalMs">,
  isKnown: boolean,
  random: number,
): number {
  if (isKnown) return timing.intervalMs * random;
  return Math.min(timing.intervalMs * FIRST_PROBE_JITTER, LONGEST_FIRST_DELAY_MS) * random;
}

/**
 * Milliseconds from the first probe of a new member to its second: a part of the interval, so that members that began
 * together do not stay together. Later intervals are whole.
 *
 * @param random In [0, 1).
 */
export function secondProbeDelayMs(intervalMs: number, random: number): number {
  return intervalMs * (1 - random);
}
