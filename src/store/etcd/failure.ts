import { type ServiceError, status } from "@grpc/grpc-js";
import { type ErrorCode, ParasausError } from "../../foundation/index.ts";
import { explainConnection } from "./connection-problem.ts";

/**
 * What a failed request means.
 *
 * - `refused`: etcd decided; every member would say the same.
 * - `not-done`: certainly nothing happened; another member may do it.
 * - `unknown`: it may have happened, or may still happen.
 */
export type Failure =
  | { readonly kind: "refused"; readonly error: ParasausError }
  | { readonly kind: "not-done" | "unknown"; readonly reason: string; readonly cause: unknown };

/** What etcd refuses, by its words; api/v3rpc/rpctypes/error.go in etcd-io/etcd. */
const REFUSALS: readonly (readonly [words: string, code: ErrorCode, explanation: string])[] = [
  [
    "required revision has been compacted",
    "Expired",
    "that revision is forgotten (too old resource version)",
  ],
  ["required revision is a future revision", "BadRequest", "that revision is still to come"],
  ["requested lease not found", "NotFound", "its lease has ended"],
  ["lease already exists", "AlreadyExists", "there is such a lease already"],
  ["database space exceeded", "StorageFull", "etcd's space quota is used up"],
  ["request is too large", "TooLarge", "it is larger than etcd takes at once"],
  ["too many operations in txn request", "TooLarge", "it has more parts than etcd takes at once"],
  ["corrupt cluster", "StoreCorrupt", "etcd says that its members differ"],
];

/** What etcd answers before it proposes anything: nothing has happened then. */
const NOT_PROPOSED = ["no leader", "too many requests", "not capable", "not supported for learner"];

/** Reads a gRPC failure. `action` completes "Cannot …". */
export function readFailure(action: string, cause: unknown): Failure {
  const { code, details } = statusOf(cause);
  const refusal = REFUSALS.find(([words]) => details.includes(words));
  if (refusal) return refuse(refusal[1], `Cannot ${action}: ${refusal[2]}`, cause);
  if (code === status.INVALID_ARGUMENT || code === status.OUT_OF_RANGE)
    return refuse("BadRequest", `Cannot ${action}: etcd answered "${details}"`, cause);
  const isNotProposed =
    details.startsWith("etcdserver: ") && NOT_PROPOSED.some((words) => details.includes(words));
  return { kind: isNotProposed ? "not-done" : "unknown", reason: explainConnection(details), cause };
}

/** Why a member does not answer, in words for operators. */
export function reasonOf(cause: unknown): string {
  return explainConnection(statusOf(cause).details);
}

function refuse(code: ErrorCode, message: string, cause: unknown): Failure {
  return { kind: "refused", error: new ParasausError(code, message, { cause }) };
}

function statusOf(cause: unknown): { readonly code: status | undefined; readonly details: string } {
  const { code, details, message } = cause as Partial<ServiceError>;
  return { code, details: details || message || String(cause) };
}
