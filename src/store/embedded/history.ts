import { ParasausError } from "../../foundation/index.ts";
import type { Message, ReadableHistory } from "../readable-history.ts";
import type { StoreEntry, StoreEvent } from "../store.ts";
import { keyOfEvent } from "../store-event.ts";
import type { DataFile } from "./data-file.ts";

const MAX_TAIL_LENGTH = 2_000;
const MAX_TAIL_CHARACTERS = 16_000_000;
const CHUNK_LENGTH = 256;
const MAX_CHUNKS = 16;

/** What happened, by revision: the newest part in memory, all that is not compacted on disk. */
export class History implements ReadableHistory {
  readonly #file: Pick<DataFile, "readHistory">;
  readonly #chunks = new Map<number, readonly Message[]>();
  #tail: Message[] = [];
  #tailCharacters = 0;
  #revision: number;
  #compacted: number;

  constructor(file: DataFile) {
    this.#file = file;
    this.#revision = file.contents.revision;
    this.#compacted = file.contents.compacted;
  }

  /** The last revision. */
  get revision(): number {
    return this.#revision;
  }

  /** The oldest revision that can be read. */
  get compacted(): number {
    return this.#compacted;
  }

  append(messages: readonly Message[]): void {
    for (const message of messages) {
      this.#tail.push(message);
      this.#tailCharacters += charactersOf(message);
      this.#revision = message.revision;
    }
    let dropped = 0;
    while (this.#tail.length - dropped > MAX_TAIL_LENGTH || this.#tailCharacters > MAX_TAIL_CHARACTERS) {
      const oldest = this.#tail[dropped];
      if (!oldest) break;
      this.#tailCharacters -= charactersOf(oldest);
      dropped += 1;
    }
    if (dropped > 0) this.#tail = this.#tail.slice(dropped);
  }

  compactTo(revision: number): void {
    this.#compacted = Math.max(this.#compacted, revision);
  }

  read(first: number): readonly Message[] {
    if (first > this.#revision) return [];
    this.#assertReachable(first);
    const tailStart = this.#tail[0]?.revision ?? this.#revision + 1;
    if (first >= tailStart) return this.#tail.slice(first - tailStart, first - tailStart + CHUNK_LENGTH);
    const chunk = this.#chunk(Math.floor(first / CHUNK_LENGTH), tailStart - 1);
    return chunk.filter(({ revision }) => revision >= first);
  }

  /**
   * A stretch of history from disk. A few stay in memory: after a restart every agent comes back
   * with nearly the same revision, and they read the same stretches one after the other.
   */
  #chunk(index: number, last: number): readonly Message[] {
    const known = this.#chunks.get(index);
    if (known) return known;
    const [start, end] = [index * CHUNK_LENGTH, (index + 1) * CHUNK_LENGTH - 1];
    const messages = this.#file.readHistory(start, Math.min(end, last));
    if (end > last) return messages;
    this.#chunks.set(index, messages);
    for (const oldest of this.#chunks.keys()) {
      if (this.#chunks.size <= MAX_CHUNKS) break;
      this.#chunks.delete(oldest);
    }
    return messages;
  }

  differencesAt(revision: number): Map<string, StoreEntry | undefined> {
    this.#assertReachable(revision);
    const before = new Map<string, StoreEntry | undefined>();
    for (const event of this.#eventsSince(revision)) {
      const key = keyOfEvent(event);
      if (!before.has(key)) before.set(key, event.previous);
    }
    return before;
  }

  #assertReachable(revision: number): void {
    if (revision >= this.#compacted) return;
    throw new ParasausError(
      "Expired",
      `Cannot read revision ${revision}: history begins at revision ${this.#compacted} (too old resource version)`,
    );
  }

  *#eventsSince(revision: number): Generator<StoreEvent> {
    for (let next = revision + 1; next <= this.#revision; ) {
      const messages = this.read(next);
      if (messages.length === 0)
        throw new ParasausError("StoreCorrupt", `Cannot read history at ${next}: it is gone`);
      for (const { events } of messages) yield* events;
      next += messages.length;
    }
  }
}

function charactersOf({ events }: Message): number {
  return events.reduce(
    (sum, event) =>
      sum + (event.kind === "put" ? event.entry.value.length : 0) + (event.previous?.value.length ?? 0),
    0,
  );
}
