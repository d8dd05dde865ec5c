import { closeSync } from "node:fs";
import { checkResult, ERRNO, kernelError } from "./kernel-error.ts";
import { loadLibbpf } from "./libbpf.ts";

/** Flags of an update: any, only create, only replace. */
export const UPDATE_ANY = 0;
export const UPDATE_CREATE = 1;
export const UPDATE_REPLACE = 2;

/** Types that batch operations walk, and whose values are one per CPU. */
const PERCPU_TYPES: ReadonlySet<number> = new Set([5, 6, 10, 21]);
const HASH_TYPES: ReadonlySet<number> = new Set([1, 5, 9, 10]);

/** Entries of one batch; only the first `count` are valid, and the arrays are reused by the next batch. */
export interface MapBatch {
  readonly keys: Buffer;
  readonly values: Buffer;
  readonly count: number;
}

/** One eBPF map of the kernel, open. Keys and values are bytes as the kernel keeps them. */
export interface BpfMap {
  readonly name: string;
  readonly fd: number;
  readonly keyBytes: number;
  /** Bytes of one value; for per-CPU maps, of all CPUs' values together. */
  readonly valueBytes: number;
  /** Entries that fit. */
  readonly capacityCount: number;
  /** @returns whether the key is there; `value` is filled when it is. */
  lookup(key: Uint8Array, value: Uint8Array): boolean;
  /** @returns false when the flags forbid it (exists, does not exist). */
  update(key: Uint8Array, value: Uint8Array, flags?: number): boolean;
  /** @returns whether the key was there. */
  delete(key: Uint8Array): boolean;
  /** @param previous undefined for the first key. @returns false behind the last key. */
  nextKey(previous: Uint8Array | undefined, next: Uint8Array): boolean;
  /** Every entry, in batches. A map that changes meanwhile may show an entry twice or not at all. */
  batches(batchCount: number): Generator<MapBatch>;
  /** Writes the first `count` entries with one system call. */
  updateBatch(keys: Uint8Array, values: Uint8Array, count: number): void;
  close(): void;
}

/** Opens a pinned map; undefined when nothing is pinned there. */
export function openPinnedMap(path: string): BpfMap | undefined {
  const fd = loadLibbpf().bpf_obj_get(path);
  if (fd === -ERRNO.ENOENT) return undefined;
  return mapOfFd(checkResult(fd, `open the pinned map "${path}"`));
}

/** Takes over a map's file descriptor. */
export function mapOfFd(fd: number): BpfMap {
  const { type, keyBytes, valueBytes, capacityCount, name } = describeMap(fd);
  const isPerCpu = PERCPU_TYPES.has(type);
  const cpuCount = isPerCpu ? loadLibbpf().libbpf_num_possible_cpus() : 1;
  const rowBytes = isPerCpu ? Math.ceil(valueBytes / 8) * 8 * cpuCount : valueBytes;
  const library = loadLibbpf();
  const act = (verb: string) => `${verb} map "${name}"`;
  return {
    name,
    fd,
    keyBytes,
    valueBytes: rowBytes,
    capacityCount,
    lookup(key, value) {
      const result = library.bpf_map_lookup_elem(fd, key, value);
      if (result === -ERRNO.ENOENT) return false;
      checkResult(result, act("read"));
      return true;
    },
    update(key, value, flags = UPDATE_ANY) {
      const result = library.bpf_map_update_elem(fd, key, value, flags);
      if (result === -ERRNO.EEXIST || (result === -ERRNO.ENOENT && flags === UPDATE_REPLACE)) return false;
      checkResult(result, act("write"));
      return true;
    },
    delete(key) {
      const result = library.bpf_map_delete_elem(fd, key);
      if (result === -ERRNO.ENOENT) return false;
      checkResult(result, act("delete from"));
      return true;
    },
    nextKey(previous, next) {
      const result = library.bpf_map_get_next_key(fd, previous ?? null, next);
      if (result === -ERRNO.ENOENT) return false;
      checkResult(result, act("walk"));
      return true;
    },
    batches: (batchCount) =>
      walkBatches({
        fd,
        name,
        keyBytes,
        rowBytes,
        batchCount: Math.min(batchCount, capacityCount),
        isHash: HASH_TYPES.has(type),
      }),
    updateBatch(keys, values, count) {
      if (count === 0) return;
      const written = Uint32Array.of(count);
      const result = library.bpf_map_update_batch(fd, keys, values, bytesOf(written), null);
      checkResult(result, `${act("write")} (${written[0]} of ${count} entries done)`);
    },
    close: () => closeSync(fd),
  };
}

interface Walk {
  readonly fd: number;
  readonly name: string;
  readonly keyBytes: number;
  readonly rowBytes: number;
  readonly batchCount: number;
  readonly isHash: boolean;
}

/**
 * A batch of a hash holds whole buckets, so it must have room for the fullest one: it grows when the kernel says ENOSPC.
 */
function* walkBatches(walk: Walk): Generator<MapBatch> {
  const library = loadLibbpf();
  const cursor = Buffer.alloc(Math.max(8, walk.keyBytes));
  const count = new Uint32Array(1);
  let room = walk.isHash ? Math.max(walk.batchCount, 16) : walk.batchCount;
  let keys = Buffer.alloc(room * walk.keyBytes);
  let values = Buffer.alloc(room * walk.rowBytes);
  let isFirst = true;
  for (;;) {
    count[0] = room;
    const result = library.bpf_map_lookup_batch(
      walk.fd,
      isFirst ? null : cursor,
      cursor,
      keys,
      values,
      bytesOf(count),
      null,
    );
    if (result === -ERRNO.ENOSPC) {
      room *= 2;
      keys = Buffer.alloc(room * walk.keyBytes);
      values = Buffer.alloc(room * walk.rowBytes);
      continue;
    }
    if (result < 0 && result !== -ERRNO.ENOENT) throw kernelError(`read map "${walk.name}"`, -result);
    isFirst = false;
    const found = count[0] ?? 0;
    if (found > 0 && found <= room) yield { keys, values, count: found };
    if (result === -ERRNO.ENOENT) return;
  }
}

/** `struct bpf_map_info`: type, id, key_size, value_size, max_entries, map_flags, name[16]. */
function describeMap(fd: number) {
  const bytes = Buffer.alloc(88);
  const size = Uint32Array.of(bytes.length);
  checkResult(loadLibbpf().bpf_obj_get_info_by_fd(fd, bytes, bytesOf(size)), "describe a map");
  const words = new Uint32Array(bytes.buffer, bytes.byteOffset, 6);
  const [type = 0, , keyBytes = 0, valueBytes = 0, capacityCount = 0] = words;
  return { type, keyBytes, valueBytes, capacityCount, name: cString(bytes.subarray(24, 40)) };
}

/** The text up to the first NUL. */
export function cString(bytes: Uint8Array): string {
  const end = bytes.indexOf(0);
  return Buffer.from(bytes.subarray(0, end === -1 ? bytes.length : end)).toString("utf8");
}

/** The same memory as bytes. */
export function bytesOf(words: Uint32Array | BigUint64Array): Uint8Array {
  return new Uint8Array(words.buffer, words.byteOffset, words.byteLength);
}
