import { hasCode, ParasausError, parseIpv4 } from "../../foundation/index.ts";
import { errnoOf } from "../../linux/index.ts";
import type {
  OperationFailure,
  PoolOperation,
  ProgrammedAddress,
  ProgrammedMember,
  ProgrammedPool,
} from "../driver.ts";
import type { Kernel, MemberWrite } from "./kernel.ts";
import { LAYOUT, MEMBER_STATE } from "./layout.ts";
import { cutTimeOf, placeOf, wantedMemberRow } from "./member-rows.ts";
import { createRecord, digestOf, type Mirror, type PoolRecord } from "./mirror.ts";
import { isSamePolicy } from "./observe.ts";
import {
  addressNumber,
  encodeMember,
  encodePool,
  encodeService,
  encodeServiceKey,
  encodeUid,
  isSameMember,
  type MemberRow,
  type Region,
  toNanoseconds,
} from "./rows.ts";
import type { SourceFinder } from "./sources.ts";
import { encodeTable } from "./table.ts";
import { indexKey, words } from "./words.ts";

/** What applying works on. */
export interface ApplyContext {
  readonly kernel: Kernel;
  readonly mirror: Mirror;
  readonly sources: SourceFinder;
  readonly nowMs: () => number;
}

/** Applies one operation without pause, so that nothing else of this process comes in between. */
export function applyOperation(
  context: ApplyContext,
  operation: PoolOperation,
): OperationFailure | undefined {
  const uid = operation.kind === "install" ? operation.pool.uid : operation.uid;
  context.mirror.changeCount += 1;
  try {
    if (operation.kind === "install") installPool(context, operation.pool);
    else removePool(context, operation.uid);
    return undefined;
  } catch (failure) {
    return describeFailure(uid, failure);
  }
}

const E2BIG = 7;

function describeFailure(uid: string, failure: unknown): OperationFailure {
  if (!(failure instanceof ParasausError)) throw failure;
  const { message } = failure;
  if (hasCode(failure, "CapacityExceeded") || errnoOf(failure) === E2BIG) {
    return { uid, code: "CapacityExceeded", message };
  }
  const code = hasCode(failure, "KernelUnsupported") ? "KernelUnsupported" : "KernelError";
  return { uid, code, message };
}

/**
 * The order keeps every connect address whole: what new flows will need is written first, then each address is
 * switched over by one update, then what they no longer need is taken away. A kill in between leaves rows that
 * nothing points at, which the next start finds.
 */
function installPool(context: ApplyContext, pool: ProgrammedPool): void {
  const record = recordOf(context.mirror, pool);
  const members = wantedMembers(context, record, pool);
  const addresses = new Map(pool.addresses.map((address) => [numberOf(address), address]));
  refuseWithoutRoom(context, addresses);
  const policy = {
    scheduler: pool.scheduler,
    forwarding: pool.forwarding,
    affinitySeconds: pool.affinitySeconds,
  };
  const isNewPolicy = !isSamePolicy(record.policy, policy);
  record.policy = policy;
  const table = prepareTable(context, record, pool.members);
  writePoolRow(context, record, isNewPolicy);
  writeMembers(
    context,
    members.filter(({ row }) => row.state === MEMBER_STATE.active && row.weight > 0),
  );
  writeTable(context, table);
  const before = record.region;
  record.region = table.region;
  record.tableDigest = table.digest;
  for (const [number, address] of addresses) writeService(context, record, number, address);
  writeMembers(
    context,
    members.filter(({ row }) => row.state !== MEMBER_STATE.active || row.weight === 0),
  );
  dropAddresses(context, record, addresses);
  dropMembers(context, record, new Set(members.map(({ place }) => place)));
  if (record.region !== before) context.mirror.regions.release(before, context.nowMs());
}

function recordOf(mirror: Mirror, pool: ProgrammedPool): PoolRecord {
  const uid = pool.uid.toLowerCase();
  const known = mirror.pools.get(uid);
  if (known) return known;
  const uidBytes = encodeUid(uid);
  if (uidBytes === undefined)
    throw new ParasausError("KernelError", `Cannot program pool "${pool.uid}": its uid is no UUID`);
  const index = mirror.poolIndexes.allocate();
  if (index === undefined) throw full("pool", mirror.poolIndexes.capacityCount);
  const { scheduler, forwarding, affinitySeconds } = pool;
  const record = createRecord(uid, uidBytes, index, { scheduler, forwarding, affinitySeconds });
  mirror.pools.set(uid, record);
  return record;
}

function full(table: string, capacityCount: number): ParasausError {
  const message = `Cannot program the pool: table "${table}" holds at most ${capacityCount} rows and is full`;
  return new ParasausError("CapacityExceeded", message);
}

function numberOf(address: ProgrammedAddress): number {
  const ip = address.ip === "*" ? 0 : parseIpv4(address.ip);
  if (ip === undefined)
    throw new ParasausError("KernelError", `Cannot program connect address "${address.ip}": no IPv4 address`);
  return addressNumber(ip, address.port, address.protocol);
}

function refuseWithoutRoom({ kernel, mirror }: ApplyContext, addresses: ReadonlyMap<number, unknown>): void {
  const added = [...addresses.keys()].filter((number) => !mirror.owners.has(number)).length;
  const { capacityCount } = kernel.maps.service;
  if (mirror.owners.size + added > capacityCount) throw full("service", capacityCount);
}

/** A member as it should be, and where. */
interface WantedMember {
  readonly place: number;
  readonly index: number;
  readonly row: MemberRow;
}

function wantedMembers(context: ApplyContext, record: PoolRecord, pool: ProgrammedPool): WantedMember[] {
  const places = pool.members.map((member) => ({ member, place: requirePlace(member) }));
  reserveMembers(
    context.mirror,
    record,
    places.map(({ place }) => place),
  );
  return places.map(({ member, place }) => ({
    place,
    index: record.members.get(place) ?? 0,
    row: wantedMemberRow(record, place, member, context.sources),
  }));
}

function requirePlace(member: ProgrammedMember): number {
  const place = placeOf(member);
  if (place !== undefined) return place;
  throw new ParasausError(
    "KernelError",
    `Cannot program member "${member.ip}:${member.port}": no IPv4 address and port`,
  );
}

/** All rows or none, so that a refused pool leaves nothing behind. */
function reserveMembers(mirror: Mirror, record: PoolRecord, places: readonly number[]): void {
  const added = places.filter((place) => !record.members.has(place));
  const { memberIndexes } = mirror;
  if (memberIndexes.usedCount() + added.length > memberIndexes.capacityCount) {
    throw full("member", memberIndexes.capacityCount);
  }
  for (const place of added) record.members.set(place, memberIndexes.allocate() ?? 0);
}

function writePoolRow({ kernel }: ApplyContext, record: PoolRecord, isNewPolicy: boolean): void {
  const key = indexKey(record.index);
  const held = Buffer.alloc(LAYOUT.pool.size);
  kernel.maps.pool.lookup(key, held);
  const isOurs = record.uidBytes.compare(held, 0, 16) === 0;
  if (isOurs && !isNewPolicy) return;
  const ticket = isOurs ? words.readBigU64(held, LAYOUT.pool.ticket) : 0n;
  kernel.maps.pool.update(key, encodePool(record.uidBytes, record.policy, ticket));
}

function writeMembers({ kernel, mirror }: ApplyContext, members: readonly WantedMember[]): void {
  const held = Buffer.alloc(LAYOUT.member.size);
  const writes: MemberWrite[] = [];
  for (const { index, row } of members) {
    const wanted = encodeMember(row);
    kernel.maps.member.lookup(indexKey(index), held);
    if (!isSameMember(wanted, held)) writes.push({ index, row: wanted });
  }
  kernel.writeMembers(writes);
  for (const { index, row } of members) {
    const cutAtMs = cutTimeOf(row);
    if (cutAtMs === 0 && mirror.cutAtMs[index] !== 0) mirror.hasNewCuts = true;
    mirror.cutAtMs[index] = cutAtMs;
    // One that comes back after it was removed counts from the beginning.
    if (mirror.tombstones.delete(index)) clearTraffic(kernel, index);
  }
}

/** Zeroes what a row of `member` has counted. */
export function clearTraffic({ maps }: Kernel, index: number): void {
  maps.member_traffic.update(indexKey(index), Buffer.alloc(maps.member_traffic.valueBytes));
}

/** The slots that a pool is to have, and where. */
interface PreparedTable {
  readonly region: Region;
  readonly wanted: Buffer;
  readonly digest: number;
  /** What the kernel has there, if that region is in use already. */
  readonly held: Buffer | undefined;
}

/** Where the table goes: where it stands already, whole or damaged, else into a region that nobody reads yet. */
function prepareTable(
  { kernel, mirror }: ApplyContext,
  record: PoolRecord,
  members: readonly ProgrammedMember[],
): PreparedTable {
  const wanted = encodeTable(
    record.policy,
    members,
    (member) => record.members.get(requirePlace(member)) ?? 0,
  );
  const digest = digestOf(wanted);
  const count = wanted.length / LAYOUT.slot.size;
  const isSame = record.tableDigest === undefined || digest === record.tableDigest;
  if (isSame && count === record.region.count) {
    const held = kernel.maps.slot.readRows(record.region.at, count);
    // A table that was never checked may be an older one, which only another region may replace.
    if (record.tableDigest !== undefined || held.equals(wanted)) {
      return { region: record.region, wanted, digest, held };
    }
  }
  const region = mirror.regions.allocate(count);
  if (region === undefined) throw full("slot", kernel.maps.slot.capacityCount);
  return { region, wanted, digest, held: undefined };
}

function writeTable({ kernel }: ApplyContext, { region, wanted, held }: PreparedTable): void {
  if (held) repairSlots(kernel, region, held, wanted);
  else kernel.maps.slot.updateBatch(slotKeys(region), wanted, region.count);
}

function repairSlots({ maps }: Kernel, region: Region, held: Buffer, wanted: Buffer): void {
  const { size } = LAYOUT.slot;
  for (let place = 0; place < region.count; place += 1) {
    const row = wanted.subarray(place * size, (place + 1) * size);
    if (!held.subarray(place * size, (place + 1) * size).equals(row)) {
      maps.slot.update(indexKey(region.at + place), row);
    }
  }
}

function slotKeys(region: Region): Buffer {
  const keys = Uint32Array.from({ length: region.count }, (_, place) => region.at + place);
  return Buffer.from(keys.buffer);
}

function writeService(
  { kernel, mirror }: ApplyContext,
  record: PoolRecord,
  number: number,
  address: ProgrammedAddress,
): void {
  const wanted = encodeService({
    uid: record.uidBytes,
    pool: record.index,
    policy: record.policy,
    region: record.region,
    closingNs: toNanoseconds(address.closingDeadlineMs),
  });
  const key = encodeServiceKey(number);
  const held = Buffer.alloc(LAYOUT.service.size);
  if (!kernel.maps.service.lookup(key, held) || !held.equals(wanted)) kernel.maps.service.update(key, wanted);
  mirror.owners.get(number)?.addresses.delete(number);
  mirror.owners.set(number, record);
  mirror.orphanAddresses.delete(number);
  record.addresses.add(number);
  if (address.closingDeadlineMs === undefined) mirror.closingAtMs.delete(number);
  else mirror.closingAtMs.set(number, address.closingDeadlineMs);
}

function dropAddresses(
  { kernel, mirror }: ApplyContext,
  record: PoolRecord,
  wanted: ReadonlyMap<number, unknown>,
): void {
  for (const number of record.addresses) {
    if (wanted.has(number)) continue;
    kernel.maps.service.delete(encodeServiceKey(number));
    record.addresses.delete(number);
    mirror.owners.delete(number);
    mirror.closingAtMs.delete(number);
    mirror.orphanAddresses.add(number);
  }
}

/** Members that are not wanted become tombstones: their flows are cut, and the row is used again when none is left. */
function dropMembers(
  { kernel, mirror }: ApplyContext,
  record: PoolRecord,
  wanted: ReadonlySet<number>,
): void {
  const writes: MemberWrite[] = [];
  for (const [place, index] of record.members) {
    if (wanted.has(place) || mirror.tombstones.has(index)) continue;
    const row = Buffer.alloc(LAYOUT.member.size);
    kernel.maps.member.lookup(indexKey(index), row);
    record.uidBytes.copy(row);
    row[LAYOUT.member.state] = MEMBER_STATE.free;
    writes.push({ index, row });
    mirror.cutAtMs[index] = 0;
    mirror.hasNewCuts = true;
    mirror.tombstones.set(index, { record, place, sinceRound: mirror.sweepRound });
  }
  kernel.writeMembers(writes);
}

function removePool(context: ApplyContext, uid: string): void {
  const record = context.mirror.pools.get(uid.toLowerCase());
  if (record === undefined) return;
  dropAddresses(context, record, new Map());
  dropMembers(context, record, new Set());
  context.mirror.regions.release(record.region, context.nowMs());
  record.region = { at: 0, count: 0 };
  record.tableDigest = undefined;
  forgetWhenEmpty(context, record);
}

/** Frees the row of a pool that has neither addresses nor members any more. */
export function forgetWhenEmpty({ kernel, mirror }: ApplyContext, record: PoolRecord): void {
  if (record.addresses.size > 0 || record.members.size > 0) return;
  kernel.maps.pool.update(indexKey(record.index), Buffer.alloc(LAYOUT.pool.size));
  mirror.pools.delete(record.uid);
  mirror.poolIndexes.free(record.index);
}
