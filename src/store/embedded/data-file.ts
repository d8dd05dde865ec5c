import { chmodSync } from "node:fs";
import path from "node:path";
import { setTimeout } from "node:timers/promises";
import { open, type RootDatabase } from "lmdb";
import { ParasausError } from "../../foundation/index.ts";
import type { StoreEvent } from "../store.ts";
import type { Commit } from "./batch.ts";
import { corrupt } from "./corrupt.ts";
import {
  checksumOf,
  formatEvents,
  formatHeld,
  type Held,
  parseEvents,
  parseHeld,
  sealRecord,
  unsealRecord,
} from "./record.ts";

/** Name of the data file inside the store's directory. */
export const DATA_FILE = "store.mdb";
/** Revision of an empty store, as in etcd: 0 stays free to mean "none". */
export const FIRST_REVISION = 1;
const META_KEY = "m";
const REASON_TIMEOUT_MS = 1_000;

/** What the data file held when it was opened, every record checked. */
export interface Contents {
  /** The last revision. */
  readonly revision: number;
  /** The oldest revision that history reaches back to. */
  readonly compacted: number;
  /** In key order. */
  readonly held: readonly Held[];
  /** Time to live of each lease, seconds. */
  readonly leases: ReadonlyMap<string, number>;
}

interface Meta {
  readonly format: 1;
  readonly revision: number;
  readonly compacted: number;
  /** Values and leases. */
  readonly recordCount: number;
  /** Sum of their checksums modulo 2^32: a record that vanished whole is found out by it. */
  readonly checksumSum: number;
}

/** One LMDB file: values under `s<key>`, leases under `e<id>`, history under `l<revision>`, and `m`, which sums them up. */
export interface DataFile extends AsyncDisposable {
  readonly contents: Contents;
  /** Writes a batch in one transaction; resolves when it is on disk. Never two at a time. */
  commit(batch: Commit): Promise<void>;
  /** Stored history from `first` to `last`, both included. @throws ParasausError `StoreCorrupt` */
  readHistory(
    first: number,
    last: number,
  ): { readonly revision: number; readonly events: readonly StoreEvent[] }[];
  /** The revision that the file itself says it is at. */
  storedRevision(): number;
}

/**
 * Opens the data file and checks every record of it. Writes nothing.
 *
 * @throws ParasausError `StoreCorrupt`
 */
export function openDataFile(directory: string): DataFile {
  const file = path.join(directory, DATA_FILE);
  const database = open<Buffer, string>({
    path: file,
    encoding: "binary",
    noSubdir: true,
    // A commit then resolves when it is on disk, not before; and one transaction is all that we keep in flight.
    overlappingSync: false,
    // Otherwise lmdb makes a promise of its own per event turn, and a full disk ends the process through it.
    eventTurnBatching: false,
  });
  // Objects hold passwords, and LMDB makes files that the whole group may read.
  for (const each of [file, `${file}-lock`]) chmodSync(each, 0o600);
  const ledger = new Ledger();
  try {
    const contents = load(database, ledger);
    return {
      contents,
      commit: async (batch) => {
        const changed = ledger.prepare(batch);
        await commit(database, changed.records);
        ledger.accept(changed);
      },
      readHistory: (first, last) => readHistory(database, first, last),
      storedRevision: () => readMeta(database).revision,
      [Symbol.asyncDispose]: () => database.close(),
    };
  } catch (cause) {
    void database.close();
    throw corrupt(file, cause instanceof ParasausError ? cause.message : "it cannot be read", cause);
  }
}

const historyKey = (revision: number) => `l${String(revision).padStart(16, "0")}`;

/** Turns batches into records, and keeps the count and the sum of checksums that `m` promises. */
class Ledger {
  readonly checksums = new Map<string, number>();
  #sum = 0;

  get sum(): number {
    return this.#sum;
  }

  note(key: string, checksum: number | undefined): void {
    const before = this.checksums.get(key) ?? 0;
    this.#sum = (this.#sum - before + (checksum ?? 0)) >>> 0;
    if (checksum === undefined) this.checksums.delete(key);
    else this.checksums.set(key, checksum);
  }

  prepare(batch: Commit): {
    records: Map<string, Buffer | undefined>;
    noted: Map<string, number | undefined>;
  } {
    const records = new Map<string, Buffer | undefined>();
    for (const [key, held] of batch.values) {
      records.set(`s${key}`, held && sealRecord(`s${key}`, formatHeld(held)));
    }
    for (const [id, ttlSeconds] of batch.leases) {
      records.set(`e${id}`, ttlSeconds === undefined ? undefined : sealRecord(`e${id}`, String(ttlSeconds)));
    }
    const noted = new Map([...records].map(([key, record]) => [key, record && checksumOf(record)] as const));
    for (const { revision, events } of batch.messages) {
      const key = historyKey(revision);
      records.set(key, sealRecord(key, formatEvents(events)));
    }
    for (let revision = batch.forgetFrom; revision < batch.compacted; revision += 1) {
      records.set(historyKey(revision), undefined);
    }
    records.set(META_KEY, sealRecord(META_KEY, JSON.stringify(this.#metaAfter(batch, noted))));
    return { records, noted };
  }

  accept({ noted }: { readonly noted: ReadonlyMap<string, number | undefined> }): void {
    for (const [key, checksum] of noted) this.note(key, checksum);
  }

  #metaAfter(batch: Commit, noted: ReadonlyMap<string, number | undefined>): Meta {
    let recordCount = this.checksums.size;
    let checksumSum = this.#sum;
    for (const [key, checksum] of noted) {
      const before = this.checksums.get(key);
      recordCount += Number(checksum !== undefined) - Number(before !== undefined);
      checksumSum = (checksumSum - (before ?? 0) + (checksum ?? 0)) >>> 0;
    }
    return { format: 1, revision: batch.revision, compacted: batch.compacted, recordCount, checksumSum };
  }
}

async function commit(
  database: RootDatabase<Buffer, string>,
  records: ReadonlyMap<string, Buffer | undefined>,
): Promise<void> {
  try {
    await database.batch(() => {
      for (const [key, record] of records) void (record ? database.put(key, record) : database.remove(key));
    });
  } catch (failure) {
    throw await causeOf(failure);
  }
}

/** lmdb hides why a commit failed in a second rejected promise. */
async function causeOf(failure: unknown): Promise<unknown> {
  try {
    const hidden = (failure as { commitError?: Promise<unknown> }).commitError;
    await Promise.race([hidden, setTimeout(REASON_TIMEOUT_MS, undefined, { ref: false })]);
    return failure;
  } catch (cause) {
    return cause;
  }
}

function readMeta(database: RootDatabase<Buffer, string>): Meta {
  const record = database.get(META_KEY);
  if (!record)
    return { format: 1, revision: FIRST_REVISION, compacted: FIRST_REVISION, recordCount: 0, checksumSum: 0 };
  return JSON.parse(unsealRecord(META_KEY, record));
}

function load(database: RootDatabase<Buffer, string>, ledger: Ledger): Contents {
  const meta = readMeta(database);
  if (meta.format !== 1) throw corruptRecord(`its format ${meta.format} is newer than this program`);
  const held: Held[] = [];
  const leases = new Map<string, number>();
  let expected = Math.max(meta.compacted, FIRST_REVISION + 1);
  for (const { key, value } of database.getRange()) {
    const payload = unsealRecord(key, value);
    if (key === META_KEY) continue;
    if (key.startsWith("l")) {
      if (key !== historyKey(expected)) throw corruptRecord(`its history skips from ${expected} to "${key}"`);
      expected += 1;
      continue;
    }
    ledger.note(key, checksumOf(value));
    if (key.startsWith("s")) held.push(parseHeld(key.slice(1), payload));
    else leases.set(key.slice(1), Number(payload));
  }
  refuseMissing(meta, expected - 1, ledger);
  return { revision: meta.revision, compacted: meta.compacted, held, leases };
}

function refuseMissing(meta: Meta, lastRevision: number, ledger: Ledger): void {
  if (lastRevision !== meta.revision) {
    throw corruptRecord(`its history ends at ${lastRevision}, not at ${meta.revision}`);
  }
  if (ledger.checksums.size !== meta.recordCount || ledger.sum !== meta.checksumSum) {
    throw corruptRecord(`it holds ${ledger.checksums.size} records, not the ${meta.recordCount} written`);
  }
}

function corruptRecord(message: string): ParasausError {
  return new ParasausError("StoreCorrupt", message);
}

function readHistory(database: RootDatabase<Buffer, string>, first: number, last: number) {
  const range = database.getRange({ start: historyKey(first), end: historyKey(last + 1) });
  const messages: { revision: number; events: StoreEvent[] }[] = [];
  for (const { key, value } of range) {
    const revision = Number(key.slice(1));
    messages.push({ revision, events: parseEvents(revision, unsealRecord(key, value)) });
  }
  return messages;
}
