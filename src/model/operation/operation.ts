import type { KubeObject } from "../object.ts";

/** What was done; the last three change no object. */
export const OPERATION_VERBS = [
  "create",
  "update",
  "patch",
  "delete",
  "drain",
  "rollback",
  "login",
  "logout",
  "refuse",
] as const;

/** One of {@link OPERATION_VERBS}. */
export type OperationVerb = (typeof OPERATION_VERBS)[number];

/** One recorded change: who, when, what, before, after. Read-only. */
export interface Operation extends KubeObject {
  readonly apiVersion: "parasaus.io/v1";
  readonly kind: "Operation";
  readonly spec: {
    readonly operator: string;
    /** RFC 3339 with milliseconds. */
    readonly time: string;
    readonly verb: OperationVerb;
    readonly object: {
      readonly apiVersion: string;
      readonly kind: string;
      readonly namespace?: string;
      readonly name: string;
      /** Empty where the object was not looked at, as in a refusal. */
      readonly uid: string;
    };
    /** `ip:port` where one member is meant. */
    readonly member?: string;
    /** Why, in the operator's words. */
    readonly reason?: string;
    /** IP address that the request came from. */
    readonly source?: string;
    /** What the operator was known by: `session`, or `token <name>`. */
    readonly credential?: string;
    /** What was refused and why, where it was. */
    readonly message?: string;
    /** Other objects that were changed together with it. */
    readonly also?: readonly {
      readonly object: Operation["spec"]["object"];
      readonly before?: unknown;
      readonly after?: unknown;
    }[];
    /** The object's spec and user metadata before; absent for create. */
    readonly before?: unknown;
    /** The same after; absent for delete. */
    readonly after?: unknown;
    /** `resourceVersion` that the change made. */
    readonly revision: string;
  };
}
