import type { StoreWrite } from "../../../store/index.ts";
import type { BackupEntry } from "../../backup/index.ts";

/** Writes of one transaction, a count: etcd takes 128 and fewer than that are as fast. */
const MAX_WRITES = 100;
/** Bytes of one transaction: both stores take 1.5 MiB. */
const MAX_BYTES = 1_000_000;

/**
 * What has to be written so that a store holds the wanted entries and nothing else, key by key in order. What is right
 * already is left alone, so that a restore that was interrupted goes on where it ended.
 *
 * @param present In key order, as `wanted` is.
 */
export function* planRestore(
  present: readonly BackupEntry[],
  wanted: readonly BackupEntry[],
): Generator<StoreWrite> {
  let at = 0;
  const surplus = function* (before?: string): Generator<StoreWrite> {
    for (
      let entry = present[at];
      entry && (before === undefined || entry.key < before);
      entry = present[at]
    ) {
      yield { kind: "delete", key: entry.key };
      at += 1;
    }
  };
  for (const { key, value } of wanted) {
    yield* surplus(key);
    const held = present[at]?.key === key ? present[at] : undefined;
    if (held) at += 1;
    if (held?.value !== value) yield { kind: "put", key, value };
  }
  yield* surplus();
}

/** Cuts writes into transactions that every store takes. */
export function* intoTransactions(writes: Iterable<StoreWrite>): Generator<readonly StoreWrite[]> {
  let batch: StoreWrite[] = [];
  let size = 0;
  for (const write of writes) {
    const bytes = write.key.length + (write.kind === "put" ? Buffer.byteLength(write.value) : 0);
    if (batch.length === MAX_WRITES || (batch.length > 0 && size + bytes > MAX_BYTES)) {
      yield batch;
      batch = [];
      size = 0;
    }
    batch.push(write);
    size += bytes;
  }
  if (batch.length > 0) yield batch;
}
