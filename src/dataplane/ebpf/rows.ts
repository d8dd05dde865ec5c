import type { ForwardingMode, Protocol, SchedulerName } from "../../model/index.ts";
import type { MemberDisposition } from "../driver.ts";
import { FORWARDING_NUMBER, LAYOUT, MEMBER_STATE, PROTOCOL_NUMBER, SCHEDULER_NUMBER } from "./layout.ts";
import { words } from "./words.ts";

const { service_key: KEY, service: SERVICE, member: MEMBER, pool: POOL } = LAYOUT;
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** What a pool does, apart from where it listens and whom it has. */
export interface PoolPolicy {
  readonly scheduler: SchedulerName;
  readonly forwarding: ForwardingMode;
  readonly affinitySeconds: number;
}

/** A run of slots. */
export interface Region {
  readonly at: number;
  readonly count: number;
}

/** One row of `service`. `closingNs` 0 = serving. */
export interface ServiceRow {
  readonly uid: Buffer;
  readonly pool: number;
  readonly policy: PoolPolicy;
  readonly region: Region;
  readonly closingNs: bigint;
}

/** One row of `member`, without its load. */
export interface MemberRow {
  readonly uid: Buffer;
  readonly address: number;
  readonly port: number;
  readonly state: number;
  readonly flags: number;
  readonly pool: number;
  readonly weight: number;
  readonly source: number;
  readonly deadlineNs: bigint;
}

/** The 16 bytes of a UUID; undefined when it is none. */
export function encodeUid(uid: string): Buffer | undefined {
  return UUID.test(uid) ? Buffer.from(uid.replaceAll("-", ""), "hex") : undefined;
}

/** The UUID at `at`, in lower case. */
export function decodeUid(bytes: Buffer, at: number): string {
  const hex = bytes.toString("hex", at, at + 16);
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
}

/** Whether the uid at `at` is all zero: the row is free. */
export function isFreeUid(bytes: Buffer, at: number): boolean {
  return words.readBigU64(bytes, at) === 0n && words.readBigU64(bytes, at + 8) === 0n;
}

/** An address and port as one number, which no other pair has. */
export function placeNumber(address: number, port: number): number {
  return address * 0x10000 + port;
}

/** Connect address as one number: a place, and UDP ones apart. */
export function addressNumber(address: number, port: number, protocol: Protocol): number {
  return placeNumber(address, port) + (protocol === "UDP" ? 2 ** 48 : 0);
}

/** Key of `service` for a connect address. */
export function encodeServiceKey(number: number): Buffer {
  const key = Buffer.alloc(KEY.size);
  const place = number % 2 ** 48;
  key.writeUInt32BE(Math.floor(place / 0x10000), KEY.address);
  key.writeUInt16BE(place % 0x10000, KEY.port);
  key[KEY.protocol] = number >= 2 ** 48 ? PROTOCOL_NUMBER.UDP : PROTOCOL_NUMBER.TCP;
  return key;
}

/** The connect address of a key of `service`. */
export function decodeServiceKey(bytes: Buffer, at: number): number {
  const protocol = bytes[at + KEY.protocol] === PROTOCOL_NUMBER.UDP ? "UDP" : "TCP";
  return addressNumber(bytes.readUInt32BE(at + KEY.address), bytes.readUInt16BE(at + KEY.port), protocol);
}

/** Whether a scheduler scans its members instead of walking a sequence. */
function scansMembers(scheduler: SchedulerName): boolean {
  return scheduler === "lc" || scheduler === "wlc";
}

export function encodeService(row: ServiceRow): Buffer {
  const bytes = Buffer.alloc(SERVICE.size);
  row.uid.copy(bytes, SERVICE.pool_uid);
  words.writeU32(bytes, row.pool, SERVICE.pool);
  const isScanned = scansMembers(row.policy.scheduler);
  words.writeU32(bytes, row.region.at, isScanned ? SERVICE.eligible_at : SERVICE.sequence_at);
  words.writeU32(bytes, row.region.count, isScanned ? SERVICE.eligible_count : SERVICE.sequence_count);
  words.writeU32(bytes, row.policy.affinitySeconds, SERVICE.affinity_seconds);
  words.writeBigU64(bytes, row.closingNs, SERVICE.closing_deadline_ns);
  bytes[SERVICE.scheduler] = SCHEDULER_NUMBER[row.policy.scheduler] ?? 0;
  bytes[SERVICE.forwarding] = FORWARDING_NUMBER[row.policy.forwarding] ?? 0;
  return bytes;
}

/** Reads a row of `service`; undefined when it names no scheduler or forwarding mode that there is. */
export function decodeService(bytes: Buffer, at: number): ServiceRow | undefined {
  const policy = decodePolicy(
    bytes[at + SERVICE.scheduler] ?? 0,
    bytes[at + SERVICE.forwarding] ?? 0,
    words.readU32(bytes, at + SERVICE.affinity_seconds),
  );
  if (policy === undefined) return undefined;
  const isScanned = scansMembers(policy.scheduler);
  return {
    uid: Buffer.from(bytes.subarray(at, at + 16)),
    pool: words.readU32(bytes, at + SERVICE.pool),
    policy,
    region: {
      at: words.readU32(bytes, at + (isScanned ? SERVICE.eligible_at : SERVICE.sequence_at)),
      count: words.readU32(bytes, at + (isScanned ? SERVICE.eligible_count : SERVICE.sequence_count)),
    },
    closingNs: words.readBigU64(bytes, at + SERVICE.closing_deadline_ns),
  };
}

function decodePolicy(
  scheduler: number,
  forwarding: number,
  affinitySeconds: number,
): PoolPolicy | undefined {
  const name = SCHEDULERS[scheduler];
  const mode = FORWARDING_MODES[forwarding];
  return name && mode ? { scheduler: name, forwarding: mode, affinitySeconds } : undefined;
}

const SCHEDULERS: readonly (SchedulerName | undefined)[] = [undefined, "rr", "wrr", "lc", "wlc", "sh", "mh"];
const FORWARDING_MODES: readonly (ForwardingMode | undefined)[] = [undefined, "fullnat", "nat"];

/** A row of `pool`. The policy stands there too, for a pool that has no connect address any more. */
export function encodePool(uid: Buffer, policy: PoolPolicy, ticket: bigint): Buffer {
  const bytes = Buffer.alloc(POOL.size);
  uid.copy(bytes, POOL.uid);
  words.writeBigU64(bytes, ticket, POOL.ticket);
  bytes[POOL.reserved] = SCHEDULER_NUMBER[policy.scheduler] ?? 0;
  bytes[POOL.reserved + 1] = FORWARDING_NUMBER[policy.forwarding] ?? 0;
  words.writeU32(bytes, policy.affinitySeconds, POOL.reserved + 4);
  return bytes;
}

/** The policy in a row of `pool`; undefined when there is none. */
export function decodePoolPolicy(bytes: Buffer, at: number): PoolPolicy | undefined {
  const reserved = at + POOL.reserved;
  return decodePolicy(bytes[reserved] ?? 0, bytes[reserved + 1] ?? 0, words.readU32(bytes, reserved + 4));
}

export function encodeMember(row: MemberRow): Buffer {
  const bytes = Buffer.alloc(MEMBER.size);
  row.uid.copy(bytes, MEMBER.pool_uid);
  bytes.writeUInt32BE(row.address, MEMBER.address);
  bytes.writeUInt16BE(row.port, MEMBER.port);
  bytes[MEMBER.state] = row.state;
  bytes[MEMBER.flags] = row.flags;
  words.writeU32(bytes, row.pool, MEMBER.pool);
  words.writeU32(bytes, row.weight, MEMBER.weight);
  bytes.writeUInt32BE(row.source, MEMBER.source);
  words.writeBigU64(bytes, row.deadlineNs, MEMBER.drain_deadline_ns);
  return bytes;
}

export function decodeMember(bytes: Buffer, at: number): MemberRow {
  return {
    uid: Buffer.from(bytes.subarray(at, at + 16)),
    address: bytes.readUInt32BE(at + MEMBER.address),
    port: bytes.readUInt16BE(at + MEMBER.port),
    state: bytes[at + MEMBER.state] ?? 0,
    flags: bytes[at + MEMBER.flags] ?? 0,
    pool: words.readU32(bytes, at + MEMBER.pool),
    weight: words.readU32(bytes, at + MEMBER.weight),
    source: bytes.readUInt32BE(at + MEMBER.source),
    deadlineNs: words.readBigU64(bytes, at + MEMBER.drain_deadline_ns),
  };
}

/** Whether two rows of `member` are equal but for their load, which the kernel writes. */
export function isSameMember(a: Buffer, b: Buffer): boolean {
  return a.compare(b, 0, MEMBER.load, 0, MEMBER.load) === 0;
}

/** What the kernel's member state is called; undefined for a freed one. */
export function dispositionOf(state: number): MemberDisposition | undefined {
  return DISPOSITIONS[state];
}

const DISPOSITIONS: readonly (MemberDisposition | undefined)[] = [
  undefined,
  "active",
  "paused",
  "draining",
  "cut",
];

/** The kernel's number of a disposition. */
export function stateOf(disposition: MemberDisposition): number {
  return MEMBER_STATE[disposition];
}

/** A deadline in the kernel's nanoseconds. */
export function toNanoseconds(ms: number | undefined): bigint {
  return ms === undefined ? 0n : BigInt(Math.ceil(ms)) * 1_000_000n;
}

/** A deadline in milliseconds. */
export function toMilliseconds(ns: bigint): number {
  return Number(ns / 1_000_000n);
}
