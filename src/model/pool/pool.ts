import type { Condition, KubeObject } from "../object.ts";
import type { HealthCheck } from "./health-check.ts";
import type { ForwardingMode, SchedulerName } from "./policy.ts";

/** Transport protocol of a connect address. */
export type Protocol = "TCP" | "UDP" | "SCTP";
/** What an operator wants of a member: serve, take no new flows, or be left alone. */
export type MemberAdminState = "ready" | "drain" | "maint";
/** The health state machine's word on a member. */
export type Verdict = "unchecked" | "up" | "down";

/** One real server of a pool, as the operator describes it; {@link completeMember} knows what is left out. */
export interface PoolMember {
  /** IPv4 address, dotted quad, or IPv6 address in canonical text. */
  readonly ip: string;
  /** 1-65535. */
  readonly port: number;
  /** 0-256; 0 takes no new flows. Default 1. */
  readonly weight?: number;
  /** Default ready. */
  readonly state?: MemberAdminState;
  /** How long flows may go on once `state` is drain, seconds. Default: the pool's `drainSeconds`. */
  readonly drainSeconds?: number;
}

/** What an operator wants; all defaults filled in, but for those of the members. */
export interface PoolSpec {
  /** Address pool to take the connect address from. Default `node-ports`. */
  readonly addressPool: string;
  /** Asked-for connect address; not with `node-ports`. */
  readonly ip?: string;
  /** Asked-for connect port, 1-65535. */
  readonly port?: number;
  /** Last of the ports from `port` on that the pool listens on, up to 65535. Default: `port` alone. */
  readonly lastPort?: number;
  readonly protocol: Protocol;
  readonly scheduler: SchedulerName;
  readonly forwarding: ForwardingMode;
  /** With `tunnel`: UDP port of the members that takes packets in GUE, 1-65535. Default: in IPIP. */
  readonly guePort?: number;
  readonly sessionAffinity: {
    readonly type: "None" | "ClientIP";
    readonly timeoutSeconds: number;
    /** Clients that agree in so many leading bits of their address have one affinity, 1-32 or 1-128. Default: all of them. */
    readonly prefixLength?: number;
  };
  /** Each datagram of a UDP pool picks a member by itself. Default: a flow keeps its member. */
  readonly onePacketScheduling?: boolean;
  /** How long flows of a leaving member may go on, seconds. Default 30. */
  readonly drainSeconds: number;
  /** Flows of a member that goes down: kept, or cut at once. Default keep. */
  readonly onMemberDown: "keep" | "cut";
  /** Ignore health when at most this share of members is up, percent 0-100. Default 0: only when none is up. */
  readonly failOpen: { readonly threshold: number };
  readonly healthCheck: HealthCheck;
  readonly members: readonly PoolMember[];
}

/** Where clients connect to. */
export interface ConnectAddress {
  /** IP address, or `*` for every IPv4 address of every node. */
  readonly ip: string;
  /** 1-65535. */
  readonly port: number;
  /** Last of the ports from `port` on, up to 65535; absent: `port` alone. */
  readonly lastPort?: number;
  readonly protocol: Protocol;
  /** Address pool that it was taken from. */
  readonly addressPool?: string;
}

/** Who did something last, and when; through a pool's Service and Endpoints, too. */
export interface LastOperation {
  readonly operator: string;
  /** RFC 3339. */
  readonly time: string;
  readonly verb: string;
}

/** circle-healthcheck's word on one member. */
export interface MemberStatus {
  readonly ip: string;
  /** 1-65535. */
  readonly port: number;
  readonly verdict: Verdict;
  /** Reason code and what was seen: `L4CON connection refused`. */
  readonly reason: string;
  /** RFC 3339: when the verdict last changed. */
  readonly since: string;
  /** Joined by the API when one pool is read, never stored. */
  readonly lastOperation?: LastOperation;
  /** What the probes saw; joined by the API when one pool is read, never stored. */
  readonly probes?: {
    /** Probes that passed since the control plane started, a count. */
    readonly successes: number;
    /** Probes that failed, a count. */
    readonly failures: number;
    /** Code and what was seen. */
    readonly last: string;
    /** RFC 3339. */
    readonly lastTime: string;
  };
}

/** What controllers found out. */
export interface PoolStatus {
  /** Written by the allocator. */
  readonly connectAddresses?: readonly ConnectAddress[];
  /** Written by circle-healthcheck. */
  readonly members?: readonly MemberStatus[];
  /** Joined by the API when one pool is read, never stored. */
  readonly lastOperation?: LastOperation;
  readonly conditions?: readonly Condition[];
}

/** A named L4 service: connect address, members and policy. */
export interface Pool extends KubeObject {
  readonly apiVersion: "parasaus.io/v1";
  readonly kind: "Pool";
  readonly spec: PoolSpec;
  readonly status?: PoolStatus;
}
