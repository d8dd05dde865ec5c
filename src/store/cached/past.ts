import type { Message } from "../readable-history.ts";
import type { StoreEntry, StoreEvent } from "../store.ts";
import { eventOf, keyOfEvent, revisionOfEvent } from "../store-event.ts";

/** History before a list. */
export interface Past {
  /** All that happened after this revision is in `messages`. */
  readonly floor: number;
  readonly messages: readonly Message[];
}

/** Collects what happened before a list, so that clients of an earlier process can go on. It is used whole or not at all. */
export class PastCollector {
  readonly #prefix: string;
  readonly #listed: ReadonlyMap<string, StoreEntry>;
  readonly #floor: number;
  #revision: number;
  readonly #messages: Message[] = [];
  /** What each key came to, undefined where it was deleted. */
  readonly #latest = new Map<string, StoreEntry | undefined>();
  #isSound = true;

  /** @param listed What there was under the prefix when the past ended. */
  constructor(prefix: string, listed: readonly StoreEntry[], floor: number) {
    this.#prefix = prefix;
    this.#revision = floor;
    this.#listed = new Map(listed.map((entry) => [entry.key, entry]));
    this.#floor = floor;
  }

  /** Takes the next message of a watch over all keys. */
  take({ revision, events }: Message): void {
    const isRight = events.every((event) => revisionOfEvent(event) === revision);
    if (revision !== this.#revision + 1 || !isRight) this.#isSound = false;
    this.#revision = revision;
    const ours = events.filter((event) => keyOfEvent(event).startsWith(this.#prefix));
    if (ours.length > 0) this.#messages.push({ revision, events: ours.map((event) => this.#follow(event)) });
  }

  /** @returns undefined when what was collected does not lead to what was listed. */
  finish(): Past | undefined {
    const isRight = [...this.#latest].every(
      ([key, entry]) => entry?.modRevision === this.#listed.get(key)?.modRevision,
    );
    const isWhole = [...this.#listed.values()].every(
      ({ key, modRevision }) => modRevision <= this.#floor || this.#latest.has(key),
    );
    return this.#isSound && isRight && isWhole ? { floor: this.#floor, messages: this.#messages } : undefined;
  }

  /** The event with entries that are the same objects wherever they are the same version. */
  #follow(event: StoreEvent): StoreEvent {
    const key = keyOfEvent(event);
    const previous = this.#latest.has(key) ? this.#latest.get(key) : event.previous;
    const needsPrevious = event.kind === "delete" || event.entry.createRevision !== event.entry.modRevision;
    const isPreviousRight =
      event.previous === undefined || event.previous.modRevision === previous?.modRevision;
    if (!isPreviousRight || needsPrevious !== (previous !== undefined)) this.#isSound = false;
    const entry = event.kind === "put" ? this.#shared(event.entry) : undefined;
    this.#latest.set(key, entry);
    return eventOf(key, revisionOfEvent(event), entry, previous);
  }

  #shared(entry: StoreEntry): StoreEntry {
    const listed = this.#listed.get(entry.key);
    return listed?.modRevision === entry.modRevision ? listed : entry;
  }
}
