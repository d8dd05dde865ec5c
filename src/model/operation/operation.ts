import type { KubeObject } from "../object.ts";

/** One recorded change: who, when, what, before, after. Read-only. */
export interface Operation extends KubeObject {
  readonly apiVersion: "parasaus.io/v1";
  readonly kind: "Operation";
  readonly spec: {
    readonly operator: string;
    /** RFC 3339 with milliseconds. */
    readonly time: string;
    readonly verb: "create" | "update" | "patch" | "delete" | "drain" | "rollback";
    readonly object: {
      readonly apiVersion: string;
      readonly kind: string;
      readonly namespace?: string;
      readonly name: string;
      readonly uid: string;
    };
    /** `ip:port` where one member is meant. */
    readonly member?: string;
    /** Why, in the operator's words. */
    readonly reason?: string;
    /** The object's spec and user metadata before; absent for create. */
    readonly before?: unknown;
    /** The same after; absent for delete. */
    readonly after?: unknown;
    /** `resourceVersion` that the change made. */
    readonly revision: string;
  };
}
