/** Writes per second and pool in the long run, a count. */
const WRITES_PER_SECOND = 1;
/** Writes that a quiet pool may do at once, a count: members that die together are found dead one after another. */
const BURST_COUNT = 3;

/** How often the status of one pool may be written: the first changes at once, a flapping pool once a second. */
export class WriteAllowance {
  #tokens = BURST_COUNT;
  #countedMs = 0;

  /** Milliseconds until the next write is allowed. */
  waitMs(nowMs: number): number {
    this.#refill(nowMs);
    return this.#tokens >= 1 ? 0 : Math.ceil(((1 - this.#tokens) / WRITES_PER_SECOND) * 1_000);
  }

  /** Notes a write; one that nobody asked about may leave a debt. */
  take(nowMs: number): void {
    this.#refill(nowMs);
    this.#tokens -= 1;
  }

  #refill(nowMs: number): void {
    const gained = ((nowMs - this.#countedMs) / 1_000) * WRITES_PER_SECOND;
    this.#tokens = Math.min(BURST_COUNT, this.#tokens + Math.max(0, gained));
    this.#countedMs = nowMs;
  }
}
