/** A bell: a loop waits for it, anybody may ring it; rings while nobody waits are remembered as one. */
export interface Wakeup {
  ring(): void;
  /** Resolves at the next ring, or at once when it rang since; also when the signal aborts. */
  wait(signal: AbortSignal): Promise<void>;
}

/** Makes a bell. */
export function createWakeup(): Wakeup {
  let hasRung = false;
  let wake: (() => void) | undefined;
  return {
    ring() {
      hasRung = true;
      wake?.();
    },
    async wait(signal) {
      if (!hasRung && !signal.aborted) {
        await new Promise<void>((resolve) => {
          wake = resolve;
          signal.addEventListener("abort", () => resolve(), { once: true });
        });
      }
      wake = undefined;
      hasRung = false;
    },
  };
}
