import { formatIpv4 } from "../../foundation/index.ts";
import type { ProgrammedAddress, ProgrammedMember, ProgrammedPool } from "../driver.ts";
import { comparePlaces } from "../order.ts";
import { LAYOUT } from "./layout.ts";
import { digestOf, type Mirror, type PoolRecord } from "./mirror.ts";
import {
  decodeMember,
  decodePoolPolicy,
  decodeService,
  dispositionOf,
  type PoolPolicy,
  placeNumber,
  type ServiceRow,
  toMilliseconds,
} from "./rows.ts";
import { pause, type Snapshot } from "./snapshot.ts";
import { encodeTable } from "./table.ts";

const POOLS_PER_PAUSE = 1000;

/**
 * What the kernel holds, as pools. A row that is not what the driver wrote is left out, so that it is missed and
 * written again: a damaged member, a damaged address; with a damaged table, every address that serves.
 */
export async function observePools(mirror: Mirror, snapshot: Snapshot): Promise<ProgrammedPool[]> {
  const pools: ProgrammedPool[] = [];
  let count = 0;
  for (const uid of [...mirror.pools.keys()].sort()) {
    const record = mirror.pools.get(uid);
    const pool = record && observePool(record, snapshot);
    if (pool) pools.push(pool);
    count += 1;
    if (count % POOLS_PER_PAUSE === 0) await pause();
  }
  return pools;
}

function observePool(record: PoolRecord, snapshot: Snapshot): ProgrammedPool | undefined {
  const members = observeMembers(record, snapshot);
  const services = observeServices(record, snapshot);
  if (members.length === 0 && services.length === 0) return undefined;
  const policy = services[0]?.row.policy ?? poolPolicy(record, snapshot) ?? record.policy;
  const isWhole = isPoolRowSound(record, snapshot) && isTableSound(record, snapshot, policy, members);
  const addresses = services.filter(
    ({ row }) => row.closingNs > 0n || (isWhole && isServing(record, row, policy)),
  );
  return {
    uid: record.uid,
    ...policy,
    addresses: addresses.map(({ address, row }) => describeAddress(address, row)).sort(comparePlaces),
    members,
  };
}

function observeMembers(record: PoolRecord, { members }: Snapshot): ProgrammedMember[] {
  const found: ProgrammedMember[] = [];
  for (const [place, index] of record.members) {
    const row = decodeMember(members, index * LAYOUT.member.size);
    const disposition = dispositionOf(row.state);
    const isOurs = row.uid.equals(record.uidBytes) && row.pool === record.index;
    if (!isOurs || disposition === undefined || placeNumber(row.address, row.port) !== place) continue;
    found.push({
      ip: formatIpv4(row.address),
      port: row.port,
      weight: row.weight,
      disposition,
      ...(disposition === "draining" ? { deadlineMs: toMilliseconds(row.deadlineNs) } : {}),
    });
  }
  return found.sort(comparePlaces);
}

interface FoundService {
  readonly address: number;
  readonly row: ServiceRow;
}

function observeServices(record: PoolRecord, { services, serviceRows }: Snapshot): FoundService[] {
  return [...record.addresses].flatMap((address) => {
    const place = serviceRows.get(address);
    const row = place === undefined ? undefined : decodeService(services, place * LAYOUT.service.size);
    return row?.uid.equals(record.uidBytes) && row.pool === record.index ? [{ address, row }] : [];
  });
}

function isServing(record: PoolRecord, row: ServiceRow, policy: PoolPolicy): boolean {
  return (
    row.region.count === record.region.count &&
    (row.region.count === 0 || row.region.at === record.region.at) &&
    isSamePolicy(row.policy, policy)
  );
}

/** Whether two pools schedule and forward alike. */
export function isSamePolicy(a: PoolPolicy, b: PoolPolicy): boolean {
  return (
    a.scheduler === b.scheduler && a.forwarding === b.forwarding && a.affinitySeconds === b.affinitySeconds
  );
}

function poolPolicy(record: PoolRecord, { pools }: Snapshot): PoolPolicy | undefined {
  return decodePoolPolicy(pools, record.index * LAYOUT.pool.size);
}

function isPoolRowSound(record: PoolRecord, { pools }: Snapshot): boolean {
  const at = record.index * LAYOUT.pool.size;
  return record.uidBytes.compare(pools, at, at + 16) === 0;
}

function isTableSound(
  record: PoolRecord,
  { slots }: Snapshot,
  policy: PoolPolicy,
  members: readonly ProgrammedMember[],
): boolean {
  const { at, count } = record.region;
  const held = slots.subarray(at * LAYOUT.slot.size, (at + count) * LAYOUT.slot.size);
  if (record.tableDigest !== undefined) return digestOf(held) === record.tableDigest;
  const expected = encodeTable(policy, members, (member) => memberIndex(record, member));
  // Not what the members say: then it may be an older table, which only a new region may replace.
  if (!held.equals(expected)) return false;
  record.tableDigest = digestOf(expected);
  return true;
}

function memberIndex(record: PoolRecord, member: ProgrammedMember): number {
  const address = member.ip.split(".").reduce((number, octet) => number * 256 + Number(octet), 0);
  return record.members.get(placeNumber(address, member.port)) ?? 0;
}

function describeAddress(address: number, row: ServiceRow): ProgrammedAddress {
  const place = address % 2 ** 48;
  const number = Math.floor(place / 0x10000);
  return {
    ip: number === 0 ? "*" : formatIpv4(number),
    port: place % 0x10000,
    protocol: address >= 2 ** 48 ? "UDP" : "TCP",
    ...(row.closingNs > 0n ? { closingDeadlineMs: toMilliseconds(row.closingNs) } : {}),
  };
}
