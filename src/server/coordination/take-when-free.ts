import { backoffMs, type Clock, hasCode, type Logger } from "../../foundation/index.ts";
import type { Fence, HeldLease } from "../../store/index.ts";
import type { HeldKeys } from "./held-keys.ts";

const RETRY = { baseMs: 100, maxMs: 2_000 };

/** What waiting for a key needs. */
export interface TakeOptions {
  readonly key: string;
  /** Follows a prefix that `key` is under. */
  readonly keys: HeldKeys;
  readonly clock: Clock;
  readonly logger: Logger;
  /** In [0, 1). */
  readonly random: () => number;
  readonly signal: AbortSignal;
}

/** Takes a key as soon as nobody holds it. @returns undefined when the lease is lost, or the signal aborts, before */
export async function takeWhenFree(options: TakeOptions, lease: HeldLease): Promise<Fence | undefined> {
  const { key, keys, clock, random, logger, signal } = options;
  for (let attempt = 0; !signal.aborted; ) {
    const { version } = keys.news;
    try {
      const fence = keys.entries.has(key) ? undefined : await lease.take(key);
      if (fence) return fence;
      attempt = 0;
      await keys.news.since(version, signal);
    } catch (error) {
      if (hasCode(error, "FenceLost")) return undefined;
      logger.debug("key not taken, trying again", { key, error });
      await clock.sleep(backoffMs(attempt, { ...RETRY, random }), signal).catch(() => undefined);
      attempt += 1;
    }
  }
  return undefined;
}
