import type { Condition, KubeObject } from "../object.ts";

/** Nodes that there can be; each has a number from 1 on, a count. */
export const NODE_NUMBER_COUNT = 254;

/** Pools that a node goes on forwarding although the server no longer has them, and nobody was seen to delete them. */
export interface HeldShrink {
  /** Names exactly these pools; `spec.confirmedShrink` lets them go. */
  readonly id: string;
  /** Pools that are held. */
  readonly poolCount: number;
  /** Pools that the node forwarded when it began. */
  readonly ofPoolCount: number;
  /** RFC 3339. */
  readonly since: string;
}

/** A machine that forwards; written by its agent. */
export interface Node extends KubeObject {
  readonly apiVersion: "parasaus.io/v1";
  readonly kind: "Node";
  readonly spec: {
    /** Id of a held shrink that may be carried out. */
    readonly confirmedShrink?: string;
  };
  readonly status?: {
    /** 1-254, its own among all nodes; the server hands it out. */
    readonly number?: number;
    /** IPv4 addresses that node-ports pools listen on. */
    readonly addresses?: readonly string[];
    readonly driver?: string;
    readonly version?: string;
    readonly kernel?: { readonly release: string; readonly features: Readonly<Record<string, boolean>> };
    /** Epoch of that revision: how often the store was restored, counted from 1. */
    readonly epoch?: number;
    /** Resource revision that the kernel holds. */
    readonly appliedRevision?: string;
    /** Hash over the content that the kernel holds; equal on nodes at one revision. */
    readonly tableHash?: string;
    /** Pools that the kernel holds. */
    readonly poolCount?: number;
    /** Pools that the server lacks and the node goes on forwarding until somebody confirms; absent when there are none. */
    readonly heldShrink?: HeldShrink;
    /** Revisions of pools that the node is behind; not stored, joined when it is read. */
    readonly lagRevisions?: number;
    /** Entries in the flow table; not stored. */
    readonly flowEntryCount?: number;
    /** How busy the machine's processors were lately, 0-100; not stored. */
    readonly cpuPercent?: number;
    /** Which server the agent is connected to. */
    readonly server?: string;
    /** RFC 3339: last heartbeat. */
    readonly heartbeat?: string;
    readonly conditions?: readonly Condition[];
  };
}
