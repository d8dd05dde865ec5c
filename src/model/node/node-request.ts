import type { DriverCounters, FlowExplanation, FlowTuple } from "./forwarding.ts";

/** What a server may ask an agent over the agent's request stream. */
export type NodeRequest =
  /** Traffic of these pools (uids), and everything that is counted per node; without `pools`: of all pools. */
  | { readonly kind: "counters"; readonly pools?: readonly string[] }
  /** The kernel's own entry of a flow. */
  | { readonly kind: "explain"; readonly flow: FlowTuple }
  /** Flows of one pool (uid), at most `limitCount` of them. */
  | { readonly kind: "flows"; readonly pool: string; readonly limitCount: number }
  /** Whether this node reaches a member over TCP. */
  | { readonly kind: "probe"; readonly ip: string; readonly port: number }
  /** How the agent itself is doing. */
  | { readonly kind: "status" };

/** Names of the requests. */
export type NodeRequestKind = NodeRequest["kind"];

/** What the answer to each request holds. */
export interface NodeAnswers {
  readonly counters: DriverCounters;
  /** null when the kernel holds no such flow. */
  readonly explain: FlowExplanation | null;
  readonly flows: readonly FlowExplanation[];
  readonly probe: ConnectProbe;
  readonly status: AgentStatus;
}

/** An agent's answer: what was asked for, or why there is none. */
export type NodeAnswer<Kind extends NodeRequestKind = NodeRequestKind> =
  | { readonly kind: "answered"; readonly value: NodeAnswers[Kind] }
  | { readonly kind: "failed"; readonly message: string };

/** What came of one TCP connection attempt from a node to a member. */
export interface ConnectProbe {
  readonly isConnected: boolean;
  /** `connected`, or why not: `ECONNREFUSED`, `timeout`. */
  readonly reason: string;
  /** How long it took, milliseconds. */
  readonly latencyMs: number;
}

/** Times in buckets, as Prometheus has them: each bucket counts what took at most its bound. */
export interface TimeHistogram {
  /** Upper bounds, ascending, milliseconds. */
  readonly boundsMs: readonly number[];
  /** One more than bounds, not cumulative: the last is for everything longer. */
  readonly counts: readonly number[];
  readonly sumMs: number;
}

/** How an agent is doing: what its Node says, and what changes too often to be stored. */
export interface AgentStatus {
  readonly nodeName: string;
  readonly driver: string;
  readonly version: string;
  /** Where the running state came from; `none` = nothing is wanted yet and nothing was touched. */
  readonly source: "none" | "snapshot" | "server";
  /** Epoch of the revision that the kernel holds: how often the store was restored, counted from 1. */
  readonly epoch?: number;
  /** Resource revision that the kernel holds; absent before the first. */
  readonly appliedRevision?: string;
  readonly tableHash: string;
  /** Resource revision that the hash is of, in that epoch: as a rule the applied one. */
  readonly tableRevision?: string;
  readonly poolCount: number;
  /** Time since the server was last heard of over the watch, milliseconds; absent before the first time. */
  readonly watchAgeMs?: number;
  /** Entries in the flow table at the last sweep; absent before the first. */
  readonly flowEntryCount?: number;
  /** How busy the machine's processors were lately, 0-100; absent at first. */
  readonly cpuPercent?: number;
  /** Answers of servers that were refused: older than what the node had, or another store's. */
  readonly refusedAnswerCount: number;
  /** Pools that are forwarded although the server no longer has them, until somebody confirms that they may go. */
  readonly heldPoolCount: number;
  /** From a change's arrival until the kernel holds it. */
  readonly changeToKernel: TimeHistogram;
  /** Of one reconcile. */
  readonly reconcile: TimeHistogram;
  /** Pools that were found different from what was programmed, and repaired. */
  readonly driftCount: number;
  /** Pools that the driver refuses now. */
  readonly refusedPoolCount: number;
  /** Pools whose object could not be understood; their last good state stays. */
  readonly unreadablePoolCount: number;
  /** Operations that were applied. */
  readonly operationCount: number;
  /** Flows that maintenance cut. */
  readonly cutFlowCount: number;
  /** Idle flows that maintenance expired. */
  readonly expiredFlowCount: number;
  /** Sum of the load that the recounts found wrong, and repaired. */
  readonly loadDriftCount: number;
  /** When the snapshot file was last written, RFC 3339; absent when never. */
  readonly snapshotTime?: string;
}
