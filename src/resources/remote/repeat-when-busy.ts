import { type Clock, hasCode, type ParasausError } from "../../foundation/index.ts";

const ATTEMPTS = 6;
const DEFAULT_SECONDS = 1;
/** Longest wait that a server can ask for, seconds. */
const MOST_SECONDS = 30;

/** How to wait for a busy server. */
export interface RepeatOptions {
  readonly clock: Clock;
  /** Source of randomness in [0, 1). */
  readonly random: () => number;
  /** Ends the waiting. */
  readonly signal?: AbortSignal;
}

/**
 * Asks again when the server says that it is busy, which means that nothing was done: not before the time that it names,
 * and spread over as long again, so that all who were sent away do not come back together.
 *
 * @throws ParasausError what `attempt` throws; `TooManyRequests` when the server is still busy at the sixth time
 */
export async function repeatWhenBusy<T>(attempt: () => Promise<T>, options: RepeatOptions): Promise<T> {
  const { clock, random, signal } = options;
  for (let count = 1; ; count += 1) {
    try {
      return await attempt();
    } catch (failure) {
      if (!hasCode(failure, "TooManyRequests") || count >= ATTEMPTS) throw failure;
      await clock.sleep(waitMs(failure, random), signal);
    }
  }
}

function waitMs({ retryAfterSeconds = DEFAULT_SECONDS }: ParasausError, random: () => number): number {
  return Math.round(Math.min(retryAfterSeconds, MOST_SECONDS) * 1_000 * (1 + random()));
}
