import {
  type HealthState,
  healthAfterCheckChange,
  initialHealth,
  nextIntervalMs,
  type ProbeCheck,
  type ProbeHandle,
  type ProbeResult,
  probeCheckOf,
  recordRound,
  restoredHealth,
} from "../../health/index.ts";
import type { HealthCheck, MemberStatus, PoolMember, Verdict } from "../../model/index.ts";

const NOT_PROBED = "not probed yet";

/** The probes of a member that are under way. */
export interface Probing {
  readonly handle: ProbeHandle;
  readonly check: ProbeCheck;
  readonly targetKey: string;
}

/** One member of one pool as circle-healthcheck follows it. */
export interface MonitoredMember {
  readonly key: string;
  readonly ip: string;
  /** 1-65535. */
  readonly port: number;
  member: PoolMember;
  check: HealthCheck;
  state: HealthState;
  reason: string;
  since: string;
  /** Absent while the member is not probed. */
  probing: Probing | undefined;
  /** Who waits for the next result. */
  awaiting: ((result: ProbeResult) => void)[];
}

/** `ip:port`. */
export function memberKey({ ip, port }: { readonly ip: string; readonly port: number }): string {
  return `${ip}:${port}`;
}

/**
 * Begins to follow a member.
 *
 * @param known What was published about it before a restart.
 */
export function newMember(
  member: PoolMember,
  check: HealthCheck,
  known: MemberStatus | undefined,
  now: Date,
): MonitoredMember {
  return {
    key: memberKey(member),
    ip: member.ip,
    port: member.port,
    member,
    check,
    state: known ? restoredHealth(known.verdict) : initialHealth(check.initialState),
    reason: known?.reason ?? NOT_PROBED,
    since: known?.since ?? timestamp(now),
    probing: undefined,
    awaiting: [],
  };
}

/** Whether a member is probed at all. A member under maintenance is left alone. */
export function isProbed(member: PoolMember, check: HealthCheck): boolean {
  return check.type !== "none" && member.state !== "maint";
}

/** Whether the verdict comes from probes, here or before a restart, and is not only what a new member begins with. */
export function isKnown({ state, reason }: MonitoredMember): boolean {
  return state.verdict !== "unchecked" && reason !== NOT_PROBED;
}

/** What the probes of a member need, with the port that the check names. */
export function targetOf(monitored: MonitoredMember): { ip: string; port: number; check: ProbeCheck } {
  const { ip, port, check } = monitored;
  return { ip, port: check.port ?? port, check: probeCheckOf(check) };
}

/**
 * Takes over a change of the member or its check. A member without a check counts as up, and stays so when it
 * gets one until that fails; one that comes back from maintenance begins anew.
 */
export function follow(monitored: MonitoredMember, member: PoolMember, check: HealthCheck, now: Date): void {
  const comesBack = monitored.member.state === "maint" && member.state !== "maint";
  const typeChanged = monitored.check.type !== check.type;
  monitored.member = member;
  monitored.check = check;
  if (check.type === "none") setVerdict(monitored, "up", "not checked: the pool has no health check", now);
  else if (member.state === "maint") setVerdict(monitored, "unchecked", "not probed: under maintenance", now);
  else if (comesBack) restart(monitored, now);
  else monitored.state = healthAfterCheckChange(monitored.state, typeChanged);
}

function restart(monitored: MonitoredMember, now: Date): void {
  const { roundIndex } = monitored.state;
  const fresh = initialHealth(monitored.check.initialState);
  if (fresh.verdict !== monitored.state.verdict) setVerdict(monitored, fresh.verdict, NOT_PROBED, now);
  monitored.state = { ...fresh, roundIndex };
}

function setVerdict(monitored: MonitoredMember, verdict: Verdict, reason: string, now: Date): void {
  if (monitored.state.verdict !== verdict) monitored.since = timestamp(now);
  monitored.state = { ...monitored.state, verdict, contraryCount: 0 };
  monitored.reason = reason;
}

/** Judges one result. @returns the verdict before, when it changed or was given for the first time. */
export function judge(
  monitored: MonitoredMember,
  result: ProbeResult,
  roundIndex: number,
  frozen: boolean,
  now: Date,
): Verdict | undefined {
  const reason = `${result.code} ${result.snippet}`.trim();
  if (result.outcome === "none") {
    if (monitored.state.verdict === "unchecked") monitored.reason = reason;
    return undefined;
  }
  const before = monitored.state.verdict;
  const { rise, fall } = monitored.check;
  const round = { roundIndex, outcome: result.outcome };
  monitored.state = recordRound(monitored.state, round, { rise, fall, frozen });
  if (monitored.state.verdict === before) return undefined;
  monitored.reason = reason;
  monitored.since = timestamp(now);
  return before;
}

/** Milliseconds until the next probe, from the start of the last. */
export function nextProbeMs({ state, check, probing }: MonitoredMember): number {
  return nextIntervalMs(state, probing?.check ?? probeCheckOf(check));
}

/** What the status says about the member. */
export function statusOf({ ip, port, state, reason, since }: MonitoredMember): MemberStatus {
  return { ip, port, verdict: state.verdict, reason, since };
}

function timestamp(now: Date): string {
  return now.toISOString();
}
