import type { CurrentEntries } from "../read-range.ts";
import { SortedKeys } from "../sorted-keys.ts";
import type { StoreEntry } from "../store.ts";
import type { Held } from "./record.ts";

/** The current values, in memory: what every read is answered from. */
export class KeySpace implements CurrentEntries {
  readonly #held: Map<string, Held>;
  readonly #keys: SortedKeys;
  readonly #keysOfLease = new Map<string, Set<string>>();

  /** @param held Values in key order. */
  constructor(held: readonly Held[]) {
    this.#held = new Map(held.map((each) => [each.entry.key, each]));
    this.#keys = SortedKeys.fromSorted(held.map((each) => each.entry.key));
    for (const each of held) this.#attach(each);
  }

  get(key: string): Held | undefined {
    return this.#held.get(key);
  }

  has(key: string): boolean {
    return this.#held.has(key);
  }

  /** Sets the value of `key`; undefined removes it. */
  set(key: string, next: Held | undefined): void {
    const previous = this.#held.get(key);
    if (previous?.leaseId !== undefined) this.#keysOfLease.get(previous.leaseId)?.delete(key);
    if (next) {
      this.#held.set(key, next);
      this.#attach(next);
      if (!previous) this.#keys.add(key);
    } else if (previous) {
      this.#held.delete(key);
      this.#keys.delete(key);
    }
  }

  /** Keys that live only as long as the lease. */
  keysOfLease(leaseId: string): readonly string[] {
    return [...(this.#keysOfLease.get(leaseId) ?? [])];
  }

  forgetLease(leaseId: string): void {
    this.#keysOfLease.delete(leaseId);
  }

  count(prefix: string): number {
    return this.#keys.count(prefix);
  }

  *under(prefix: string, after?: string): Generator<StoreEntry> {
    for (const key of this.#keys.under(prefix, after)) {
      const held = this.#held.get(key);
      if (held) yield held.entry;
    }
  }

  #attach({ entry, leaseId }: Held): void {
    if (leaseId === undefined) return;
    const keys = this.#keysOfLease.get(leaseId) ?? new Set();
    this.#keysOfLease.set(leaseId, keys.add(entry.key));
  }
}
