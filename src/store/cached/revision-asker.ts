import { type Clock, ParasausError } from "../../foundation/index.ts";
import type { Store } from "../store.ts";

const ATTEMPTS = 4;
const PAUSE_MS = 50;

/**
 * The store's revision, asked again when it is before `known`: a member that was paused may answer from the past once.
 *
 * @returns One that is before `known` only when the store insists on it.
 */
export async function revisionFrom(store: Store, known: number, clock: Clock): Promise<number> {
  let revision = await store.revision();
  for (let attempt = 1; revision < known && attempt < ATTEMPTS; attempt += 1) {
    await clock.sleep(PAUSE_MS);
    revision = await store.revision();
  }
  return revision;
}

/** Asks the store for its revision, once for all who ask at the same time. */
export class RevisionAsker {
  readonly #store: Store;
  readonly #clock: Clock;
  #known = 0;
  #asking: Promise<unknown> | undefined;
  #next: Promise<number> | undefined;

  constructor(store: Store, clock: Clock) {
    this.#store = store;
    this.#clock = clock;
  }

  /** The newest revision that the store told. */
  get known(): number {
    return this.#known;
  }

  /** Takes note of a revision that the store told. */
  note(revision: number): void {
    this.#known = Math.max(this.#known, revision);
  }

  /**
   * A revision that is not older than any write acknowledged before the call. An answer that is on its way may have
   * left before: who comes meanwhile waits for the next one.
   *
   * @throws ParasausError `Unavailable` when the store is behind what it told before
   */
  ask(): Promise<number> {
    this.#next ??= this.#askAfter(this.#asking);
    return this.#next;
  }

  async #askAfter(earlier: Promise<unknown> | undefined): Promise<number> {
    await earlier?.catch(() => undefined);
    const asking = this.#askOnce();
    this.#asking = asking;
    this.#next = undefined;
    return await asking;
  }

  async #askOnce(): Promise<number> {
    const known = this.#known;
    const revision = await revisionFrom(this.#store, known, this.#clock);
    this.note(revision);
    if (revision >= known) return revision;
    const message = `Cannot read: the store is at revision ${revision}, but it was at ${known} before`;
    throw new ParasausError("Unavailable", message);
  }
}
