import type { MemberDisposition } from "../node/forwarding.ts";
import type { ConnectProbe } from "../node/node-request.ts";
import type {
  ConnectAddress,
  LastOperation,
  MemberAdminState,
  Pool,
  Protocol,
  Verdict,
} from "../pool/pool.ts";
import type { OperationRow } from "./operation-views.ts";

/**
 * How a pool is as a whole: every member that should serve does (`up`), some do (`degraded`), none does (`down`), nothing
 * is known yet (`unchecked`), or there is no member that should (`empty`).
 */
export const POOL_STATES = ["up", "degraded", "down", "unchecked", "empty"] as const;

/** See {@link POOL_STATES}. */
export type PoolState = (typeof POOL_STATES)[number];

/** What a list of pools can be sorted by. */
export const POOL_SORT_KEYS = [
  "name",
  "address",
  "port",
  "protocol",
  "scheduler",
  "state",
  "operator",
  "time",
] as const;

/** See {@link POOL_SORT_KEYS}. */
export type PoolSortKey = (typeof POOL_SORT_KEYS)[number];

/** One pool in a list. */
export interface PoolRow {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  /** Empty: none was handed out yet. */
  readonly addresses: readonly Pick<ConnectAddress, "ip" | "port">[];
  readonly protocol: Protocol;
  readonly scheduler: string;
  readonly state: PoolState;
  /** Members that are up, a count. */
  readonly upCount: number;
  /** Members that are down, a count. */
  readonly downCount: number;
  /** All members, a count. */
  readonly memberCount: number;
  /** Whether health is ignored because too few members are up. */
  readonly isFailingOpen: boolean;
  /** The Service that the pool belongs to; absent: it stands for itself. */
  readonly service?: string;
  /** Connections now, a count; absent while no node has said. */
  readonly connectionCount?: number;
  readonly last?: LastOperation;
}

/** A part of the pools that a search found. */
export interface PoolPage {
  /** All pools, a count. */
  readonly totalCount: number;
  /** Those that match the search, a count. */
  readonly matchCount: number;
  /** Of those that match, how many are in each state: counts. */
  readonly states: Readonly<Record<PoolState, number>>;
  /** Place of the first row among those that match, a count from 0. */
  readonly offsetCount: number;
  readonly rows: readonly PoolRow[];
}

/** One member of a pool, with all that is known of it. */
export interface MemberRow {
  readonly ip: string;
  /** 1-65535. */
  readonly port: number;
  /** As it is set, 0-256. */
  readonly weight: number;
  /** The share of new flows that it should get now, 0-1. */
  readonly share: number;
  readonly state: MemberAdminState;
  readonly disposition: MemberDisposition;
  readonly verdict: Verdict;
  /** Reason code and what was seen. */
  readonly reason: string;
  /** RFC 3339: when the verdict last changed; empty before the first. */
  readonly since: string;
  /** When its flows will be cut, RFC 3339; absent unless it drains and the time is known. */
  readonly drainUntil?: string;
  /** Absent before the first probe, or where another server probes it. */
  readonly probes?: MemberProbes;
  /** Absent while no node has said. */
  readonly traffic?: MemberTraffic;
  readonly last?: LastOperation;
}

/** What the probes of a member saw since the server started. */
export interface MemberProbes {
  /** Probes that passed, a count. */
  readonly successCount: number;
  /** Probes that failed, a count. */
  readonly failureCount: number;
  /** Of the last hundred, those that passed: a count. */
  readonly recentSuccessCount: number;
  /** How many of the last hundred there were, a count. */
  readonly recentCount: number;
  readonly lastCode: string;
  readonly lastSnippet: string;
  /** How long the last probe took, milliseconds. */
  readonly lastDurationMs: number;
  /** RFC 3339. */
  readonly lastTime: string;
}

/** Traffic of a member, over all nodes. */
export interface MemberTraffic {
  /** Connections now, a count. */
  readonly activeCount: number;
  /** Connections so far, a count. */
  readonly totalCount: number;
  /** Client to member, bytes. */
  readonly bytesIn: number;
  /** Member to client, bytes. */
  readonly bytesOut: number;
}

/** One pool, with all that is known of it. */
export interface PoolDetail {
  /** As it is stored, with the condition `Programmed` and the probes joined. */
  readonly pool: Pool;
  readonly state: PoolState;
  readonly isFailingOpen: boolean;
  /** The Service that the pool belongs to; absent: it stands for itself. */
  readonly service?: string;
  readonly members: readonly MemberRow[];
  readonly last?: LastOperation;
  /** The newest, newest first. */
  readonly operations: readonly OperationRow[];
  /** Nodes whose traffic is counted. */
  readonly nodes: readonly string[];
  /** Nodes that did not answer. */
  readonly silentNodes: readonly string[];
  /** RFC 3339: when all this was put together. */
  readonly time: string;
}

/** What came of probing a member out of turn. */
export interface ProbeAnswer {
  /** Of the pool's health check; absent: it has none, or another server probes this pool. */
  readonly check?: {
    readonly code: string;
    readonly snippet: string;
    /** How long it took, milliseconds. */
    readonly durationMs: number;
  };
  /** Whether each node reaches the member over TCP. */
  readonly nodes: readonly ({ readonly node: string } & ConnectProbe)[];
  /** Nodes that did not answer. */
  readonly silentNodes: readonly string[];
}
