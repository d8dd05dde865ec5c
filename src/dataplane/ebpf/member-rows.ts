import { parseIpv4 } from "../../foundation/index.ts";
import type { ProgrammedMember } from "../driver.ts";
import { MEMBER_LOCAL, MEMBER_STATE } from "./layout.ts";
import type { PoolRecord } from "./mirror.ts";
import { type MemberRow, placeNumber, stateOf, toMilliseconds, toNanoseconds } from "./rows.ts";
import type { SourceFinder } from "./sources.ts";

/** Place number of a member; undefined when its address is no IPv4 address or its port no port. */
export function placeOf(member: { readonly ip: string; readonly port: number }): number | undefined {
  const address = parseIpv4(member.ip);
  const isPort = Number.isInteger(member.port) && member.port >= 1 && member.port <= 0xffff;
  return address === undefined || !isPort ? undefined : placeNumber(address, member.port);
}

/** The row that a member should have. */
export function wantedMemberRow(
  record: PoolRecord,
  place: number,
  member: ProgrammedMember,
  sources: SourceFinder,
): MemberRow {
  const address = Math.floor(place / 0x10000);
  const { source, isLocal } = sources.find(address);
  return {
    uid: record.uidBytes,
    address,
    port: place % 0x10000,
    state: stateOf(member.disposition),
    flags: isLocal ? MEMBER_LOCAL : 0,
    pool: record.index,
    weight: member.weight,
    source,
    deadlineNs: member.disposition === "draining" ? toNanoseconds(member.deadlineMs) : 0n,
  };
}

/** When the flows of a member are to be cut, milliseconds of CLOCK_MONOTONIC. */
export function cutTimeOf(row: Pick<MemberRow, "state" | "deadlineNs">): number {
  if (row.state === MEMBER_STATE.draining) return toMilliseconds(row.deadlineNs);
  return row.state === MEMBER_STATE.cut || row.state === MEMBER_STATE.free ? 0 : Number.POSITIVE_INFINITY;
}
