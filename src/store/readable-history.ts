import type { StoreEntry, StoreEvent } from "./store.ts";

/** All events of one revision. */
export interface Message {
  readonly revision: number;
  readonly events: readonly StoreEvent[];
}

/** What happened, by revision. Revisions at which nothing happened are left out. */
export interface ReadableHistory {
  /** The last revision that is known. */
  readonly revision: number;
  /**
   * Messages from revision `first` on, in order; some of them, at least one unless there is none.
   *
   * @throws ParasausError `Expired` when `first` is forgotten
   */
  read(first: number): readonly Message[];
  /**
   * What was there at `revision` where it differs from now: undefined where there was nothing.
   *
   * @throws ParasausError `Expired` when `revision` is forgotten
   */
  differencesAt(revision: number): ReadonlyMap<string, StoreEntry | undefined>;
}
