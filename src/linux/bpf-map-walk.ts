import { ERRNO, kernelError } from "./kernel-error.ts";
import { loadLibbpf } from "./libbpf.ts";
import { bytesOf } from "./native.ts";

/** Entries of one batch; only the first `count` are valid, and the arrays are reused by the next batch. */
export interface MapBatch {
  readonly keys: Buffer;
  readonly values: Buffer;
  /** Entries. */
  readonly count: number;
}

interface WalkedMap {
  readonly fd: number;
  readonly name: string;
  readonly keyBytes: number;
  readonly rowBytes: number;
  readonly isHash: boolean;
}

/** A hash hands out whole buckets: a batch without room for one would make no progress. */
const LEAST_HASH_BATCH = 16;

/** Every entry of a map, `batchCount` at a time. */
export function* walkBatches(map: WalkedMap, batchCount: number): Generator<MapBatch> {
  const cursor = Buffer.alloc(Math.max(8, map.keyBytes));
  let batch = makeBatch(map, map.isHash ? Math.max(batchCount, LEAST_HASH_BATCH) : batchCount);
  let from: Buffer | null = null;
  for (;;) {
    const { errno, count } = readBatch(map.fd, batch, from, cursor);
    if (errno === ERRNO.ENOSPC) {
      batch = makeBatch(map, batch.room * 2);
      continue;
    }
    if (errno !== 0 && errno !== ERRNO.ENOENT) throw kernelError(`read map "${map.name}"`, errno);
    if (count > 0) yield { keys: batch.keys, values: batch.values, count };
    if (errno === ERRNO.ENOENT) return;
    from = cursor;
  }
}

/** Rows of an array map, which a batch gives in order: it begins behind the key that it is told to begin from. */
export function readRows(map: WalkedMap, firstIndex: number, count: number): Buffer {
  if (count === 0) return Buffer.alloc(0);
  const batch = makeBatch(map, count);
  const before = firstIndex === 0 ? null : Buffer.from(Uint32Array.of(firstIndex - 1).buffer);
  const { errno, count: found } = readBatch(map.fd, batch, before, Buffer.alloc(8));
  if (errno !== 0 && errno !== ERRNO.ENOENT) throw kernelError(`read map "${map.name}"`, errno);
  return batch.values.subarray(0, found * map.rowBytes);
}

interface BatchMemory {
  readonly keys: Buffer;
  readonly values: Buffer;
  readonly room: number;
}

function makeBatch(map: WalkedMap, room: number): BatchMemory {
  return { keys: Buffer.alloc(room * map.keyBytes), values: Buffer.alloc(room * map.rowBytes), room };
}

function readBatch(fd: number, batch: BatchMemory, from: Buffer | null, to: Buffer) {
  const count = Uint32Array.of(batch.room);
  const { bpf_map_lookup_batch: read } = loadLibbpf();
  const result = read(fd, from, to, batch.keys, batch.values, bytesOf(count), null);
  return { errno: result < 0 ? -result : 0, count: Math.min(count[0] ?? 0, batch.room) };
}
