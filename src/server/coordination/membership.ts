import { backoffMs, type Clock, type Logger } from "../../foundation/index.ts";
import { type HeldLease, holdLease, type Store } from "../../store/index.ts";
import { News } from "./news.ts";

const RETRY = { baseMs: 100, maxMs: 2_000 };

/** What this server's part among the servers needs. */
export interface MembershipOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly logger: Logger;
  /** In [0, 1). */
  readonly random: () => number;
  /** This server among all of them. */
  readonly serverId: string;
  /** After this time without a sign of life the others take over its work, seconds. */
  readonly leaseSeconds: number;
}

/** This server's lease: one at a time, a new one after each that was lost. Disposing it gives everything back. */
export interface Membership extends AsyncDisposable {
  /** The lease that is held now; waits for one. @returns undefined when the signal aborts first */
  lease(signal: AbortSignal): Promise<HeldLease | undefined>;
}

/** Begins to hold a lease, and keeps holding one until it is disposed. */
export function joinServers(options: MembershipOptions): Membership {
  return new LeasedMembership(options);
}

class LeasedMembership implements Membership {
  readonly #options: MembershipOptions;
  readonly #left = new AbortController();
  readonly #news = new News();
  readonly #ended: Promise<void>;
  #lease: HeldLease | undefined;

  constructor(options: MembershipOptions) {
    this.#options = options;
    this.#ended = this.#stay();
  }

  async lease(signal: AbortSignal): Promise<HeldLease | undefined> {
    while (!signal.aborted) {
      if (this.#lease && !this.#lease.lost.aborted) return this.#lease;
      await this.#news.since(this.#news.version, signal);
    }
    return undefined;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#left.abort();
    await this.#ended;
  }

  async #stay(): Promise<void> {
    const { clock, logger, random } = this.#options;
    for (let attempt = 0; !this.#left.signal.aborted; attempt += 1) {
      try {
        await this.#holdOne();
        attempt = 0;
      } catch (error) {
        logger.warn("no lease, this server leads in nothing", { error });
        await clock.sleep(backoffMs(attempt, { ...RETRY, random }), this.#left.signal).catch(() => undefined);
      }
    }
  }

  async #holdOne(): Promise<void> {
    const { serverId, leaseSeconds, logger } = this.#options;
    await using lease = await holdLease({ ...this.#options, holder: serverId, ttlSeconds: leaseSeconds });
    this.#lease = lease;
    this.#news.tell();
    await this.#lostOrLeft(lease.lost);
    this.#lease = undefined;
    if (lease.lost.aborted) logger.warn("lease lost, its work goes to others", { error: lease.lost.reason });
  }

  #lostOrLeft(lost: AbortSignal): Promise<void> {
    const signals = [lost, this.#left.signal];
    if (signals.some(({ aborted }) => aborted)) return Promise.resolve();
    return new Promise((resolve) => {
      const end = (): void => {
        for (const signal of signals) signal.removeEventListener("abort", end);
        resolve();
      };
      for (const signal of signals) signal.addEventListener("abort", end, { once: true });
    });
  }
}
