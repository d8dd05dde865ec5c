import type { KubeObject } from "../object.ts";

/** `v1` Event: something that happened to an object, as kubectl shows it below the object. Worked out when it is read. */
export interface KubeEvent extends KubeObject {
  readonly apiVersion: "v1";
  readonly kind: "Event";
  /** The object that it happened to. */
  readonly involvedObject: {
    readonly apiVersion: string;
    readonly kind: string;
    readonly namespace?: string;
    readonly name: string;
    readonly uid?: string;
    /** `spec.members{10.0.0.1:80}` where one member is meant. */
    readonly fieldPath?: string;
  };
  readonly type: "Normal" | "Warning";
  /** CamelCase, for programs. */
  readonly reason: string;
  /** One sentence, for people. */
  readonly message: string;
  readonly source: { readonly component: string };
  readonly reportingComponent: string;
  /** RFC 3339, seconds. */
  readonly firstTimestamp: string;
  /** RFC 3339, seconds; the same as `firstTimestamp`. */
  readonly lastTimestamp: string;
  /** How often it happened: only the last time is known. */
  readonly count: 1;
}
