/** How often something may be tried. */
export interface RateLimitOptions {
  /** Tries at once, a count. */
  readonly burst: number;
  /** After which one more may be tried, milliseconds. */
  readonly refillMs: number;
  readonly nowMs: () => number;
}

/** Buckets that are full again are forgotten when there are so many. */
const MANY = 10_000;

/** A token bucket for each key, in this process alone. */
export class RateLimit {
  readonly #options: RateLimitOptions;
  readonly #spent = new Map<string, { count: number; atMs: number }>();

  constructor(options: RateLimitOptions) {
    this.#options = options;
  }

  /** Takes one try. @returns 0, or when to try again, seconds */
  take(key: string): number {
    const { burst, refillMs, nowMs } = this.#options;
    const count = this.#countOf(key);
    if (count > burst - 1) return Math.max(1, Math.ceil(((count - (burst - 1)) * refillMs) / 1_000));
    if (this.#spent.size > MANY) this.#forget();
    this.#spent.set(key, { count: count + 1, atMs: nowMs() });
    return 0;
  }

  /** Gives a try back: it was no failure. */
  giveBack(key: string): void {
    const count = this.#countOf(key);
    this.#spent.set(key, { count: Math.max(0, count - 1), atMs: this.#options.nowMs() });
  }

  #countOf(key: string): number {
    const spent = this.#spent.get(key);
    if (!spent) return 0;
    const { refillMs, nowMs } = this.#options;
    return Math.max(0, spent.count - (nowMs() - spent.atMs) / refillMs);
  }

  #forget(): void {
    for (const key of this.#spent.keys()) if (this.#countOf(key) === 0) this.#spent.delete(key);
  }
}
