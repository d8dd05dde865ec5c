import type { Message } from "../readable-history.ts";
import type { StoreEntry, StoreEvent, StoreWatchMessage } from "../store.ts";
import { eventOf, keyOfEvent, revisionOfEvent } from "../store-event.ts";
import { Entries } from "./entries.ts";
import type { Past } from "./past.ts";
import { Window } from "./window.ts";

/** A watch that contradicts what was told before: something of that was wrong. */
export class Contradiction extends Error {}

/** A watch that leaves a revision out. Nothing wrong was told yet. */
export class Gap extends Error {}

/** What a message was: something new, or nothing that was not known. */
export type Admission = "news" | "repetition";

/**
 * The entries under a prefix and what happened to them lately, as a watch over all keys told it. Every revision changes some
 * key, so that whatever is missing, repeated or out of order shows by its number; what it says is checked against all before it.
 */
export class Replica {
  readonly #prefix: string;
  readonly entries: Entries;
  readonly window: Window;

  /** @param past What happened before `revision`, from its own floor on without a gap. */
  constructor(prefix: string, listed: readonly StoreEntry[], revision: number, past?: Past) {
    this.#prefix = prefix;
    this.entries = new Entries(listed);
    this.window = new Window(past?.floor ?? revision, revision);
    for (const message of past?.messages ?? []) this.window.append(message);
    this.window.advance(revision);
  }

  /**
   * Takes a message over.
   *
   * @throws Gap, Contradiction when it cannot be true; nothing of it is taken over then
   */
  admit(message: StoreWatchMessage): Admission {
    if (message.kind === "progress") return this.#advance(message.revision);
    const { revision } = message;
    const ours = message.events.filter((event) => keyOfEvent(event).startsWith(this.#prefix));
    if (revision <= this.window.revision) return this.#repeat({ revision, events: ours });
    if (revision > this.window.revision + 1) {
      throw new Gap(`revision ${revision} came after ${this.window.revision}`);
    }
    refuseRepeatedKeys(message);
    const events = ours.map((event) => this.#check(event, revision));
    for (const event of events) {
      if (event.kind === "put") this.entries.put(event.entry);
      else this.entries.delete(event.key);
    }
    if (events.length > 0) this.window.append({ revision, events });
    else this.window.advance(revision);
    return "news";
  }

  /** A server that lags says old things of itself, which are true all the same. */
  #advance(revision: number): Admission {
    if (revision < this.window.revision) return "repetition";
    this.window.advance(revision);
    return "news";
  }

  #repeat({ revision, events }: Message): Admission {
    const known = this.window.at(revision)?.events ?? [];
    const isSame =
      known.length === events.length && events.every((event, index) => isSameEvent(event, known[index]));
    if (isSame) return "repetition";
    throw new Contradiction(`revision ${revision} came after ${this.window.revision}`);
  }

  /** The event with the entries that are held already: each text is in memory once. */
  #check(event: StoreEvent, revision: number): StoreEvent {
    const key = keyOfEvent(event);
    const held = this.entries.get(key);
    const entry = event.kind === "put" ? event.entry : undefined;
    const isPreviousRight = event.previous === undefined || event.previous.modRevision === held?.modRevision;
    const isCreationRight = entry
      ? entry.createRevision === (held?.createRevision ?? revision)
      : held !== undefined;
    if (isPreviousRight && revisionOfEvent(event) === revision && isCreationRight)
      return eventOf(key, revision, entry, held);
    throw new Contradiction(
      `the ${event.kind} of "${key}" at revision ${revision} does not follow ${held?.modRevision ?? "its absence"}`,
    );
  }
}

function refuseRepeatedKeys({ revision, events }: Message): void {
  if (new Set(events.map(keyOfEvent)).size === events.length) return;
  throw new Contradiction(`revision ${revision} has a key twice`);
}

function isSameEvent(one: StoreEvent, other: StoreEvent | undefined): boolean {
  return (
    other?.kind === one.kind &&
    keyOfEvent(one) === keyOfEvent(other) &&
    revisionOfEvent(one) === revisionOfEvent(other) &&
    (one.kind === "delete" || one.entry.value === (other as typeof one).entry.value)
  );
}
