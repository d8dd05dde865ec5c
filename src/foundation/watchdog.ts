import type { Clock } from "./clock.ts";

/** Calls out when it is not fed in time. Disposing stops it. */
export interface Watchdog extends Disposable {
  readonly feed: () => void;
}

/**
 * Starts a watchdog. It looks only now and then, so that feeding it costs next to nothing.
 *
 * @param patienceMs Calls `onStarved` once when it was not fed for this long, milliseconds; up to a quarter later.
 */
export function watchdog(clock: Clock, patienceMs: number, onStarved: () => void): Watchdog {
  const stop = new AbortController();
  let fedAtMs = clock.monotonicMs();
  const guard = async (): Promise<void> => {
    while (clock.monotonicMs() - fedAtMs < patienceMs) await clock.sleep(patienceMs / 4, stop.signal);
    onStarved();
  };
  guard().catch(() => undefined);
  return {
    feed: () => {
      fedAtMs = clock.monotonicMs();
    },
    [Symbol.dispose]: () => stop.abort(),
  };
}
