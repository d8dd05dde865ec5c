import type { Clock } from "../foundation/index.ts";
import { DueHeap } from "./due-heap.ts";
import type { ProbeResult, ProbeTarget } from "./probe.ts";

/** Somebody who wants to know how one target is. */
export interface ProbeSubscriber {
  /**
   * Takes one result.
   *
   * @param roundIndex Rises with every probe of this target.
   * @returns ms from the start of this probe to the start of the next.
   */
  readonly onResult: (result: ProbeResult, roundIndex: number) => number;
}

/** What a schedule needs. */
export interface ProbeScheduleOptions {
  readonly clock: Clock;
  /** Probes once; must settle by itself and never reject. */
  readonly probe: (target: ProbeTarget) => Promise<ProbeResult>;
  /** Most probes under way at one time, a count: above it probes wait for others. Default 8,192. */
  readonly concurrencyCount?: number;
  /** Told about every probe: how late it started, ms. */
  readonly onProbed?: (target: ProbeTarget, result: ProbeResult, latenessMs: number) => void;
}

/** Probes every target on time, each at most once at a time. */
export interface ProbeSchedule {
  /**
   * Probes a target for a subscriber until `unsubscribe`. Targets with equal address, port and check are probed once
   * for all their subscribers, as often as the most eager of them wants.
   *
   * @param firstDelayMs ms until the first probe, unless the target is probed already.
   */
  subscribe(target: ProbeTarget, firstDelayMs: number, subscriber: ProbeSubscriber): ProbeHandle;
  /** Distinct targets, a count. */
  readonly targetCount: number;
  /** Starts probes as they fall due, until the signal aborts. */
  run(signal: AbortSignal): Promise<void>;
}

/** One subscription. */
export interface ProbeHandle {
  readonly unsubscribe: () => void;
  /** Probes out of turn, at once; when a probe is under way, right after it. */
  readonly probeNow: () => void;
}

interface Entry {
  readonly key: string;
  readonly target: ProbeTarget;
  readonly subscribers: Set<ProbeSubscriber>;
  roundIndex: number;
  isProbing: boolean;
  isUrgent: boolean;
  /** The appointment that counts; older ones in the heap are void. */
  appointment: Appointment | undefined;
}

interface Appointment {
  readonly dueMs: number;
  readonly entry: Entry;
}

/** Half of 35,000 members that do not answer within 1 s of every 5 s need 3,500. */
const DEFAULT_CONCURRENCY = 8_192;
/** Probes that fall due within this time start together: to wake up for each alone costs more than the probe. */
const TICK_MS = 5;
/** Probes that start before the answers of others are read, a count. */
const TURN_COUNT = 64;
const LONGEST_SLEEP_MS = 60_000;

/** Makes a schedule; nothing is probed before `run`. */
export function createProbeSchedule(options: ProbeScheduleOptions): ProbeSchedule {
  return new HeapSchedule(options);
}

/** What makes two probes the same probe. */
function targetKey({ ip, port, check }: ProbeTarget): string {
  const { type, intervalMs, fastIntervalMs, downIntervalMs, timeoutMs, http, mysql } = check;
  return JSON.stringify([ip, port, type, intervalMs, fastIntervalMs, downIntervalMs, timeoutMs, http, mysql]);
}

class HeapSchedule implements ProbeSchedule {
  readonly #options: ProbeScheduleOptions;
  readonly #entries = new Map<string, Entry>();
  readonly #heap = new DueHeap<Appointment>();
  readonly #concurrency: number;
  #inFlight = 0;
  /** What ends the sleep before its time, and when it ends by itself, monotonic ms. */
  #sleep: { readonly wake: AbortController; readonly untilMs: number } | undefined;

  constructor(options: ProbeScheduleOptions) {
    this.#options = options;
    this.#concurrency = options.concurrencyCount ?? DEFAULT_CONCURRENCY;
  }

  get targetCount(): number {
    return this.#entries.size;
  }

  subscribe(target: ProbeTarget, firstDelayMs: number, subscriber: ProbeSubscriber): ProbeHandle {
    const key = targetKey(target);
    const entry = this.#entries.get(key) ?? this.#enter(key, target, firstDelayMs);
    entry.subscribers.add(subscriber);
    return {
      unsubscribe: () => this.#leave(entry, subscriber),
      probeNow: () => this.#hurry(entry),
    };
  }

  async run(signal: AbortSignal): Promise<void> {
    const stop = (): void => this.#wake();
    signal.addEventListener("abort", stop, { once: true });
    while (!signal.aborted) {
      this.#startDueProbes();
      await this.#pause();
    }
    signal.removeEventListener("abort", stop);
  }

  #enter(key: string, target: ProbeTarget, firstDelayMs: number): Entry {
    const entry: Entry = {
      key,
      target,
      subscribers: new Set(),
      roundIndex: 0,
      isProbing: false,
      isUrgent: false,
      appointment: undefined,
    };
    this.#entries.set(key, entry);
    this.#appoint(entry, this.#options.clock.monotonicMs() + firstDelayMs);
    return entry;
  }

  #leave(entry: Entry, subscriber: ProbeSubscriber): void {
    entry.subscribers.delete(subscriber);
    if (entry.subscribers.size > 0) return;
    entry.appointment = undefined;
    if (this.#entries.get(entry.key) === entry) this.#entries.delete(entry.key);
  }

  #hurry(entry: Entry): void {
    if (entry.isProbing) entry.isUrgent = true;
    else if (entry.subscribers.size > 0) this.#appoint(entry, this.#options.clock.monotonicMs());
  }

  #appoint(entry: Entry, dueMs: number): void {
    entry.appointment = { dueMs, entry };
    this.#heap.push(entry.appointment);
    // At most a tick late is in time.
    if (this.#sleep && dueMs < this.#sleep.untilMs - TICK_MS) this.#wake();
  }

  #startDueProbes(): void {
    for (let count = 0; count < TURN_COUNT && this.#inFlight < this.#concurrency; count += 1) {
      const nowMs = this.#options.clock.monotonicMs();
      const next = this.#nextAppointment();
      if (!next || next.dueMs > nowMs) return;
      this.#heap.pop();
      next.entry.appointment = undefined;
      const latenessMs = nowMs - next.dueMs;
      // Within a tick it is in time, and the next one is not put off by it.
      void this.#probe(next.entry, latenessMs <= TICK_MS ? next.dueMs : nowMs, latenessMs);
    }
  }

  /** The earliest appointment that still counts. */
  #nextAppointment(): Appointment | undefined {
    for (;;) {
      const next = this.#heap.peek();
      if (!next || next.entry.appointment === next) return next;
      this.#heap.pop();
    }
  }

  async #probe(entry: Entry, startMs: number, latenessMs: number): Promise<void> {
    entry.isProbing = true;
    this.#inFlight += 1;
    const roundIndex = entry.roundIndex;
    entry.roundIndex += 1;
    const result = await this.#options.probe(entry.target);
    entry.isProbing = false;
    this.#inFlight -= 1;
    if (entry.subscribers.size === 0) return;
    this.#options.onProbed?.(entry.target, result, latenessMs);
    let delayMs = Number.POSITIVE_INFINITY;
    for (const subscriber of [...entry.subscribers]) {
      delayMs = Math.min(delayMs, subscriber.onResult(result, roundIndex));
    }
    if (entry.subscribers.size === 0) return;
    const dueMs = entry.isUrgent ? startMs : startMs + delayMs;
    entry.isUrgent = false;
    this.#appoint(entry, Math.max(dueMs, this.#options.clock.monotonicMs()));
  }

  async #pause(): Promise<void> {
    const { clock } = this.#options;
    const nowMs = clock.monotonicMs();
    const dueMs = this.#nextAppointment()?.dueMs ?? Number.POSITIVE_INFINITY;
    const isBehind = dueMs <= nowMs && this.#inFlight < this.#concurrency;
    const waitMs = isBehind ? 0 : Math.min(LONGEST_SLEEP_MS, Math.max(TICK_MS, dueMs - nowMs));
    const wake = new AbortController();
    this.#sleep = { wake, untilMs: nowMs + waitMs };
    await clock.sleep(waitMs, wake.signal).catch(() => undefined);
    this.#sleep = undefined;
  }

  #wake(): void {
    this.#sleep?.wake.abort();
  }
}
