import { ParasausError } from "../../foundation/index.ts";
import type { Fence, Store, StoreEntry } from "../../store/index.ts";
import { FIRST_EPOCH } from "../store-position.ts";

/** Where a store says which of its lives this is; absent as long as nothing was restored into it. */
export const EPOCH_KEY = "/parasaus/epoch";

/** A restore from a backup, as the store remembers it. */
export interface RestoreRecord {
  /** Whether everything in the backup is in the store; until then no server may use the store. */
  readonly isFinished: boolean;
  /** SHA-256 of the backup, which names it. */
  readonly sha256: string;
  /** When the backup was taken, RFC 3339. */
  readonly backupTime: string;
  /** Objects in the backup. */
  readonly count: number;
  /** When the restore began, RFC 3339. */
  readonly startedAt: string;
  /** When it ended, RFC 3339. */
  readonly finishedAt?: string;
}

/** One life of a store: from its making, or from a restore, to the next restore. */
export interface Epoch {
  /** 1 for a store that was never restored into, and higher after each restore. */
  readonly number: number;
  /** What is added to a revision of the store to make a resourceVersion. */
  readonly offset: number;
  /** No revision of the store before this one belongs to the epoch. */
  readonly firstRevision: number;
  /** The restore that began it; absent in a store's first epoch. */
  readonly restore?: RestoreRecord;
  /** Holds as long as nothing is restored. */
  readonly fence: Fence;
}

/** The epoch of a store that nothing was restored into. */
export const ORIGINAL_EPOCH: Epoch = {
  number: FIRST_EPOCH,
  offset: 0,
  firstRevision: 0,
  fence: { key: EPOCH_KEY, modRevision: 0 },
};

/** What {@link EPOCH_KEY} holds. */
export interface EpochRecord {
  /** The epoch's number. */
  readonly epoch: number;
  /** What is added to a revision of the store to make a resourceVersion. */
  readonly offset: number;
  /** No revision of the store before this one belongs to the epoch. */
  readonly firstRevision: number;
  readonly restore: RestoreRecord;
}

/**
 * Reads which epoch a store is in.
 *
 * @throws ParasausError `StoreCorrupt` when the record cannot be understood
 */
export async function readEpoch(store: Pick<Store, "get">): Promise<Epoch> {
  const entry = await store.get(EPOCH_KEY);
  if (!entry) return ORIGINAL_EPOCH;
  const { epoch, ...record } = parseRecord(entry);
  return { number: epoch, ...record, fence: { key: EPOCH_KEY, modRevision: entry.modRevision } };
}

function parseRecord({ value }: StoreEntry): EpochRecord {
  const record: unknown = parse(value);
  const { epoch, offset, firstRevision, restore } = (record ?? {}) as Partial<EpochRecord>;
  const areNumbers = [epoch, offset, firstRevision].every((number) => Number.isSafeInteger(number));
  if (areNumbers && typeof restore?.isFinished === "boolean") return record as EpochRecord;
  throw new ParasausError("StoreCorrupt", `Cannot read the store's epoch: found ${value.slice(0, 200)}`);
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
