const MIN_REVISIONS = 10_000;
const MIN_AGE_MS = 600_000;
const MAX_REVISIONS = 100_000;

/** Decides how far back history reaches: 10,000 revisions, or 10 minutes where that is more, but never 100,000 revisions. */
export class Retention {
  /** What the revision was at which time, oldest first. */
  #samples: { readonly revision: number; readonly atMs: number }[] = [];

  /** Takes note of the revision at this time. @returns the oldest revision to keep. */
  observe(revision: number, nowMs: number): number {
    this.#samples.push({ revision, atMs: nowMs });
    const firstYoung = this.#samples.findIndex(({ atMs }) => atMs > nowMs - MIN_AGE_MS);
    const lastOld = this.#samples[firstYoung - 1];
    if (lastOld) this.#samples = this.#samples.slice(firstYoung - 1);
    const byAge = lastOld?.revision ?? 0;
    return Math.max(1, revision - MAX_REVISIONS, Math.min(revision - MIN_REVISIONS, byAge));
  }
}
