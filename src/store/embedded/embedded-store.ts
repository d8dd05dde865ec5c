import { randomBytes } from "node:crypto";
import { setMaxListeners } from "node:events";
import { mkdirSync, statfsSync } from "node:fs";
import { type Clock, type Logger, ParasausError } from "../../foundation/index.ts";
import { Bell } from "../bell.ts";
import { followHistory } from "../follow-history.ts";
import { assertWithinLimits } from "../limits.ts";
import { readRange } from "../read-range.ts";
import { Retention } from "../retention.ts";
import type {
  RangeOptions,
  RangeResult,
  Store,
  StoreCondition,
  StoreEntry,
  StoreWatchMessage,
  StoreWrite,
  TransactionResult,
} from "../store.ts";
import { Batch } from "./batch.ts";
import { checkInChild } from "./check-in-child.ts";
import { CommitQueue } from "./commit-queue.ts";
import { type DataFile, FIRST_REVISION, openDataFile } from "./data-file.ts";
import { lockDirectory } from "./directory-lock.ts";
import { type Head, openHead } from "./head.ts";
import { History } from "./history.ts";
import { KeySpace } from "./key-space.ts";
import { Leases } from "./leases.ts";

const PROGRESS_INTERVAL_MS = 2_000;
const COMPACTION_EVERY_TICKS = 15;
const REVISIONS_FORGOTTEN_PER_COMMIT = 2_000;
const LEAST_BYTES = 1024 * 1024;
const DEFAULT_RESERVE_BYTES = 64 * 1024 * 1024;

/** Where and how the embedded store lives. */
export interface EmbeddedStoreOptions {
  /** Made when it is missing; one process at a time. */
  readonly directory: string;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Writes are refused with `StorageFull` while the file system has less free, bytes. Default 64 MiB. */
  readonly reserveBytes?: number;
}

/**
 * Opens the store in a directory of this machine.
 *
 * @throws ParasausError `StoreCorrupt` when anything in it is damaged (nothing is overwritten then),
 *   `Unavailable` when another process has it open or the directory cannot be used, `StorageFull`
 */
export async function openEmbeddedStore(options: EmbeddedStoreOptions): Promise<Store> {
  try {
    mkdirSync(options.directory, { recursive: true, mode: 0o700 });
    const lock = await lockDirectory(options.directory, options.clock);
    return await openLocked(options, lock);
  } catch (failure) {
    throw explainOpening(options.directory, failure);
  }
}

async function openLocked(options: EmbeddedStoreOptions, lock: Disposable): Promise<Store> {
  const { directory, clock, logger } = options;
  try {
    const startedMs = clock.monotonicMs();
    await checkInChild(directory);
    const file = openDataFile(directory);
    const { revision, held } = file.contents;
    const store = new EmbeddedStore(options, file, await openHeadOf(directory, file), lock);
    const milliseconds = Math.round(clock.monotonicMs() - startedMs);
    logger.info("store opened", { directory, revision, keys: held.length, milliseconds });
    return store;
  } catch (failure) {
    lock[Symbol.dispose]();
    throw failure;
  }
}

async function openHeadOf(directory: string, file: DataFile): Promise<Head> {
  try {
    return openHead(directory, file.contents.revision);
  } catch (failure) {
    await file[Symbol.asyncDispose]();
    throw failure;
  }
}

/** What the file system refuses before LMDB comes into it: no room for the lock, no right to the directory. */
function explainOpening(directory: string, failure: unknown): unknown {
  const { code, message } = failure as NodeJS.ErrnoException;
  if (failure instanceof ParasausError || typeof code !== "string") return failure;
  const isFull = code === "ENOSPC" || code === "EDQUOT";
  const text = `Cannot open the store in "${directory}": ${message}`;
  return new ParasausError(isFull ? "StorageFull" : "Unavailable", text, { cause: failure });
}

class EmbeddedStore implements Store {
  readonly #options: EmbeddedStoreOptions;
  readonly #file: DataFile;
  readonly #head: Head;
  readonly #lock: Disposable;
  readonly #keys: KeySpace;
  readonly #history: History;
  readonly #queue: CommitQueue;
  readonly #leases: Leases;
  readonly #bell = new Bell();
  readonly #closed = new AbortController();
  #ticks = 0;
  #failure: ParasausError | undefined;

  constructor(options: EmbeddedStoreOptions, file: DataFile, head: Head, lock: Disposable) {
    this.#options = options;
    this.#file = file;
    this.#head = head;
    this.#lock = lock;
    this.#keys = new KeySpace(file.contents.held);
    this.#history = new History(file);
    this.#queue = new CommitQueue({ begin: () => this.#begin(), commit: (batch) => this.#commit(batch) });
    this.#leases = new Leases(options.clock, (leaseId) => this.revokeLease(leaseId));
    for (const [leaseId, ttlSeconds] of file.contents.leases) this.#leases.start(leaseId, ttlSeconds);
    // Every watch listens for the end of the store.
    setMaxListeners(0, this.#closed.signal);
    void this.#tick();
  }

  revision(): Promise<number> {
    return Promise.resolve(this.#history.revision);
  }

  get(key: string): Promise<StoreEntry | undefined> {
    return Promise.resolve(this.#keys.get(key)?.entry);
  }

  async range(prefix: string, options: RangeOptions = {}): Promise<RangeResult> {
    return readRange(this.#keys, this.#history, prefix, options);
  }

  async transact(
    conditions: readonly StoreCondition[],
    writes: readonly StoreWrite[],
  ): Promise<TransactionResult> {
    const size = assertWithinLimits(conditions, writes);
    return this.#queue.run(size, (batch) => batch.transact(conditions, writes));
  }

  watch(prefix: string, fromRevision: number, signal: AbortSignal): AsyncIterable<StoreWatchMessage> {
    const source = {
      history: this.#history,
      bell: this.#bell,
      closed: this.#closed.signal,
      ticks: () => this.#ticks,
    };
    const from = fromRevision > 0 ? Math.max(fromRevision, FIRST_REVISION + 1) : 0;
    return followHistory(source, prefix, from, signal);
  }

  async grantLease(ttlSeconds: number): Promise<string> {
    if (!(ttlSeconds > 0)) {
      throw new ParasausError(
        "BadRequest",
        `Cannot grant a lease of ${ttlSeconds} s: it must be longer than 0 s`,
      );
    }
    const leaseId = randomBytes(8).toString("hex");
    await this.#queue.run(0, (batch) => batch.grantLease(leaseId, ttlSeconds));
    return leaseId;
  }

  keepLeaseAlive(leaseId: string): Promise<boolean> {
    return Promise.resolve(this.#leases.keepAlive(leaseId));
  }

  async revokeLease(leaseId: string): Promise<void> {
    await this.#queue.run(0, (batch) => batch.endLease(leaseId));
  }

  async compact(revision: number): Promise<void> {
    let isDone = false;
    while (!isDone) {
      isDone = await this.#queue.run(0, (batch) => batch.compact(revision, REVISIONS_FORGOTTEN_PER_COMMIT));
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#closed.signal.aborted) return;
    this.#closed.abort();
    this.#leases.stopAll();
    await this.#queue.close();
    await this.#file[Symbol.asyncDispose]();
    this.#head[Symbol.dispose]();
    this.#lock[Symbol.dispose]();
  }

  #begin(): Batch {
    if (this.#failure) throw this.#failure;
    return new Batch({
      keys: this.#keys,
      revision: this.#history.revision,
      compacted: this.#history.compacted,
      hasLease: (leaseId) => this.#leases.has(leaseId),
    });
  }

  /** Disk first, then the witness, then memory: nobody reads what a crash could take back. */
  async #commit(batch: Batch): Promise<void> {
    try {
      if (batch.messages.length > 0) refuseFullDisk(this.#options);
      await this.#file.commit(batch);
    } catch (cause) {
      throw this.#explain(cause);
    }
    this.#witness(batch.revision);
    for (const [key, held] of batch.values) this.#keys.set(key, held);
    for (const [leaseId, ttlSeconds] of batch.leases) {
      if (ttlSeconds === undefined) this.#endLease(leaseId);
      else this.#leases.start(leaseId, ttlSeconds);
    }
    this.#history.append(batch.messages);
    this.#history.compactTo(batch.compacted);
    this.#bell.ring();
  }

  /** Without it the commit stands: an older witness only sees less. */
  #witness(revision: number): void {
    try {
      this.#head.write(revision);
    } catch (error) {
      this.#options.logger.warn("head not written", { error });
    }
  }

  #endLease(leaseId: string): void {
    this.#leases.stop(leaseId);
    this.#keys.forgetLease(leaseId);
  }

  /** A failed commit changed nothing; if the file says otherwise, memory and disk differ and writing must end. */
  #explain(cause: unknown): ParasausError {
    if (cause instanceof ParasausError) return cause;
    if (this.#file.storedRevision() !== this.#history.revision) {
      const message = "Cannot write: the disk failed in the middle of a commit; start the program again";
      this.#failure = new ParasausError("Unavailable", message, { cause });
      this.#options.logger.error("store failed", { error: cause });
      return this.#failure;
    }
    const isFull =
      FULL_ERRNOS.includes(Number((cause as { code?: unknown }).code)) || isDiskFull(this.#options);
    const reason = cause instanceof Error ? cause.message : String(cause);
    return isFull
      ? new ParasausError("StorageFull", `Cannot write: no space left for "${this.#options.directory}"`, {
          cause,
        })
      : new ParasausError("Unavailable", `Cannot write: the disk answered "${reason}"`, { cause });
  }

  /** Tells watches that nothing happened, and forgets old history. */
  async #tick(): Promise<void> {
    const { clock, logger } = this.#options;
    const retention = new Retention();
    retention.observe(this.#history.revision, clock.monotonicMs());
    while (await this.#sleepUnlessClosed(PROGRESS_INTERVAL_MS)) {
      this.#ticks += 1;
      this.#bell.ring();
      if (this.#ticks % COMPACTION_EVERY_TICKS !== 0) continue;
      const oldest = retention.observe(this.#history.revision, clock.monotonicMs());
      if (oldest <= this.#history.compacted) continue;
      await this.compact(oldest).catch((error: unknown) => logger.warn("history not compacted", { error }));
    }
  }

  async #sleepUnlessClosed(ms: number): Promise<boolean> {
    try {
      await this.#options.clock.sleep(ms, this.#closed.signal);
      return true;
    } catch {
      return false;
    }
  }
}

/** ENOSPC, EDQUOT, MDB_MAP_FULL. */
const FULL_ERRNOS = [28, 122, -30792];

/** Asks before LMDB finds out: it copes with a full disk, but only just. */
function refuseFullDisk({ directory, reserveBytes = DEFAULT_RESERVE_BYTES }: EmbeddedStoreOptions): void {
  const free = freeBytes(directory);
  if (free >= reserveBytes) return;
  const megabytes = (bytes: number) => `${Math.floor(bytes / 1_000_000)} MB`;
  throw new ParasausError(
    "StorageFull",
    `Cannot write: only ${megabytes(free)} are free for "${directory}", ${megabytes(reserveBytes)} are kept back`,
  );
}

/** A write that a full disk cuts short comes back from LMDB as EIO. */
function isDiskFull({ directory }: EmbeddedStoreOptions): boolean {
  return freeBytes(directory) < LEAST_BYTES;
}

function freeBytes(directory: string): number {
  const { bavail, bsize } = statfsSync(directory);
  return bavail * bsize;
}
