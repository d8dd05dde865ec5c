import { backoffMs, type Clock, type Logger } from "../../foundation/index.ts";

/** What a work queue needs. */
export interface WorkQueueOptions {
  /** Brings one key up to date; throwing means "again later". */
  readonly reconcile: (key: string) => Promise<void>;
  /** Most keys worked on at one time, a count. */
  readonly parallelCount: number;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly signal: AbortSignal;
  /** In [0, 1). */
  readonly random: () => number;
  /** Told about every finished attempt. */
  readonly onDone?: (key: string, durationMs: number, succeeded: boolean) => void;
}

/** Keys that wait to be reconciled: each once, however often it was added, and never twice at a time. */
export interface WorkQueue {
  /** Reconciles the key soon; when it is being worked on, once more after that. */
  add(key: string): void;
  /** As `add`, but not before `delayMs` have passed. An earlier appointment of the same key wins. */
  addAfter(key: string, delayMs: number): void;
  /** Keys that wait or are worked on, a count; delayed ones excluded. */
  readonly pendingCount: number;
  /** Resolves when nothing is worked on any more; call it after the signal has aborted. */
  drained(): Promise<void>;
}

const RETRY = { baseMs: 50, maxMs: 10_000 };
/** Conflicts with other writers are ordinary; only what lasts deserves a warning. */
const QUIET_RETRIES = 3;

/** Makes a queue that works until its signal aborts. */
export function createWorkQueue(options: WorkQueueOptions): WorkQueue {
  return new KeyedQueue(options);
}

class KeyedQueue implements WorkQueue {
  readonly #options: WorkQueueOptions;
  /** Waiting keys in order; a Set keeps each once. */
  readonly #waiting = new Set<string>();
  readonly #running = new Map<string, Promise<void>>();
  readonly #again = new Set<string>();
  readonly #failures = new Map<string, number>();
  readonly #appointments = new Map<string, { readonly dueMs: number; readonly cancel: AbortController }>();

  constructor(options: WorkQueueOptions) {
    this.#options = options;
    options.signal.addEventListener("abort", () => this.#stop(), { once: true });
  }

  get pendingCount(): number {
    return this.#waiting.size + this.#running.size;
  }

  add(key: string): void {
    if (this.#options.signal.aborted) return;
    if (this.#running.has(key)) this.#again.add(key);
    else this.#waiting.add(key);
    this.#startWaiting();
  }

  addAfter(key: string, delayMs: number): void {
    if (this.#options.signal.aborted) return;
    const dueMs = this.#options.clock.monotonicMs() + delayMs;
    const existing = this.#appointments.get(key);
    if (existing && existing.dueMs <= dueMs) return;
    existing?.cancel.abort();
    const cancel = new AbortController();
    this.#appointments.set(key, { dueMs, cancel });
    void this.#keepAppointment(key, delayMs, cancel);
  }

  async drained(): Promise<void> {
    while (this.#running.size > 0) await Promise.all(this.#running.values());
  }

  async #keepAppointment(key: string, delayMs: number, cancel: AbortController): Promise<void> {
    await this.#options.clock.sleep(delayMs, cancel.signal).catch(() => undefined);
    if (cancel.signal.aborted) return;
    this.#appointments.delete(key);
    this.add(key);
  }

  #startWaiting(): void {
    for (const key of this.#waiting) {
      if (this.#running.size >= this.#options.parallelCount) return;
      this.#waiting.delete(key);
      this.#running.set(key, this.#work(key));
    }
  }

  async #work(key: string): Promise<void> {
    // Lets the caller finish what it is doing; a burst of adds becomes one attempt.
    await Promise.resolve();
    const startMs = this.#options.clock.monotonicMs();
    const succeeded = await this.#attempt(key);
    this.#options.onDone?.(key, this.#options.clock.monotonicMs() - startMs, succeeded);
    this.#running.delete(key);
    if (this.#again.delete(key)) this.add(key);
    else if (!this.#options.signal.aborted) this.#startWaiting();
  }

  async #attempt(key: string): Promise<boolean> {
    try {
      await this.#options.reconcile(key);
      this.#failures.delete(key);
      return true;
    } catch (failure) {
      if (this.#options.signal.aborted) return false;
      const attempt = this.#failures.get(key) ?? 0;
      this.#failures.set(key, attempt + 1);
      const waitMs = backoffMs(attempt, { ...RETRY, random: this.#options.random });
      const facts = { key, attempt, waitMs, error: failure };
      if (attempt < QUIET_RETRIES) this.#options.logger.debug("reconcile failed, trying again", facts);
      else this.#options.logger.warn("reconcile keeps failing, trying again", facts);
      this.addAfter(key, waitMs);
      return false;
    }
  }

  #stop(): void {
    this.#waiting.clear();
    this.#again.clear();
    for (const { cancel } of this.#appointments.values()) cancel.abort();
    this.#appointments.clear();
  }
}
