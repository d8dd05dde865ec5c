import type { Operation } from "../operation/operation.ts";

/** One operation in a list; its object before and after are in the Operation itself. */
export interface OperationRow {
  /** Name of the Operation. */
  readonly name: string;
  readonly operator: string;
  /** RFC 3339. */
  readonly time: string;
  readonly verb: Operation["spec"]["verb"];
  readonly kind: string;
  /** Empty for kinds that belong to the whole cluster. */
  readonly namespace: string;
  readonly object: string;
  /** `ip:port` where one member is meant. */
  readonly member?: string;
  readonly reason?: string;
}

/** A part of the operations that a search found, newest first. */
export interface OperationPage {
  /** All that are kept, a count. */
  readonly totalCount: number;
  /** Those that match the search, a count. */
  readonly matchCount: number;
  /** Place of the first row among those that match, a count from 0. */
  readonly offsetCount: number;
  readonly rows: readonly OperationRow[];
}
