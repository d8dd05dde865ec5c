import type { InetSocket } from "../../linux/index.ts";
import type { Kernel } from "./kernel.ts";
import { LAYOUT, PROTOCOL_NUMBER } from "./layout.ts";
import type { Mirror, PoolRecord } from "./mirror.ts";
import { addressNumber } from "./rows.ts";
import { pause } from "./snapshot.ts";
import type { SweepResult } from "./sweep.ts";
import { words } from "./words.ts";

const {
  local_flow: LOCAL,
  local_datagram: DATAGRAM,
  affinity: AFFINITY,
  affinity_key: AFFINITY_KEY,
} = LAYOUT;
const BATCH_COUNT = 4096;
const NS_PER_MS = 1e6;

/** Connections of this machine's own sockets. */
export interface LocalFlowResult {
  /** Sockets whose member or connect address is done. */
  readonly cuts: ReadonlySet<bigint>;
  /** Every socket that is counted, with its member. */
  readonly members: ReadonlyMap<bigint, number>;
}

/** Counts local connections into `result` and finds those to cut. */
export async function sweepLocalFlows(
  kernel: Kernel,
  mirror: Mirror,
  result: SweepResult,
  nowMs: number,
): Promise<LocalFlowResult> {
  const cuts = new Set<bigint>();
  const members = new Map<bigint, number>();
  for (const { keys, values, count } of kernel.maps.local_flow.batches(BATCH_COUNT)) {
    for (let place = 0; place < count; place += 1) {
      const at = place * LOCAL.size;
      const cookie = words.readBigU64(keys, place * 8);
      const member = words.readU32(values, at + LOCAL.member);
      members.set(cookie, member);
      if (member < result.loads.length) {
        result.loads[member] = (result.loads[member] ?? 0) + 1;
        result.referenced[member] = 1;
      }
      const isMemberDone = (mirror.cutAtMs[member] ?? 0) <= nowMs;
      if (isMemberDone || isAddressDone(mirror, values, at, nowMs)) cuts.add(cookie);
    }
    await pause();
  }
  return { cuts, members };
}

function isAddressDone(mirror: Mirror, values: Buffer, at: number, nowMs: number): boolean {
  const protocol = values[at + LOCAL.protocol] === PROTOCOL_NUMBER.UDP ? "UDP" : "TCP";
  const port = values.readUInt16BE(at + LOCAL.port);
  const exact = addressNumber(values.readUInt32BE(at + LOCAL.address), port, protocol);
  const everywhere = addressNumber(0, port, protocol);
  const held = mirror.owners.has(exact) ? exact : everywhere;
  return (
    mirror.orphanAddresses.has(held) || (mirror.closingAtMs.get(held) ?? Number.POSITIVE_INFINITY) <= nowMs
  );
}

/**
 * Removes entries of sockets that are gone although nobody saw them close.
 *
 * @param suspects Those that had no socket the last time.
 * @returns those that have none now.
 */
export function dropStaleLocalFlows(
  kernel: Kernel,
  found: LocalFlowResult,
  sockets: readonly InetSocket[],
  suspects: ReadonlySet<bigint>,
): ReadonlySet<bigint> {
  const alive = new Set(sockets.map(({ cookie }) => cookie));
  const missing = new Set([...found.members.keys()].filter((cookie) => !alive.has(cookie)));
  for (const cookie of missing) {
    if (!suspects.has(cookie)) continue;
    const key = Buffer.alloc(8);
    words.writeBigU64(key, cookie, 0);
    if (kernel.maps.local_flow.delete(key)) kernel.adjustLoad(found.members.get(cookie) ?? 0, -1);
  }
  return missing;
}

/** Removes what sockets that send datagrams remember, once it is idle. */
export async function expireLocalDatagrams(kernel: Kernel, idleMs: number, nowMs: number): Promise<void> {
  const map = kernel.maps.local_datagram;
  for (const { keys, values, count } of map.batches(BATCH_COUNT)) {
    for (let place = 0; place < count; place += 1) {
      const lastMs = words.readU64(values, place * DATAGRAM.size + DATAGRAM.last_ns) / NS_PER_MS;
      if (nowMs - lastMs > idleMs)
        map.delete(keys.subarray(place * map.keyBytes, (place + 1) * map.keyBytes));
    }
    await pause();
  }
}

/** Removes affinities whose time is over, or whose pool or member is gone. */
export async function expireAffinities(kernel: Kernel, mirror: Mirror, nowMs: number): Promise<void> {
  const map = kernel.maps.affinity;
  const pools = new Map<number, PoolRecord>(
    [...mirror.pools.values()].map((record) => [record.index, record]),
  );
  for (const { keys, values, count } of map.batches(BATCH_COUNT)) {
    for (let place = 0; place < count; place += 1) {
      const at = place * AFFINITY.size;
      const pool = pools.get(words.readU32(keys, place * AFFINITY_KEY.size));
      const lastMs = words.readU64(values, at + AFFINITY.last_ns) / NS_PER_MS;
      const limitMs = (pool?.policy.affinitySeconds ?? 0) * 1000;
      const hasMember = mirror.memberIndexes.isUsed(words.readU32(values, at + AFFINITY.member));
      if (hasMember && nowMs - lastMs <= limitMs) continue;
      map.delete(keys.subarray(place * AFFINITY_KEY.size, (place + 1) * AFFINITY_KEY.size));
    }
    await pause();
  }
}
