import { backoffMs, type Clock, hasCode, type Logger } from "../foundation/index.ts";

const ATTEMPTS = 10;
const BACKOFF = { baseMs: 100, maxMs: 2_000 };

/** Does what needs the store. A cluster that has just come up may be about to choose another leader: ten times, up to a minute. */
export async function whileUnavailable<T>(
  attempt: () => Promise<T>,
  { clock, random, log }: { readonly clock: Clock; readonly random: () => number; readonly log: Logger },
  signal: AbortSignal,
): Promise<T> {
  for (let failures = 0; ; failures += 1) {
    try {
      return await attempt();
    } catch (failure) {
      if (!hasCode(failure, "Unavailable") || failures + 1 >= ATTEMPTS) throw failure;
      log.warn("store not ready, trying again", { error: failure });
      await clock.sleep(backoffMs(failures, { ...BACKOFF, random }), signal);
    }
  }
}
