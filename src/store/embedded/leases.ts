import type { Clock } from "../../foundation/index.ts";

interface Lease {
  readonly ttlSeconds: number;
  /** Monotonic time at which it ends unless it is kept alive, ms. */
  deadlineMs: number;
  readonly stop: AbortController;
}

/** The deadlines of leases, on the monotonic clock; after a restart each gets its whole time again. */
export class Leases {
  readonly #clock: Clock;
  readonly #expire: (leaseId: string) => Promise<void>;
  readonly #leases = new Map<string, Lease>();

  /** @param expire Ends a lease whose time is up; a rejection is tried again a second later. */
  constructor(clock: Clock, expire: (leaseId: string) => Promise<void>) {
    this.#clock = clock;
    this.#expire = expire;
  }

  has(leaseId: string): boolean {
    return this.#leases.has(leaseId);
  }

  start(leaseId: string, ttlSeconds: number): void {
    const deadlineMs = this.#clock.monotonicMs() + ttlSeconds * 1_000;
    const lease = { ttlSeconds, deadlineMs, stop: new AbortController() };
    this.#leases.set(leaseId, lease);
    void this.#follow(leaseId, lease);
  }

  keepAlive(leaseId: string): boolean {
    const lease = this.#leases.get(leaseId);
    const now = this.#clock.monotonicMs();
    if (!lease || lease.deadlineMs <= now) return false;
    lease.deadlineMs = now + lease.ttlSeconds * 1_000;
    return true;
  }

  stop(leaseId: string): void {
    this.#leases.get(leaseId)?.stop.abort();
    this.#leases.delete(leaseId);
  }

  stopAll(): void {
    for (const leaseId of [...this.#leases.keys()]) this.stop(leaseId);
  }

  async #follow(leaseId: string, lease: Lease): Promise<void> {
    while (!lease.stop.signal.aborted) {
      const restMs = lease.deadlineMs - this.#clock.monotonicMs();
      const isUp = restMs <= 0 && (await this.#tryExpire(leaseId));
      if (isUp || !(await this.#sleep(restMs > 0 ? restMs : 1_000, lease.stop.signal))) return;
    }
  }

  async #tryExpire(leaseId: string): Promise<boolean> {
    try {
      await this.#expire(leaseId);
      return true;
    } catch {
      // The disk may be full: the keys stay a little longer.
      return false;
    }
  }

  /** @returns false when the lease was stopped meanwhile. */
  async #sleep(ms: number, signal: AbortSignal): Promise<boolean> {
    try {
      await this.#clock.sleep(ms, signal);
      return true;
    } catch {
      return false;
    }
  }
}
