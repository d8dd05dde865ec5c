import { type Clock, ParasausError } from "../../foundation/index.ts";

/** Whom a list is for. Agents come all at once, after a restart; everybody else waits for an answer. */
export type ListClass = "agents" | "others";

const CLASSES: readonly ListClass[] = ["agents", "others"];
/** Lists that are worked on at the same time. They share one thread: more would only make each take longer. */
const SEATS = 4;
/** One class never has all seats, so that the other one does not wait for the first of them to end. */
const SEATS_OF_CLASS = SEATS - 1;
/**
 * Lists of a class that wait: more than there are nodes. Agents that were sent away would come back to a line that those
 * before them fill again page by page, and might never get in.
 */
const WAITING_OF_CLASS = 256;
const RETRY_AFTER_SECONDS = 1;
/** Less than clients wait for an answer; with 5 ms for a page of 500 pools the longest line takes little more than a second. */
const PATIENCE_MS = 20_000;

/** The right to work on a list; disposing it lets the next one begin. Disposing twice is disposing once. */
export interface Seat extends Disposable {}

interface Waiting {
  readonly begin: () => void;
}

/** How lists are let in. */
export interface ListQueueOptions {
  readonly clock: Clock;
  /** Told when one is sent away. */
  readonly onRefused: (listClass: ListClass) => void;
}

/**
 * Lets a few large lists be worked on at a time, in turns between the classes. Whoever finds the line of its class full,
 * or waits for 20 s, is sent away for a second.
 */
export class ListQueue {
  readonly #options: ListQueueOptions;
  readonly #waiting: Record<ListClass, Set<Waiting>> = { agents: new Set(), others: new Set() };
  readonly #seated: Record<ListClass, number> = { agents: 0, others: 0 };
  #last: ListClass = "agents";

  constructor(options: ListQueueOptions) {
    this.#options = options;
  }

  /** How many of a class wait. */
  waiting(listClass: ListClass): number {
    return this.#waiting[listClass].size;
  }

  /**
   * Resolves when it is the caller's turn.
   *
   * @param signal The caller has gone.
   * @throws ParasausError `TooManyRequests`
   */
  async enter(listClass: ListClass, signal: AbortSignal): Promise<Seat> {
    if (this.#hasRoom(listClass) && this.#waiting[listClass].size === 0) return this.#seat(listClass);
    if (this.#waiting[listClass].size >= WAITING_OF_CLASS) throw this.#refuse(listClass);
    const isSeated = await this.#wait(listClass, signal);
    if (!isSeated) throw this.#refuse(listClass, signal);
    return this.#seatOf(listClass);
  }

  /** @returns false when the time was up or the caller had gone before its turn came */
  async #wait(listClass: ListClass, signal: AbortSignal): Promise<boolean> {
    const line = this.#waiting[listClass];
    const end = new AbortController();
    const stop = () => end.abort();
    signal.addEventListener("abort", stop);
    let isSeated = false;
    const waiting = {
      begin: () => {
        isSeated = true;
        stop();
      },
    };
    line.add(waiting);
    if (!signal.aborted) await this.#options.clock.sleep(PATIENCE_MS, end.signal).catch(() => undefined);
    signal.removeEventListener("abort", stop);
    line.delete(waiting);
    return isSeated;
  }

  #hasRoom(listClass: ListClass): boolean {
    const all = CLASSES.reduce((sum, each) => sum + this.#seated[each], 0);
    return all < SEATS && this.#seated[listClass] < SEATS_OF_CLASS;
  }

  #seat(listClass: ListClass): Seat {
    this.#seated[listClass] += 1;
    return this.#seatOf(listClass);
  }

  #seatOf(listClass: ListClass): Seat {
    let isFree = false;
    return {
      [Symbol.dispose]: () => {
        if (isFree) return;
        isFree = true;
        this.#seated[listClass] -= 1;
        this.#callNext();
      },
    };
  }

  /** The seat is counted before its owner runs, so that nobody takes it meanwhile. */
  #callNext(): void {
    for (const listClass of this.#inTurn()) {
      const [next] = this.#waiting[listClass];
      if (!next || !this.#hasRoom(listClass)) continue;
      this.#waiting[listClass].delete(next);
      this.#seated[listClass] += 1;
      this.#last = listClass;
      next.begin();
      return;
    }
  }

  #inTurn(): readonly ListClass[] {
    return this.#last === "agents" ? ["others", "agents"] : ["agents", "others"];
  }

  #refuse(listClass: ListClass, signal?: AbortSignal): ParasausError {
    if (!signal?.aborted) this.#options.onRefused(listClass);
    return new ParasausError(
      "TooManyRequests",
      `Cannot list now: the server is busy with other lists; ask again in ${RETRY_AFTER_SECONDS} s`,
      { retryAfterSeconds: RETRY_AFTER_SECONDS },
    );
  }
}

/** The class of a caller, by what it says of itself: who lies gains a place in the other line, no more. */
export function classOf(userAgent: string | undefined): ListClass {
  return userAgent?.startsWith("parasaus-agent/") ? "agents" : "others";
}
