import type { MemberCounters, ProgrammedMember } from "../driver.ts";

/** A member with what is counted for it; outlives changes of its pool. */
export interface MemberState {
  programmed: ProgrammedMember;
  /** Flows that exist now. */
  load: number;
  totalConnections: number;
  packetsIn: number;
  packetsOut: number;
}

/** A member nobody has connected to yet. */
export function freshMember(programmed: ProgrammedMember): MemberState {
  return { programmed, load: 0, totalConnections: 0, packetsIn: 0, packetsOut: 0 };
}

/** Bytes that the simulated packets have on the wire: an IPv4 and a TCP header. */
const PACKET_BYTES = 40;

/** What the driver reports of a member. */
export function countersOf(poolUid: string, state: MemberState): MemberCounters {
  return {
    poolUid,
    ip: state.programmed.ip,
    port: state.programmed.port,
    activeConnections: state.load,
    totalConnections: state.totalConnections,
    packetsIn: state.packetsIn,
    bytesIn: state.packetsIn * PACKET_BYTES,
    packetsOut: state.packetsOut,
    bytesOut: state.packetsOut * PACKET_BYTES,
  };
}
