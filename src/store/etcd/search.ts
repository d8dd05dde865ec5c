import { backoffMs, type Clock } from "../../foundation/index.ts";
import type { Member } from "./member.ts";

const BACKOFF = { baseMs: 50, maxMs: 500 };

/** What a search is made with. */
export interface SearchOptions {
  readonly members: readonly Member[];
  /** Asks for what a member can only answer together with a majority. @returns why it did not; undefined: it did */
  readonly ask: (member: Member) => Promise<string | undefined>;
  readonly clock: Clock;
  readonly random: () => number;
  /** Ends it without a find. */
  readonly signal: AbortSignal;
}

/**
 * Asks all members at once, each again whenever it has failed, until one answers.
 *
 * While a leader is elected, members let requests hang, and a write that hangs is not to be repeated. A read is: etcd
 * 3.4 fails it as soon as there is a leader ("leader changed"), later ones answer it, and so the moment is not missed.
 */
export class Search {
  /** Why each member did not answer, by endpoint. */
  readonly reasons = new Map<string, string>();
  /** The first one that answers; undefined when the signal aborts before. */
  readonly found: Promise<Member | undefined>;
  readonly #options: SearchOptions;
  #isOver = false;

  constructor(options: SearchOptions) {
    this.#options = options;
    this.found = this.#askAll();
  }

  /** Whether a member was found before `endsMs` by the monotonic clock. */
  async isFoundBy(endsMs: number): Promise<boolean> {
    const { clock } = this.#options;
    const waiting = new AbortController();
    const late = clock.sleep(Math.max(0, endsMs - clock.monotonicMs()), waiting.signal).then(
      () => undefined,
      () => undefined,
    );
    const member = await Promise.race([this.found, late]);
    waiting.abort();
    return member !== undefined;
  }

  async #askAll(): Promise<Member | undefined> {
    const first = await Promise.race(this.#options.members.map((member) => this.#askAgain(member)));
    this.#isOver = true;
    return first;
  }

  async #askAgain(member: Member): Promise<Member | undefined> {
    const { ask, clock, random, signal } = this.#options;
    for (let attempt = 0; !this.#isOver && !signal.aborted; attempt += 1) {
      const reason = await ask(member);
      if (reason === undefined) return member;
      this.reasons.set(member.endpoint, reason);
      await clock.sleep(backoffMs(attempt, { ...BACKOFF, random }), signal).catch(() => undefined);
    }
    return undefined;
  }
}
