import type { FieldError } from "../../foundation/index.ts";
import type { MemberDisposition } from "../node/forwarding.ts";

/** What would become of an object. */
export type PlannedOutcome = "created" | "changed" | "deleted" | "unchanged" | "refused";

/** One field before and after; absent: it is not there. */
export interface FieldChange {
  /** `spec.drainSeconds`, `spec.members[10.0.0.1:80].weight`. */
  readonly field: string;
  readonly before?: unknown;
  readonly after?: unknown;
}

/** What becomes of open flows, a count each. */
export interface FlowFates {
  /** The change does nothing to them. */
  readonly keptCount: number;
  /** They may go on until a deadline that begins with the change. */
  readonly drainedCount: number;
  /** They are reset at once. */
  readonly cutCount: number;
}

/** One member in one state. */
export interface PlannedMemberState {
  /** 0-256. */
  readonly weight: number;
  readonly disposition: MemberDisposition;
  /** Of new flows, 0-1. */
  readonly share: number;
}

/** What a change does to one member. */
export interface PlannedMember extends FlowFates {
  /** `ip:port`. */
  readonly member: string;
  /** Absent: it is new. */
  readonly before?: PlannedMemberState;
  /** Right after the change; absent: it is gone. */
  readonly after?: PlannedMemberState;
  /** How long flows that are drained may go on at most, seconds. */
  readonly drainSeconds?: number;
  /** Of new flows, 0-1, once each member that was never probed has passed; absent: as right after the change. */
  readonly shareOnceProbed?: number;
}

/** What a change of a pool does to live traffic. */
export interface PlannedTraffic extends FlowFates {
  /** Where clients connect to; absent: nowhere, or as before. */
  readonly address?: { readonly before?: string; readonly after?: string };
  readonly members: readonly PlannedMember[];
  /** Nodes that did not say which flows they have: theirs are in no count. */
  readonly unknownNodes: readonly string[];
}

/** What would become of one object. */
export interface PlannedObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly namespace?: string;
  readonly name: string;
  readonly outcome: PlannedOutcome;
  /** Which of the documents says so, from 0; absent: it comes from another object. */
  readonly documentIndex?: number;
  /** Name of the Service that it comes from, where no document names it. */
  readonly service?: string;
  readonly changes: readonly FieldChange[];
  /** Why it is refused, as the write would be. */
  readonly refusal?: {
    readonly code: string;
    readonly message: string;
    readonly fields: readonly FieldError[];
  };
  readonly warnings: readonly string[];
  /** Of a pool that would be created, changed or deleted. */
  readonly traffic?: PlannedTraffic;
}

/** What would happen if some documents were written. */
export interface Plan extends FlowFates {
  readonly objects: readonly PlannedObject[];
  /** Nodes whose flows are in no count, because they did not answer. */
  readonly unknownNodes: readonly string[];
}
