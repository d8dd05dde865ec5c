import { type Clock, ParasausError, watchdog } from "../../foundation/index.ts";
import type { Store, StoreWatchMessage } from "../store.ts";

/** A watch of the store beneath, and when to give it up. */
export interface UpstreamWatchOptions {
  readonly store: Store;
  readonly fromRevision: number;
  readonly clock: Clock;
  /** A watch on which nothing arrives for this long, milliseconds, not even progress, is given up. */
  readonly stallMs: number;
  readonly signal: AbortSignal;
}

/**
 * Watches all keys of the store beneath. Never ends but by throwing.
 *
 * @throws ParasausError `Unavailable` when the watch stalls or ends by itself, whatever it throws, and the signal's reason
 */
export async function* watchUpstream(options: UpstreamWatchOptions): AsyncGenerator<StoreWatchMessage> {
  const { store, fromRevision, clock, stallMs, signal } = options;
  const stop = new AbortController();
  let giveUp: (failure: unknown) => void = () => undefined;
  const onAbort = () => {
    stop.abort();
    giveUp(signal.reason);
  };
  signal.throwIfAborted();
  signal.addEventListener("abort", onAbort);
  const messages = store.watch("", fromRevision, stop.signal)[Symbol.asyncIterator]();
  // A watch that stalls may not even end when it is told to: it is not waited for.
  const next = () =>
    new Promise<IteratorResult<StoreWatchMessage>>((resolve, reject) => {
      giveUp = reject;
      messages.next().then(resolve, reject);
    });
  using dog = watchdog(clock, stallMs, () =>
    giveUp(new ParasausError("Unavailable", `Cannot watch the store: nothing arrived for ${stallMs} ms`)),
  );
  try {
    for (let step = await next(); !step.done; step = await next()) {
      dog.feed();
      yield step.value;
    }
    throw new ParasausError("Unavailable", "Cannot watch the store: the watch ended");
  } finally {
    stop.abort();
    signal.removeEventListener("abort", onAbort);
    messages.return?.().catch(() => undefined);
  }
}
