import { type Clock, ParasausError } from "../../../foundation/index.ts";
import type { Fence, Store, StoreEntry } from "../../../store/index.ts";
import type { Backup } from "../../backup/index.ts";
import { EPOCH_KEY, type Epoch, type EpochRecord, readEpoch } from "../epoch.ts";
import { REGISTRY_PREFIX } from "../keys.ts";
import { intoTransactions, planRestore } from "./plan-restore.ts";

const PAGE_LENGTH = 500;
const MICROSECONDS_PER_MS = 1_000;
/** Room for what servers still write between two reads, revisions. */
const MARGIN = 1_000_000;

/** What to restore, into what, and what may be lost for it. */
export interface RestoreOptions {
  readonly store: Store;
  readonly backup: Backup;
  readonly clock: Clock;
  /** Delete what the store holds. Default: a store that holds anything is refused. */
  readonly replace?: boolean;
  /** The new epoch's number is at least this. Default 1. */
  readonly leastEpoch?: number;
  /** Throws while servers use the store; asked before anything is written, and again when they cannot write any more. */
  readonly refuseUsers?: () => Promise<void>;
}

/** What a restore did. */
export interface RestoreResult {
  /** Number of the store's new epoch. */
  readonly epoch: number;
  readonly writtenCount: number;
  readonly deletedCount: number;
  /** Whether an earlier, interrupted restore of the same backup was brought to its end. */
  readonly isResumed: boolean;
}

/**
 * Makes a store hold what a backup holds, and begins a new epoch, in which no resourceVersion from before is good any more.
 * The first transaction marks the store as being restored, which no server opens; the last one takes the mark away. In
 * between, a crash leaves the mark: restoring the same backup again goes on from there.
 *
 * @throws ParasausError `Conflict` when the store holds anything and `replace` is not set, or another restore
 *   gets in between; `Invalid` when the backup holds keys that are no objects'; whatever the store throws
 */
export async function restoreBackup(options: RestoreOptions): Promise<RestoreResult> {
  const { store, backup, clock, replace = false, refuseUsers = () => Promise.resolve() } = options;
  refuseForeignKeys(backup);
  await refuseUsers();
  const before = await readEpoch(store);
  const isResumed = isUnfinished(before) && before.restore?.sha256 === backup.sha256;
  if (!replace && !isResumed) await refuseContents(store, before);
  const record = await nextEpoch(options, before);
  const fence = await mark(store, before.fence, record);
  await refuseUsers();
  const present = await readAll(store);
  let writtenCount = 0;
  let deletedCount = 0;
  for (const writes of intoTransactions(planRestore(present, backup.entries))) {
    await writeFenced(store, fence, writes);
    const deletes = writes.filter(({ kind }) => kind === "delete").length;
    deletedCount += deletes;
    writtenCount += writes.length - deletes;
  }
  await mark(store, fence, finished(record, clock.now()));
  return { epoch: record.epoch, writtenCount, deletedCount, isResumed };
}

/**
 * Refuses a store that holds a part of a backup only.
 *
 * @throws ParasausError `RestoreUnfinished`
 */
export function refuseUnfinished(epoch: Epoch): void {
  if (!isUnfinished(epoch)) return;
  const { backupTime = "", startedAt = "" } = epoch.restore ?? {};
  throw new ParasausError(
    "RestoreUnfinished",
    `Cannot use the store: the restore of the backup of ${backupTime} into it, begun at ${startedAt}, did not end; run parasaus restore with that file again`,
  );
}

function isUnfinished({ restore }: Epoch): boolean {
  return restore !== undefined && !restore.isFinished;
}

function refuseForeignKeys({ entries }: Backup): void {
  const foreign = entries.find(({ key }) => !key.startsWith(REGISTRY_PREFIX));
  if (!foreign) return;
  throw new ParasausError(
    "Invalid",
    `Cannot restore: the backup's key "${foreign.key}" is none of an object`,
  );
}

async function refuseContents(store: Store, epoch: Epoch): Promise<void> {
  const { count } = await store.range(REGISTRY_PREFIX, { limit: 1 });
  if (count === 0 && !isUnfinished(epoch)) return;
  const found = isUnfinished(epoch)
    ? "the restore of another backup into the store did not end"
    : `the store holds ${count} objects`;
  throw new ParasausError("Conflict", `Cannot restore: ${found}; --replace --yes deletes them first`);
}

/**
 * ResourceVersions of the new epoch begin at the time in microseconds: no store counts that many writes, so they are above
 * those of every epoch before, also of one that this store knows nothing of.
 */
async function nextEpoch({ store, backup, clock, leastEpoch = 1 }: RestoreOptions, before: Epoch) {
  const { header, sha256 } = backup;
  const revision = await store.revision();
  const known = Math.max(Number(header.revision), revision + before.offset) + MARGIN;
  const firstVersion = Math.max(known, clock.now().getTime() * MICROSECONDS_PER_MS);
  // Nobody has seen the epoch of a restore that did not end.
  const seen = isUnfinished(before) ? before.number - 1 : before.number;
  const record: EpochRecord = {
    epoch: Math.max(header.epoch + 1, seen + 1, leastEpoch),
    offset: firstVersion - revision,
    firstRevision: revision + 1,
    restore: {
      isFinished: false,
      sha256,
      backupTime: header.time,
      count: header.count,
      startedAt: clock.now().toISOString(),
    },
  };
  return record;
}

function finished(record: EpochRecord, now: Date): EpochRecord {
  return { ...record, restore: { ...record.restore, isFinished: true, finishedAt: now.toISOString() } };
}

/** Puts the store's epoch where it was before. @returns the new fence */
async function mark(store: Store, fence: Fence, record: EpochRecord): Promise<Fence> {
  const revision = await writeFenced(store, fence, [
    { kind: "put", key: EPOCH_KEY, value: JSON.stringify(record) },
  ]);
  return { key: EPOCH_KEY, modRevision: revision };
}

async function writeFenced(
  store: Store,
  fence: Fence,
  writes: Parameters<Store["transact"]>[1],
): Promise<number> {
  const { succeeded, revision } = await store.transact([fence], writes);
  if (succeeded) return revision;
  throw new ParasausError(
    "Conflict",
    "Cannot restore: another restore into the same store has begun meanwhile",
  );
}

async function readAll(store: Store): Promise<readonly StoreEntry[]> {
  const all: StoreEntry[] = [];
  for (let after = ""; ; after = all.at(-1)?.key ?? "") {
    const { entries, more } = await store.range(REGISTRY_PREFIX, {
      limit: PAGE_LENGTH,
      ...(after === "" ? {} : { after }),
    });
    all.push(...entries);
    if (!more) return all;
  }
}
