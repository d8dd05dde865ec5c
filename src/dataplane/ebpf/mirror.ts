import { createIndexAllocator, type IndexAllocator } from "./index-allocator.ts";
import type { Kernel } from "./kernel.ts";
import { createRegionAllocator, type RegionAllocator } from "./regions.ts";
import type { PoolPolicy, Region } from "./rows.ts";

/** Where the rows of one pool are. The rows themselves are read from the kernel when they matter. */
export interface PoolRecord {
  /** The Pool object's uid, lower case. */
  readonly uid: string;
  readonly uidBytes: Buffer;
  /** Row of `pool`. */
  readonly index: number;
  /** Rows of `member` by place number, freed ones that flows may still point at too. */
  readonly members: Map<number, number>;
  /** Connect addresses, as `addressNumber` writes them. */
  readonly addresses: Set<number>;
  policy: PoolPolicy;
  region: Region;
  /** Digest of what was written to the region; undefined when it was never checked. */
  tableDigest: number | undefined;
}

/** What the driver knows about the kernel's tables. It is rebuilt from them at each start. */
export interface Mirror {
  readonly pools: Map<string, PoolRecord>;
  /** Which pool has a connect address. */
  readonly owners: Map<number, PoolRecord>;
  readonly poolIndexes: IndexAllocator;
  readonly memberIndexes: IndexAllocator;
  readonly regions: RegionAllocator;
  /**
   * By row of `member`: when its flows are to be cut, milliseconds of CLOCK_MONOTONIC; infinite while it may keep them,
   * 0 for a cut or freed one.
   */
  readonly cutAtMs: Float64Array;
  /** Freed rows of `member`, with the round of the sweep in which they were freed. */
  readonly tombstones: Map<
    number,
    { readonly record: PoolRecord; readonly place: number; readonly sinceRound: number }
  >;
  /** Raised by every change: a snapshot that was taken meanwhile shows things that are not so any more. */
  changeCount: number;
  /** A member was cut or freed since the last sweep began. */
  hasNewCuts: boolean;
  /** Closing connect addresses: when their flows are cut, milliseconds of CLOCK_MONOTONIC. */
  readonly closingAtMs: Map<number, number>;
  /** How many sweeps of the flow table have begun. */
  sweepRound: number;
  /** Connect addresses whose flows are to be cut by the next sweep, because nobody has them any more. */
  readonly orphanAddresses: Set<number>;
  /** Connect addresses of flows that nobody had in the last sweep. */
  suspectAddresses: ReadonlySet<number>;
}

/** An empty mirror for tables of this size. */
export function createMirror(kernel: Kernel, nowMs: () => number): Mirror {
  const { member, pool, slot } = kernel.maps;
  return {
    pools: new Map(),
    owners: new Map(),
    poolIndexes: createIndexAllocator(pool.capacityCount),
    memberIndexes: createIndexAllocator(member.capacityCount),
    regions: createRegionAllocator(slot.capacityCount, nowMs),
    cutAtMs: new Float64Array(member.capacityCount).fill(Number.POSITIVE_INFINITY),
    tombstones: new Map(),
    changeCount: 0,
    hasNewCuts: false,
    closingAtMs: new Map(),
    sweepRound: 0,
    orphanAddresses: new Set(),
    suspectAddresses: new Set(),
  };
}

/** A record for a pool that has nothing yet. */
export function createRecord(uid: string, uidBytes: Buffer, index: number, policy: PoolPolicy): PoolRecord {
  return {
    uid,
    uidBytes,
    index,
    members: new Map(),
    addresses: new Set(),
    policy,
    region: { at: 0, count: 0 },
    tableDigest: undefined,
  };
}

/** FNV-1a over 32-bit words. */
export function digestOf(bytes: Buffer): number {
  let digest = 0x811c9dc5;
  for (let at = 0; at + 4 <= bytes.length; at += 4) {
    digest = Math.imul(digest ^ bytes.readUInt32LE(at), 0x01000193);
  }
  return digest >>> 0;
}
