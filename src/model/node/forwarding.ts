import type { Protocol } from "../pool/pool.ts";

/**
 * What the kernel does with one member:
 * `active` takes new flows; `paused` takes none and keeps what it has; `draining` likewise until its deadline;
 * `cut` has its flows reset.
 */
export type MemberDisposition = "active" | "paused" | "draining" | "cut";

/** One flow, as clients see it. */
export interface FlowTuple {
  readonly protocol: Protocol;
  /** IPv4. */
  readonly clientIp: string;
  /** 1-65535. */
  readonly clientPort: number;
  /** IPv4 connect address that the client dialled. */
  readonly ip: string;
  /** 1-65535. */
  readonly port: number;
}

/** What the kernel's own entry says of a flow. */
export interface FlowExplanation {
  readonly flow: FlowTuple;
  readonly poolUid: string;
  /** IPv4 and port of the member. */
  readonly memberIp: string;
  /** 1-65535. */
  readonly memberPort: number;
  readonly memberDisposition: MemberDisposition;
  readonly state: "half-open" | "established" | "closing" | "closed" | "local";
  /** Why this member: the scheduler's pick, session affinity, adopted without a SYN, or scheduled anew. */
  readonly why: "scheduled" | "affinity" | "adopted" | "rescheduled";
  /** Age of the flow, milliseconds; absent where the kernel does not keep it (ipvs). */
  readonly ageMs?: number;
  /** Time since its last packet, milliseconds. */
  readonly idleMs: number;
  /** Source address and port that the member sees, where they differ from the client's. */
  readonly translatedSource?: string;
}

/** Traffic of one member of one pool, since the member was first programmed. */
export interface MemberCounters {
  readonly poolUid: string;
  /** IPv4. */
  readonly ip: string;
  /** 1-65535. */
  readonly port: number;
  /** Flows that exist now: half-open and established. */
  readonly activeConnections: number;
  /** Flows so far. */
  readonly totalConnections: number;
  /** Client to member. */
  readonly packetsIn: number;
  /** Bytes on the wire. */
  readonly bytesIn: number;
  /** Member to client. */
  readonly packetsOut: number;
  /** Bytes on the wire. */
  readonly bytesOut: number;
}

/** Everything that the kernel counts. Numbers are since load unless said otherwise. */
export interface DriverCounters {
  readonly members: readonly MemberCounters[];
  /** Dropped or refused packets by named reason. */
  readonly drops: Readonly<Record<string, number>>;
  /** Entries in the flow table now. */
  readonly flowEntryCount: number;
  /** Entries that fit. */
  readonly flowEntryCapacityCount: number;
  /** Half-open flows now. */
  readonly halfOpenCount: number;
}
