import { setMaxListeners } from "node:events";
import { type Clock, hasCode, type Logger, ParasausError } from "../foundation/index.ts";
import type { Fence } from "./fence-store.ts";
import type { Store } from "./store.ts";

/** Renewals in one time to live, a count: several may fail before the lease is lost. */
const RENEWALS_PER_TTL = 5;
/** Share of the time to live by which the holder stops before the store lets go. */
const MARGIN_SHARE = 0.2;

/** How to hold a lease. */
export interface HeldLeaseOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Who holds it; part of the value of every key, for those who read them. */
  readonly holder: string;
  /** After this time without a renewal the store gives the keys to others, seconds. */
  readonly ttlSeconds: number;
}

/** One lease that is renewed for as long as it can be, and the keys that are held under it. */
export interface HeldLease extends AsyncDisposable {
  /**
   * Aborts when the lease may be over, by this machine's own monotonic clock: a time to live after the last answered
   * renewal was sent, less a margin. Nothing may be begun in the name of a key after that.
   */
  readonly lost: AbortSignal;
  /**
   * Takes a key that nobody holds.
   *
   * @returns its fence, or undefined when it is held already
   * @throws ParasausError `FenceLost` when the lease is lost
   */
  take(key: string): Promise<Fence | undefined>;
  /** Lets keys go, at most 100, so that others can take them at once. */
  release(...fences: readonly Fence[]): Promise<void>;
}

/** Who holds a key, from its value. @returns undefined when the value is none of a held key */
export function holderOf(value: string): string | undefined {
  try {
    const { holder } = JSON.parse(value);
    return typeof holder === "string" ? holder : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Begins to hold a lease. Disposing it gives everything back at once.
 *
 * @throws ParasausError what the store throws
 */
export async function holdLease(options: HeldLeaseOptions): Promise<HeldLease> {
  const sentMs = options.clock.monotonicMs();
  const leaseId = await options.store.grantLease(options.ttlSeconds);
  return new RenewedLease(options, leaseId, sentMs);
}

class RenewedLease implements HeldLease {
  readonly #options: HeldLeaseOptions;
  readonly #leaseId: string;
  /** The value of every key: no other lease writes it. */
  readonly #value: string;
  readonly #held = new Set<string>();
  readonly #lost = new AbortController();
  /** Monotonic time at which it counts as lost, ms. */
  #deadlineMs: number;

  constructor(options: HeldLeaseOptions, leaseId: string, sentMs: number) {
    this.#options = options;
    this.#leaseId = leaseId;
    this.#value = JSON.stringify({ holder: options.holder, lease: leaseId });
    this.#deadlineMs = sentMs + this.#safeMs;
    // Every key that is held has work that listens to it.
    setMaxListeners(0, this.#lost.signal);
    void this.#watchDeadline();
    void this.#keepRenewing();
  }

  get lost(): AbortSignal {
    return this.#lost.signal;
  }

  async take(key: string): Promise<Fence | undefined> {
    this.#refuseLost(key);
    try {
      const modRevision = (await this.#put(key)) ?? (await this.#findOwn(key));
      this.#refuseLost(key);
      if (modRevision === undefined) return undefined;
      this.#held.add(key);
      return { key, modRevision };
    } catch (failure) {
      if (hasCode(failure, "NotFound")) this.#lose("the store has ended it");
      this.#refuseLost(key);
      throw failure;
    }
  }

  async release(...fences: readonly Fence[]): Promise<void> {
    for (const { key } of fences) this.#held.delete(key);
    if (fences.length === 0 || (await this.#delete(fences)) || fences.length === 1) return;
    // One of them has gone already.
    await Promise.all(fences.map((fence) => this.#delete([fence])));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const { store, clock, logger, ttlSeconds } = this.#options;
    this.#lost.abort(new ParasausError("FenceLost", "Cannot go on: the lease was given back"));
    const revoked = store.revokeLease(this.#leaseId).catch((error: unknown) => {
      logger.debug("lease not given back, it ends by itself", { error });
    });
    // A store that does not answer must not hold up the end: by then the lease has ended by itself.
    const stop = new AbortController();
    await Promise.race([revoked, clock.sleep(ttlSeconds * 1_000, stop.signal).catch(() => undefined)]);
    stop.abort();
  }

  async #delete(fences: readonly Fence[]): Promise<boolean> {
    const { succeeded } = await this.#options.store.transact(
      fences,
      fences.map(({ key }) => ({ kind: "delete", key })),
    );
    return succeeded;
  }

  async #put(key: string): Promise<number | undefined> {
    const put = { kind: "put", key, value: this.#value, leaseId: this.#leaseId } as const;
    const { succeeded, revision } = await this.#options.store.transact([{ key, modRevision: 0 }], [put]);
    return succeeded ? revision : undefined;
  }

  /** An earlier attempt may have been carried out although its answer was lost. */
  async #findOwn(key: string): Promise<number | undefined> {
    if (this.#held.has(key)) return undefined;
    const entry = await this.#options.store.get(key);
    return entry?.value === this.#value ? entry.modRevision : undefined;
  }

  get #safeMs(): number {
    return this.#options.ttlSeconds * 1_000 * (1 - MARGIN_SHARE);
  }

  /** One renewal that gets no answer does not keep the next one back. */
  async #keepRenewing(): Promise<void> {
    const intervalMs = (this.#options.ttlSeconds * 1_000) / RENEWALS_PER_TTL;
    while (await this.#sleep(intervalMs)) void this.#renew();
  }

  async #renew(): Promise<void> {
    const { store, clock, logger } = this.#options;
    const sentMs = clock.monotonicMs();
    try {
      const isAlive = await store.keepLeaseAlive(this.#leaseId);
      if (!isAlive) this.#lose("the store has ended it");
      // What was lost meanwhile stays lost: others may have been told already.
      else if (clock.monotonicMs() < this.#deadlineMs) {
        this.#deadlineMs = Math.max(this.#deadlineMs, sentMs + this.#safeMs);
      }
    } catch (error) {
      logger.debug("lease not renewed, trying again", { error });
    }
  }

  async #watchDeadline(): Promise<void> {
    for (;;) {
      const restMs = this.#deadlineMs - this.#options.clock.monotonicMs();
      if (restMs <= 0) this.#lose("it was not renewed in time");
      if (!(await this.#sleep(restMs))) return;
    }
  }

  #lose(why: string): void {
    if (this.#lost.signal.aborted) return;
    this.#lost.abort(new ParasausError("FenceLost", `Cannot go on: the lease is lost, ${why}`));
  }

  #refuseLost(key: string): void {
    if (!this.#lost.signal.aborted) return;
    throw new ParasausError("FenceLost", `Cannot hold "${key}": the lease is lost`, {
      cause: this.#lost.signal.reason,
    });
  }

  /** @returns false once the lease is lost or given back. */
  async #sleep(ms: number): Promise<boolean> {
    try {
      await this.#options.clock.sleep(ms, this.#lost.signal);
      return true;
    } catch {
      return false;
    }
  }
}
