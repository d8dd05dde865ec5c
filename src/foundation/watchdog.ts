import type { Clock } from "./clock.ts";

/** Calls out when it is not fed in time. Disposing stops it. */
export interface Watchdog extends Disposable {
  readonly feed: () => void;
}

/** How often it looks while its patience lasts. */
const LOOK_COUNT = 4;

/**
 * Starts a watchdog. It looks only now and then, so that feeding it costs next to nothing. Silence is counted in looks and
 * not by the clock: a process that stood still, for want of a CPU or with its machine paused, reads what came meanwhile first.
 *
 * @param patienceMs Calls `onStarved` once when it was not fed for this long, milliseconds; up to a quarter later.
 */
export function watchdog(clock: Clock, patienceMs: number, onStarved: () => void): Watchdog {
  const stop = new AbortController();
  // The first look is a whole quarter after the beginning, the first after a meal perhaps at once.
  let looksSinceFed = 1;
  const guard = async (): Promise<void> => {
    while (looksSinceFed <= LOOK_COUNT) {
      await clock.sleep(patienceMs / LOOK_COUNT, stop.signal);
      looksSinceFed += 1;
    }
    onStarved();
  };
  guard().catch(() => undefined);
  return {
    feed: () => {
      looksSinceFed = 0;
    },
    [Symbol.dispose]: () => stop.abort(),
  };
}
