import type { Condition } from "../object.ts";
import type { MemberAdminState, Verdict } from "../pool/pool.ts";
import type { PoolState } from "./pool-views.ts";

/** A member that is not as it should be. */
export interface AilingMember {
  readonly ip: string;
  /** 1-65535. */
  readonly port: number;
  readonly verdict: Verdict;
  /** Reason code and what was seen. */
  readonly reason: string;
  /** RFC 3339; empty before the first verdict. */
  readonly since: string;
  /** Whether an operator wants it to take flows. */
  readonly state: MemberAdminState;
}

/** A member that is down, and where. */
export interface DownMember extends AilingMember {
  readonly namespace: string;
  readonly pool: string;
  readonly poolState: PoolState;
}

/** A pool that ignores health, because too few of its members are up. */
export interface FailingOpenPool {
  readonly namespace: string;
  readonly name: string;
  /** Members that are up, a count. */
  readonly upCount: number;
  /** All members, a count. */
  readonly memberCount: number;
}

/** What is down, of what who asks may see. */
export interface HealthReport {
  /** Members by verdict, counts. */
  readonly members: Readonly<Record<Verdict, number>>;
  /** Of those that the search finds: how many are down with which reason code, the most first. */
  readonly reasons: readonly {
    readonly code: string;
    /** Members, a count. */
    readonly count: number;
  }[];
  /** Members that are down and that the search finds, a count. */
  readonly matchCount: number;
  /** Place of the first row among those, a count from 0. */
  readonly offsetCount: number;
  /** What went down last first. */
  readonly rows: readonly DownMember[];
  /** The first of them. */
  readonly failingOpen: readonly FailingOpenPool[];
  /** All of them, a count. */
  readonly failingOpenCount: number;
  /** Nodes that are not ready; absent for who may not see nodes. */
  readonly nodes?: readonly NodeRow[];
}

/** A pool that needs attention. */
export interface AilingPool {
  readonly namespace: string;
  readonly name: string;
  readonly state: PoolState;
  readonly isFailingOpen: boolean;
  /** The first of them. */
  readonly members: readonly AilingMember[];
  /** All of them, a count. */
  readonly memberCount: number;
}

/** All nodes together. */
export interface FleetFigures {
  /** Nodes, a count. */
  readonly nodeCount: number;
  /** Nodes that are heard of and hold what they should, a count. */
  readonly readyNodeCount: number;
  /** Entries in all nodes' flow tables, a count. */
  readonly flowCount: number;
}

/** How everything is that who asks may see. */
export interface Overview {
  /** Pools in each state, counts. */
  readonly pools: Readonly<Record<PoolState, number>>;
  /** Members by verdict, counts. */
  readonly members: Readonly<Record<Verdict, number>>;
  /** Absent for who may not see nodes. */
  readonly nodes?: FleetFigures;
  /** The worst first. */
  readonly ailing: readonly AilingPool[];
  /** All pools that need attention, a count. */
  readonly ailingCount: number;
}

/** One node. */
export interface NodeRow {
  readonly name: string;
  /** 1-254; absent before the server handed one out. */
  readonly number?: number;
  readonly addresses: readonly string[];
  readonly driver: string;
  readonly version: string;
  readonly server: string;
  /** RFC 3339; empty: never heard of. */
  readonly heartbeat: string;
  readonly isReady: boolean;
  readonly appliedRevision: string;
  /** Revisions of pools that it is behind, a count. */
  readonly lagCount: number;
  /** Pools that its kernel holds. */
  readonly poolCount: number;
  /** Entries in its flow table, a count. */
  readonly flowCount: number;
  /** Entries that fit, a count; absent: it did not answer. */
  readonly flowCapacityCount?: number;
  /** How busy its processors are, 0-100; absent: it did not say. */
  readonly cpuPercent?: number;
  /** Dropped and refused packets by reason, counts; absent: it did not answer. */
  readonly drops?: Readonly<Record<string, number>>;
  /** What is wrong. */
  readonly problems: readonly Condition[];
}

/** All nodes, by name. */
export interface NodeList {
  readonly nodes: readonly NodeRow[];
}
