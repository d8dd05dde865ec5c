import { closeSync } from "node:fs";
import { type MapBatch, readRows, walkBatches } from "./bpf-map-walk.ts";
import { checkResult, ERRNO } from "./kernel-error.ts";
import { loadLibbpf } from "./libbpf.ts";
import { bytesOf, cString } from "./native.ts";

/** Flag of an update: create or replace. */
const UPDATE_ANY = 0;
/** Flag of an update: only create. */
export const UPDATE_CREATE = 1;
/** Flag of an update: only replace. */
export const UPDATE_REPLACE = 2;

/** Types that batch operations walk, and whose values are one per CPU. */
const PERCPU_TYPES: ReadonlySet<number> = new Set([5, 6, 10, 21]);
const HASH_TYPES: ReadonlySet<number> = new Set([1, 5, 9, 10]);

/** One eBPF map of the kernel, open. Keys and values are bytes as the kernel keeps them. */
export interface BpfMap {
  readonly name: string;
  /** File descriptor number. */
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
  /** `count` consecutive rows of an array map, with one system call. */
  readRows(firstIndex: number, count: number): Buffer;
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
  const walked = { fd, name, keyBytes, rowBytes, isHash: HASH_TYPES.has(type) };
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
    batches: (batchCount) => walkBatches(walked, Math.min(batchCount, capacityCount)),
    readRows: (firstIndex, count) => readRows(walked, firstIndex, count),
    updateBatch(keys, values, count) {
      if (count === 0) return;
      const written = Uint32Array.of(count);
      const result = library.bpf_map_update_batch(fd, keys, values, bytesOf(written), null);
      checkResult(result, `${act("write")} (${written[0]} of ${count} entries done)`);
    },
    close: () => closeSync(fd),
  };
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
