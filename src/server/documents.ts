import { type FieldError, ParasausError } from "../foundation/index.ts";
import { definitionFor, type KubeObject } from "../model/index.ts";
import type { ObjectReference } from "../resources/index.ts";
import type { AppliedFile } from "../resources/patch/index.ts";

const NAME_MISSING: FieldError = {
  field: "metadata.name",
  reason: "FieldValueRequired",
  message: "Required value",
};

/** One object as a file has it, and which one it is. */
export interface AppliedDocument {
  readonly reference: ObjectReference;
  readonly file: AppliedFile;
}

/**
 * Finds out which object a document is.
 *
 * @param action For messages: `apply`.
 * @param namespace For a document that names none.
 * @throws ParasausError `BadRequest`
 */
export function readDocument(document: unknown, action: string, namespace = "default"): AppliedDocument {
  const { apiVersion, kind, metadata } = (document ?? {}) as Partial<KubeObject>;
  const name: unknown = typeof metadata === "object" ? metadata?.name : undefined;
  if (typeof name !== "string" || ![apiVersion, kind, name].every(isText)) {
    const message = `Cannot ${action}: apiVersion, kind and metadata.name are needed`;
    throw new ParasausError("BadRequest", message, { fields: isText(name) ? [] : [NAME_MISSING] });
  }
  const definition = definitionFor(apiVersion, kind);
  if (!definition)
    throw new ParasausError("BadRequest", `Cannot ${action}: no kind "${kind}" in ${apiVersion}`);
  const place = definition.namespaced ? { namespace: metadata?.namespace ?? namespace } : {};
  return { reference: { definition, name, ...place }, file: document as AppliedFile };
}

function isText(value: unknown): boolean {
  return typeof value === "string" && value !== "";
}
