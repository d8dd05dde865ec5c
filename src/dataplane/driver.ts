import type { IpFamily } from "../foundation/index.ts";
import type {
  ConnectAddress,
  DriverCounters,
  FlowExplanation,
  FlowTuple,
  ForwardingMode,
  MemberDisposition,
  Protocol,
  SchedulerName,
} from "../model/index.ts";
import type { DesiredMember } from "../scheduling/index.ts";

export type { MemberCounters } from "../model/index.ts";
export type { DesiredMember, DriverCounters, FlowExplanation, FlowTuple, MemberDisposition };

/** What becomes of a pool's flows, whoever its members are. */
export interface FlowPolicy {
  readonly scheduler: SchedulerName;
  readonly forwarding: ForwardingMode;
  /** With `tunnel`: UDP port of the members that takes packets in GUE, 1-65535; absent = in IPIP. */
  readonly guePort?: number;
  /** 0 = no session affinity. */
  readonly affinitySeconds: number;
  /** Clients that agree in so many leading bits of their address, from 1 on, have one affinity; absent = in all. */
  readonly affinityPrefixLength?: number;
  /** Each datagram is scheduled by itself; absent = a flow keeps its member. */
  readonly isOnePacket?: true;
}

/** One pool as the agent wants it. */
export interface DesiredPool extends FlowPolicy {
  /** The Pool object's uid, a UUID. */
  readonly uid: string;
  readonly addresses: readonly ConnectAddress[];
  /** Deadline for flows when the pool or one of its addresses goes, seconds. */
  readonly drainSeconds: number;
  readonly members: readonly DesiredMember[];
}

/** One member as the kernel holds it. */
export interface ProgrammedMember {
  /** IPv4, dotted quad, or IPv6 in canonical text. */
  readonly ip: string;
  /** 1-65535. */
  readonly port: number;
  /** 0-256. */
  readonly weight: number;
  readonly disposition: MemberDisposition;
  /** When draining ends, milliseconds of CLOCK_MONOTONIC; only while `draining`. */
  readonly deadlineMs?: number;
}

/** One connect address as the kernel holds it. A closing one answers new SYNs with RST until its deadline. */
export interface ProgrammedAddress extends ConnectAddress {
  /** When its remaining flows are cut, milliseconds of CLOCK_MONOTONIC; absent while it serves. */
  readonly closingDeadlineMs?: number;
}

/** One pool as the kernel holds it; members and addresses sorted by ip, then port, then protocol. */
export interface ProgrammedPool extends FlowPolicy {
  /** The Pool object's uid, a UUID. */
  readonly uid: string;
  readonly addresses: readonly ProgrammedAddress[];
  readonly members: readonly ProgrammedMember[];
}

/**
 * One step that brings the kernel nearer to what is wanted; atomic per pool for new flows. Flows of a member that is
 * no longer listed, and flows at an address that no pool has any more, are cut by the next `maintain`. An address that
 * another pool took over in the meantime leaves the flows of the first one to their members' deadlines.
 */
export type PoolOperation =
  | { readonly kind: "install"; readonly pool: ProgrammedPool }
  | { readonly kind: "remove"; readonly uid: string };

/** What became of one operation; a refusal concerns its pool alone. */
export interface OperationFailure {
  readonly uid: string;
  readonly code: "CapacityExceeded" | "KernelError" | "KernelUnsupported";
  readonly message: string;
}

/** What one maintenance round did. */
export interface MaintenanceReport {
  readonly expiredCount: number;
  /** Flows reset because a drain deadline passed or a member was cut. */
  readonly cutCount: number;
  /** Sum over members of |counted load - true load| found, and repaired, by the recount; absent when none was due. */
  readonly loadDriftCount?: number;
  /** Entries in the flow table; absent when they were not counted this time. */
  readonly flowEntryCount?: number;
}

/** What a driver can do; the contract suite asks. */
export interface DriverCapabilities {
  readonly forwarding: readonly ForwardingMode[];
  readonly schedulers: readonly SchedulerName[];
  readonly protocols: readonly Protocol[];
  /** Of connect addresses and members. */
  readonly families: readonly IpFamily[];
  /** Session affinity may go by a prefix of the client's address. */
  readonly affinityByPrefix: boolean;
  /** Datagrams may be scheduled one by one. */
  readonly onePacket: boolean;
  /** A connect address may be a range of ports. */
  readonly portRanges: boolean;
  /** Sends real packets (false for `memory`). */
  readonly forwards: boolean;
  /** New flows find a member also while a pool's scheduler is changed. */
  readonly changesSchedulerWithoutGap: boolean;
  /** Refused connections are counted by reason. */
  readonly countsRefusals: boolean;
  /** Flows that session affinity brought to their member are told from those that were scheduled. */
  readonly tellsAffinity: boolean;
  /** How far the counters of a member may lag behind its traffic, milliseconds. */
  readonly counterDelayMs: number;
}

/**
 * Programs one node's kernel. Knows nothing of resources: the agent translates. Every method may be called while
 * others are under way: maintenance and questions, which may take long, do not hold changes up.
 */
export interface Driver extends AsyncDisposable {
  readonly name: "ebpf" | "ipvs" | "memory";
  readonly capabilities: DriverCapabilities;
  /** The clock that deadlines are in: CLOCK_MONOTONIC, milliseconds (`memory`: its own clock's). */
  nowMs(): number;
  /** What the kernel holds, read from the kernel, sorted by uid. */
  observe(): Promise<readonly ProgrammedPool[]>;
  /** Applies in order. A failed operation is reported, the others go on. */
  apply(operations: readonly PoolOperation[]): Promise<readonly OperationFailure[]>;
  /**
   * What the kernel counts.
   *
   * @param poolUids `members` are those of these pools alone, at a cost that does not grow with the other pools; the
   *   number of flows may then be an earlier one. Absent: of all.
   */
  readCounters(poolUids?: readonly string[]): Promise<DriverCounters>;
  /** @returns undefined when the kernel holds no such flow. */
  explain(flow: FlowTuple): Promise<FlowExplanation | undefined>;
  /** Flows of one pool, at most `limitCount`. */
  listFlows(poolUid: string, limitCount: number): Promise<readonly FlowExplanation[]>;
  /** Expires idle flows, cuts flows past their deadline, recounts loads when due. Called about once a second. */
  maintain(): Promise<MaintenanceReport>;
  /** IPv4 addresses that `*` stands for; writes only what changed. */
  setNodeAddresses(addresses: readonly string[]): Promise<void>;
  /**
   * Services that the kernel had, when it was read last, and that Parasaus did not make and does not touch, in words.
   * Absent where nobody else programs the same tables.
   */
  foreignServices?(): readonly string[];
  /** No other driver of this node has flows any more. Absent where a driver leaves nothing to another one. */
  standAlone?(): void;
}

/** The driver that forwarded on this node before another one was chosen: its flows go on with it until they end. */
export interface Predecessor extends AsyncDisposable {
  /** Open, and as before but for what is new. */
  readonly driver: Driver;
  /** Leaves what is new to the successor, which holds all that is wanted. It stays so after a restart. */
  handOver(): void;
  /** Takes it out of the kernel, with the flows that it still has, and closes it. */
  remove(): Promise<void>;
}
