/** How a retry loop waits. */
export interface BackoffOptions {
  /** First wait, in milliseconds. */
  readonly baseMs: number;
  /** Longest wait, in milliseconds. */
  readonly maxMs: number;
  /** Source of randomness in [0, 1), so that tests are repeatable. */
  readonly random: () => number;
}

/**
 * Exponential back-off with full jitter on the upper half.
 *
 * @param attempt 0 for the first retry.
 * @returns Milliseconds to wait, between half of and the whole exponential step.
 */
export function backoffMs(attempt: number, options: BackoffOptions): number {
  const step = Math.min(options.maxMs, options.baseMs * 2 ** Math.min(attempt, 30));
  return Math.round(step / 2 + (step / 2) * options.random());
}
