import { LAYOUT } from "./layout.ts";
import { cutTimeOf } from "./member-rows.ts";
import { createRecord, type Mirror, type PoolRecord } from "./mirror.ts";
import {
  decodeMember,
  decodePoolPolicy,
  decodeService,
  decodeUid,
  isFreeUid,
  type PoolPolicy,
  placeNumber,
  toMilliseconds,
} from "./rows.ts";
import type { Snapshot } from "./snapshot.ts";

const FALLBACK_POLICY: PoolPolicy = { scheduler: "rr", forwarding: "fullnat", affinitySeconds: 0 };

/**
 * Learns what the kernel holds and the mirror does not know: everything after a start; later, what others wrote.
 * What the mirror knows already stays as it is, so that a damaged row is found by comparing.
 */
export function adoptRows(mirror: Mirror, snapshot: Snapshot): void {
  adoptPools(mirror, snapshot);
  adoptMembers(mirror, snapshot);
  adoptServices(mirror, snapshot);
  forgetEmptyPools(mirror);
}

function adoptPools(mirror: Mirror, { pools }: Snapshot): void {
  for (let index = 0; index * LAYOUT.pool.size < pools.length; index += 1) {
    const at = index * LAYOUT.pool.size;
    if (mirror.poolIndexes.isUsed(index) || isFreeUid(pools, at)) continue;
    const uid = decodeUid(pools, at);
    if (mirror.pools.has(uid)) continue;
    const uidBytes = Buffer.from(pools.subarray(at, at + 16));
    mirror.poolIndexes.claim(index);
    mirror.pools.set(uid, createRecord(uid, uidBytes, index, decodePoolPolicy(pools, at) ?? FALLBACK_POLICY));
  }
}

function adoptMembers(mirror: Mirror, { members }: Snapshot): void {
  const { size } = LAYOUT.member;
  for (let index = 0; index * size < members.length; index += 1) {
    const at = index * size;
    if (mirror.memberIndexes.isUsed(index) || isFreeUid(members, at)) continue;
    const row = decodeMember(members, at);
    const record = recordFor(mirror, row.uid, row.pool);
    const place = placeNumber(row.address, row.port);
    if (record === undefined || record.members.has(place)) continue;
    mirror.memberIndexes.claim(index);
    record.members.set(place, index);
    const cutAtMs = cutTimeOf(row);
    mirror.cutAtMs[index] = cutAtMs;
    if (row.state === 0) mirror.tombstones.set(index, { record, place, sinceRound: -1 });
  }
}

function adoptServices(mirror: Mirror, { services, serviceRows }: Snapshot): void {
  for (const [address, row] of serviceRows) {
    if (mirror.owners.has(address)) continue;
    const service = decodeService(services, row * LAYOUT.service.size);
    const record = service && recordFor(mirror, service.uid, service.pool);
    if (service === undefined || record === undefined) continue;
    record.addresses.add(address);
    mirror.owners.set(address, record);
    if (service.closingNs > 0n) mirror.closingAtMs.set(address, toMilliseconds(service.closingNs));
    record.policy = service.policy;
    if (record.region.count > 0 || service.region.count === 0) continue;
    record.region = service.region;
    mirror.regions.claim(service.region);
  }
}

/** The record of a uid; made anew, at its old row if that is free, when the pool's own row is damaged. */
function recordFor(mirror: Mirror, uidBytes: Buffer, index: number): PoolRecord | undefined {
  if (isFreeUid(uidBytes, 0)) return undefined;
  const uid = decodeUid(uidBytes, 0);
  const known = mirror.pools.get(uid);
  if (known) return known;
  const isFree = index < mirror.poolIndexes.capacityCount && !mirror.poolIndexes.isUsed(index);
  const place = isFree ? index : mirror.poolIndexes.allocate();
  if (place === undefined) return undefined;
  mirror.poolIndexes.claim(place);
  const record = createRecord(uid, uidBytes, place, FALLBACK_POLICY);
  mirror.pools.set(uid, record);
  return record;
}

/** Rows of `pool` without members and addresses are what a killed agent left behind: they are free. */
function forgetEmptyPools(mirror: Mirror): void {
  for (const record of mirror.pools.values()) {
    if (record.members.size > 0 || record.addresses.size > 0) continue;
    mirror.pools.delete(record.uid);
    mirror.poolIndexes.free(record.index);
  }
}
