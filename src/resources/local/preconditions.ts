import { ParasausError } from "../../foundation/index.ts";
import type { KubeObject, ResourceDefinition } from "../../model/index.ts";
import type { ObjectReference } from "../resources.ts";
import { conflict, MODIFIED } from "./keys.ts";

/** @throws ParasausError `MethodNotAllowed` for a kind that only the server writes */
export function refuseReadOnly(definition: ResourceDefinition): void {
  if (definition.writable) return;
  throw new ParasausError("MethodNotAllowed", `Cannot write a ${definition.kind}: it is read-only`);
}

/** Whether the client names the object itself, rather than have a name generated. */
export function hasName(input: unknown): boolean {
  return Boolean((input as Partial<KubeObject> | null)?.metadata?.name);
}

/** Whether an object that is being deleted waits for nothing any more. */
export function isReleased({ metadata }: KubeObject): boolean {
  return metadata.deletionTimestamp !== undefined && (metadata.finalizers ?? []).length === 0;
}

/**
 * A write that names a version or a uid is meant for that one alone.
 *
 * @throws ParasausError `Conflict`, `BadRequest`
 */
export function refuseOtherVersion(reference: ObjectReference, input: unknown, current: KubeObject): void {
  const { metadata } = (input ?? {}) as Partial<KubeObject>;
  refuseOther(reference, metadata, current);
  for (const field of ["name", "namespace"] as const) {
    const given = metadata?.[field];
    if (!given || given === current.metadata[field]) continue;
    const message = `the ${field} of the object (${given}) does not match the ${field} on the URL (${current.metadata[field]})`;
    throw new ParasausError("BadRequest", message);
  }
}

/** @throws ParasausError `Conflict` when another uid or version is wanted */
export function refuseOther(
  reference: ObjectReference,
  wanted: { readonly uid?: string; readonly resourceVersion?: string } | undefined,
  { metadata }: KubeObject,
): void {
  if (wanted?.uid && wanted.uid !== metadata.uid) {
    const why = `Precondition failed: UID in precondition: ${wanted.uid}, UID in object meta: ${metadata.uid}`;
    throw conflict(reference, why);
  }
  if (wanted?.resourceVersion && wanted.resourceVersion !== metadata.resourceVersion)
    throw conflict(reference, MODIFIED);
}
