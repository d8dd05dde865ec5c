import type { ProbeResult, ReasonCode } from "../../health/index.ts";

/** What is known about the probes of one member; lives in memory and begins anew with the process. */
export interface ProbeRecord {
  /** Probes that passed, a count. */
  readonly successCount: number;
  /** Probes that failed, a count; those that say nothing about the member are not counted. */
  readonly failureCount: number;
  /** Of the last 100 counted probes, those that passed: a count, and how many there are. */
  readonly recentSuccessCount: number;
  readonly recentCount: number;
  readonly lastCode: ReasonCode;
  /** What the last probe saw. */
  readonly lastSnippet: string;
  /** How long the last probe took, ms. */
  readonly lastDurationMs: number;
  /** RFC 3339: when the last probe came back. */
  readonly lastTime: string;
}

/** The probes of every member, to join into what the API shows; reading it causes no write and no watch event. */
export interface ProbeLedger {
  /** The record of one member, undefined before its first probe. @param member `ip:port` */
  read(poolUid: string, member: string): ProbeRecord | undefined;
  /** Every record. */
  entries(): Iterable<{ readonly poolUid: string; readonly member: string; readonly record: ProbeRecord }>;
}

const RECENT_COUNT = 100;

interface Tally {
  successCount: number;
  failureCount: number;
  /** One bit per counted probe, the latest lowest. */
  recent: bigint;
  last: ProbeResult;
  lastTime: Date;
}

const RECENT_MASK = (1n << BigInt(RECENT_COUNT)) - 1n;

/** The ledger as circle-healthcheck keeps it. */
export class WritableProbeLedger implements ProbeLedger {
  readonly #pools = new Map<string, Map<string, Tally>>();

  /** Notes one result. */
  note(poolUid: string, member: string, result: ProbeResult, now: Date): void {
    let members = this.#pools.get(poolUid);
    if (!members) {
      members = new Map();
      this.#pools.set(poolUid, members);
    }
    const before = members.get(member);
    const tally: Tally = before ?? {
      successCount: 0,
      failureCount: 0,
      recent: 0n,
      last: result,
      lastTime: now,
    };
    if (!before) members.set(member, tally);
    tally.last = result;
    tally.lastTime = now;
    if (result.outcome === "none") return;
    if (result.outcome === "pass") tally.successCount += 1;
    else tally.failureCount += 1;
    tally.recent = ((tally.recent << 1n) | (result.outcome === "pass" ? 1n : 0n)) & RECENT_MASK;
  }

  /** Forgets a member, or with `member` absent the whole pool. */
  forget(poolUid: string, member?: string): void {
    const members = this.#pools.get(poolUid);
    if (member !== undefined) members?.delete(member);
    if (member === undefined || members?.size === 0) this.#pools.delete(poolUid);
  }

  read(poolUid: string, member: string): ProbeRecord | undefined {
    const tally = this.#pools.get(poolUid)?.get(member);
    return tally && recordOf(tally);
  }

  *entries(): Generator<{ poolUid: string; member: string; record: ProbeRecord }> {
    for (const [poolUid, members] of this.#pools) {
      for (const [member, tally] of members) yield { poolUid, member, record: recordOf(tally) };
    }
  }
}

function recordOf(tally: Tally): ProbeRecord {
  const { successCount, failureCount, recent, last, lastTime } = tally;
  return {
    successCount,
    failureCount,
    recentSuccessCount: recent.toString(2).replaceAll("0", "").length,
    recentCount: Math.min(RECENT_COUNT, successCount + failureCount),
    lastCode: last.code,
    lastSnippet: last.snippet,
    lastDurationMs: last.durationMs,
    lastTime: lastTime.toISOString(),
  };
}
