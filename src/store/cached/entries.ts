import type { CurrentEntries } from "../read-range.ts";
import { SortedKeys } from "../sorted-keys.ts";
import type { StoreEntry } from "../store.ts";

/** Entries in key order, in memory. */
export class Entries implements CurrentEntries {
  readonly #entries: Map<string, StoreEntry>;
  readonly #keys: SortedKeys;

  /** @param entries In key order, each key once. */
  constructor(entries: readonly StoreEntry[]) {
    this.#entries = new Map(entries.map((entry) => [entry.key, entry]));
    this.#keys = SortedKeys.fromSorted(entries.map(({ key }) => key));
  }

  get(key: string): StoreEntry | undefined {
    return this.#entries.get(key);
  }

  has(key: string): boolean {
    return this.#entries.has(key);
  }

  put(entry: StoreEntry): void {
    if (!this.#entries.has(entry.key)) this.#keys.add(entry.key);
    this.#entries.set(entry.key, entry);
  }

  delete(key: string): void {
    if (this.#entries.delete(key)) this.#keys.delete(key);
  }

  count(prefix: string): number {
    return this.#keys.count(prefix);
  }

  *under(prefix: string, after?: string): Generator<StoreEntry> {
    for (const key of this.#keys.under(prefix, after)) {
      const entry = this.#entries.get(key);
      if (entry) yield entry;
    }
  }
}
