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
        const { promise, resolve } = withResolvers();
        wake = resolve;
        signal.addEventListener("abort", resolve);
        await promise;
        signal.removeEventListener("abort", resolve);
      }
      wake = undefined;
      hasRung = false;
    },
  };
}

function withResolvers(): { readonly promise: Promise<void>; readonly resolve: () => void } {
  let resolve: () => void = () => undefined;
  const promise = new Promise<void>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}
