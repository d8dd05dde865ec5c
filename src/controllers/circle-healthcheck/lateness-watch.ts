/** A probe that starts this much after it was due is late, ms. */
const LATE_MS = 500;
/** Above this share of late probes the server cannot keep up; 0-1. */
const TOLERATED_SHARE = 0.01;
/** Probes are judged together for so long, ms. */
const WINDOW_MS = 10_000;
/** Time between two reports, ms. */
const QUIET_MS = 60_000;

/** What an operator should know about probes that start late. */
export interface LatenessReport {
  /** Probes that were late, and all of the same time: a count each. */
  readonly lateCount: number;
  readonly probeCount: number;
  readonly worstMs: number;
}

/** Notices when probes start later than they are due, which says that the server cannot keep up. */
export class LatenessWatch {
  #beganMs: number | undefined;
  #reportedMs = Number.NEGATIVE_INFINITY;
  #lateCount = 0;
  #probeCount = 0;
  #worstMs = 0;

  /** Notes how late a probe started. @returns whether that is late */
  note(latenessMs: number, nowMs: number): boolean {
    this.#beganMs ??= nowMs;
    const isLate = latenessMs > LATE_MS;
    this.#probeCount += 1;
    if (isLate) this.#lateCount += 1;
    this.#worstMs = Math.max(this.#worstMs, latenessMs);
    return isLate;
  }

  /** @returns something at the end of a bad time, once a minute at most */
  report(nowMs: number): LatenessReport | undefined {
    if (this.#beganMs === undefined || nowMs - this.#beganMs < WINDOW_MS) return undefined;
    const report = {
      lateCount: this.#lateCount,
      probeCount: this.#probeCount,
      worstMs: Math.round(this.#worstMs),
    };
    this.#beganMs = undefined;
    this.#lateCount = 0;
    this.#probeCount = 0;
    this.#worstMs = 0;
    const isBad = report.lateCount > report.probeCount * TOLERATED_SHARE;
    if (!isBad || nowMs - this.#reportedMs < QUIET_MS) return undefined;
    this.#reportedMs = nowMs;
    return report;
  }
}
