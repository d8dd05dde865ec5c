/** One stored value and the revisions that wrote it. */
export interface StoreEntry {
  readonly key: string;
  /** JSON text. */
  readonly value: string;
  /** Store revision at which the key was created (after its last delete). */
  readonly createRevision: number;
  /** Store revision of the last write of this key. */
  readonly modRevision: number;
}

/** A range read: entries in key order, and the revision at which they were all true together. */
export interface RangeResult {
  readonly entries: readonly StoreEntry[];
  /** The revision that was read, to watch from `revision + 1`. */
  readonly revision: number;
  /** True when `limit` cut the range: read on from the key after the last. */
  readonly more: boolean;
  /** Number of keys in the whole range, whatever `limit` was. */
  readonly count: number;
}

/** How to read a range. */
export interface RangeOptions {
  /** Most entries to return. */
  readonly limit?: number;
  /** Read as of this revision; `Expired` when it is compacted. Default: now. */
  readonly revision?: number;
  /** Start after this key (exclusive), for paging. */
  readonly after?: string;
}

/** "This key is still at this modRevision"; 0 = the key does not exist. */
export interface StoreCondition {
  readonly key: string;
  readonly modRevision: number;
}

/** One write inside a transaction. */
export type StoreWrite =
  | { readonly kind: "put"; readonly key: string; readonly value: string; readonly leaseId?: string }
  | { readonly kind: "delete"; readonly key: string };

/** What became of a transaction. A failed condition is an answer, not an exception. */
export type TransactionResult =
  | { readonly succeeded: true; readonly revision: number }
  | { readonly succeeded: false; readonly revision: number };

/** One change of one key; `previous` is the entry before it. */
export type StoreEvent =
  | { readonly kind: "put"; readonly entry: StoreEntry; readonly previous?: StoreEntry }
  | {
      readonly kind: "delete";
      readonly key: string;
      readonly revision: number;
      readonly previous?: StoreEntry;
    };

/** What a watch delivers: all events of one revision together, or the news that nothing happened up to `revision`. */
export type StoreWatchMessage =
  | { readonly kind: "events"; readonly revision: number; readonly events: readonly StoreEvent[] }
  | { readonly kind: "progress"; readonly revision: number };

/**
 * Ordered, revisioned key-value storage with etcd's semantics and nothing more.
 * Every write that changes something raises the store's revision by one; a transaction is one revision.
 */
export interface Store extends AsyncDisposable {
  /** The revision of the last write. */
  revision(): Promise<number>;
  get(key: string): Promise<StoreEntry | undefined>;
  /** Keys that begin with `prefix`, in byte order. @throws ParasausError `Expired` when `options.revision` is compacted */
  range(prefix: string, options?: RangeOptions): Promise<RangeResult>;
  /**
   * Applies all writes when every condition holds, else none. Resolves once it is safe on disk.
   *
   * @throws ParasausError `StorageFull`, `Unavailable`
   */
  transact(conditions: readonly StoreCondition[], writes: readonly StoreWrite[]): Promise<TransactionResult>;
  /**
   * Everything that happens under `prefix` from `fromRevision` on, in order, without gaps.
   * Ends quietly when `signal` aborts.
   *
   * @param fromRevision First revision to deliver; 0 = the next one.
   * @throws ParasausError `Expired` when `fromRevision` is compacted
   */
  watch(prefix: string, fromRevision: number, signal: AbortSignal): AsyncIterable<StoreWatchMessage>;
  /** Makes a lease; keys put with its id are deleted when it is not kept alive for `ttlSeconds`. */
  grantLease(ttlSeconds: number): Promise<string>;
  /** @returns false when the lease has expired. */
  keepLeaseAlive(leaseId: string): Promise<boolean>;
  revokeLease(leaseId: string): Promise<void>;
  /** Forgets history before `revision`: reads and watches from before it answer `Expired`. */
  compact(revision: number): Promise<void>;
}
