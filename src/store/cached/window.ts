import { ParasausError } from "../../foundation/index.ts";
import type { Message, ReadableHistory } from "../readable-history.ts";
import type { StoreEntry } from "../store.ts";
import { keyOfEvent } from "../store-event.ts";

// What the embedded store keeps at least; whoever is further behind than this lists about as cheaply as it catches up.
export const MAX_MESSAGES = 10_000;
/** Longest sum of the texts that the messages hold, characters: the bound on memory. */
const MAX_CHARACTERS = 64_000_000;
// Forgetting shifts all that stays, so it is done for a tenth at a time.
const SLACK = 1.1;
const CHUNK_LENGTH = 256;

/** The newest part of history, in memory and bounded. */
export class Window implements ReadableHistory {
  #messages: Message[] = [];
  #characters = 0;
  #revision: number;
  #floor: number;
  #isLost = false;

  /** @param revision Nothing is known to have happened after `floor` and up to this revision. */
  constructor(floor: number, revision = floor) {
    this.#floor = floor;
    this.#revision = revision;
  }

  get revision(): number {
    return this.#revision;
  }

  /** The oldest revision whose state can be told: all that happened after it is here. */
  get floor(): number {
    return this.#floor;
  }

  /** The message of exactly this revision. */
  at(revision: number): Message | undefined {
    const message = this.#messages[this.#placeOf(revision)];
    return message?.revision === revision ? message : undefined;
  }

  append(message: Message): void {
    this.#messages.push(message);
    this.#characters += charactersOf(message);
    this.#revision = message.revision;
    const isTooLong = this.#messages.length > MAX_MESSAGES * SLACK;
    if (isTooLong || this.#characters > MAX_CHARACTERS * SLACK) this.#forgetOldest();
  }

  /** Nothing more has happened up to `revision`. */
  advance(revision: number): void {
    this.#revision = Math.max(this.#revision, revision);
  }

  /** Forgets how it was before `revision`. */
  forgetBefore(revision: number): void {
    if (revision <= this.#floor) return;
    const kept = this.#placeOf(revision + 1);
    for (const message of this.#messages.slice(0, kept)) this.#characters -= charactersOf(message);
    this.#messages = this.#messages.slice(kept);
    this.#floor = revision;
  }

  /** What was told so far may lack something: nobody may go on from it. */
  lose(): void {
    this.#isLost = true;
    this.#messages = [];
  }

  read(first: number): readonly Message[] {
    this.#assertReachable(first - 1);
    const start = this.#placeOf(first);
    return this.#messages.slice(start, start + CHUNK_LENGTH);
  }

  differencesAt(revision: number): Map<string, StoreEntry | undefined> {
    this.#assertReachable(revision);
    const before = new Map<string, StoreEntry | undefined>();
    for (let index = this.#placeOf(revision + 1); index < this.#messages.length; index += 1) {
      for (const event of this.#messages[index]?.events ?? []) {
        const key = keyOfEvent(event);
        if (!before.has(key)) before.set(key, event.previous);
      }
    }
    return before;
  }

  #assertReachable(revision: number): void {
    if (!this.#isLost && revision >= this.#floor) return;
    const begin = this.#isLost ? "was interrupted" : `begins after revision ${this.#floor}`;
    throw new ParasausError(
      "Expired",
      `Cannot go on from revision ${revision}: the history kept by this server ${begin} (too old resource version)`,
    );
  }

  #forgetOldest(): void {
    let characters = this.#characters;
    let count = 0;
    for (const message of this.#messages) {
      if (this.#messages.length - count <= MAX_MESSAGES && characters <= MAX_CHARACTERS) break;
      characters -= charactersOf(message);
      count += 1;
    }
    this.forgetBefore(this.#messages[count - 1]?.revision ?? this.#floor);
  }

  /** Index of the first message at `revision` or after it. */
  #placeOf(revision: number): number {
    let low = 0;
    let high = this.#messages.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#messages[middle]?.revision ?? 0) < revision) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

function charactersOf({ events }: Message): number {
  return events.reduce(
    (sum, event) =>
      sum + (event.kind === "put" ? event.entry.value.length : 0) + (event.previous?.value.length ?? 0),
    0,
  );
}
