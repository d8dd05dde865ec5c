import { useSyncExternalStore } from "react";

const PERIOD_MS = 1_000;
const listeners = new Set<() => void>();
let timer: ReturnType<typeof setInterval> | undefined;

/** The time of now, milliseconds since 1970, which moves on once a second for everybody at once. */
export function useNow(): number {
  return useSyncExternalStore(subscribe, () => Math.floor(Date.now() / PERIOD_MS) * PERIOD_MS);
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  timer ??= setInterval(() => {
    for (const each of listeners) each();
  }, PERIOD_MS);
  return () => {
    listeners.delete(listener);
    if (listeners.size > 0) return;
    clearInterval(timer);
    timer = undefined;
  };
}
