import { ParasausError } from "../../foundation/index.ts";
import type { Message } from "../readable-history.ts";
import type { StoreCondition, StoreEvent, StoreWrite, TransactionResult } from "../store.ts";
import { eventOf } from "../store-event.ts";
import type { KeySpace } from "./key-space.ts";
import type { Held } from "./record.ts";

/** What one disk write makes true: the outcome of any number of transactions, in order. */
export interface Commit {
  /** The store's revision after it. */
  readonly revision: number;
  /** The oldest revision of history after it. */
  readonly compacted: number;
  /** The oldest revision of history before it. */
  readonly forgetFrom: number;
  /** Key to its new value, undefined where it is deleted. */
  readonly values: ReadonlyMap<string, Held | undefined>;
  /** Lease to its time to live in seconds, undefined where it ends. */
  readonly leases: ReadonlyMap<string, number | undefined>;
  readonly messages: readonly Message[];
}

/** What a batch starts from. */
export interface BatchBase {
  readonly keys: KeySpace;
  readonly revision: number;
  readonly compacted: number;
  readonly hasLease: (leaseId: string) => boolean;
}

/** Transactions that were decided one after the other, each on what the ones before it left, but that are not on disk yet. */
export class Batch implements Commit {
  readonly #base: BatchBase;
  readonly values = new Map<string, Held | undefined>();
  readonly leases = new Map<string, number | undefined>();
  readonly messages: Message[] = [];
  readonly forgetFrom: number;
  revision: number;
  compacted: number;

  constructor(base: BatchBase) {
    this.#base = base;
    this.revision = base.revision;
    this.forgetFrom = base.compacted;
    this.compacted = base.compacted;
  }

  get isEmpty(): boolean {
    return this.messages.length === 0 && this.leases.size === 0 && this.compacted === this.forgetFrom;
  }

  transact(conditions: readonly StoreCondition[], writes: readonly StoreWrite[]): TransactionResult {
    const holds = conditions.every(
      ({ key, modRevision }) => (this.#get(key)?.entry.modRevision ?? 0) === modRevision,
    );
    if (!holds) return { succeeded: false, revision: this.revision };
    this.#refuseUnknownLeases(writes);
    this.#write(writes);
    return { succeeded: true, revision: this.revision };
  }

  grantLease(leaseId: string, ttlSeconds: number): void {
    this.leases.set(leaseId, ttlSeconds);
  }

  /** Ends a lease and deletes its keys, in one revision. */
  endLease(leaseId: string): void {
    if (!this.#hasLease(leaseId)) return;
    this.leases.set(leaseId, undefined);
    const written = [...this.values].filter(([, held]) => held?.leaseId === leaseId).map(([key]) => key);
    const keys = new Set([...this.#base.keys.keysOfLease(leaseId), ...written]);
    const attached = [...keys].filter((key) => this.#get(key)?.leaseId === leaseId);
    this.#write(attached.map((key) => ({ kind: "delete", key })));
  }

  /** Forgets history before `revision`, at most `limit` revisions of it now. @returns whether it is done */
  compact(revision: number, limit: number): boolean {
    if (revision > this.revision) {
      throw new ParasausError(
        "BadRequest",
        `Cannot compact to revision ${revision}: the store is at ${this.revision}`,
      );
    }
    this.compacted = Math.max(this.compacted, Math.min(revision, this.compacted + limit));
    return this.compacted >= revision;
  }

  #write(writes: readonly StoreWrite[]): void {
    const revision = this.revision + 1;
    const events = writes.flatMap((write) => this.#apply(write, revision));
    if (events.length === 0) return;
    this.revision = revision;
    this.messages.push({ revision, events });
  }

  #apply(write: StoreWrite, revision: number): StoreEvent[] {
    const previous = this.#get(write.key)?.entry;
    if (write.kind === "delete") {
      if (!previous) return [];
      this.values.set(write.key, undefined);
      return [eventOf(write.key, revision, undefined, previous)];
    }
    const createRevision = previous?.createRevision ?? revision;
    const entry = { key: write.key, value: write.value, createRevision, modRevision: revision };
    this.values.set(write.key, { entry, leaseId: write.leaseId });
    return [eventOf(write.key, revision, entry, previous)];
  }

  #get(key: string): Held | undefined {
    return this.values.has(key) ? this.values.get(key) : this.#base.keys.get(key);
  }

  #hasLease(leaseId: string): boolean {
    return this.leases.has(leaseId) ? this.leases.get(leaseId) !== undefined : this.#base.hasLease(leaseId);
  }

  #refuseUnknownLeases(writes: readonly StoreWrite[]): void {
    for (const write of writes) {
      if (write.kind === "delete" || write.leaseId === undefined || this.#hasLease(write.leaseId)) continue;
      throw new ParasausError(
        "NotFound",
        `Cannot write "${write.key}": its lease "${write.leaseId}" has ended`,
      );
    }
  }
}
