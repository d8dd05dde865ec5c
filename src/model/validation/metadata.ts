import type { FieldError } from "../../foundation/index.ts";
import type { ResourceDefinition } from "../definition.ts";
import type { KubeObject, ObjectMeta } from "../object.ts";
import { forbidden, invalid, missing, tooLong } from "./field-errors.ts";
import { labelValueComplaint, nameComplaint, qualifiedNameComplaint } from "./names.ts";

const ANNOTATIONS_LIMIT_BYTES = 256 * 1024;
const IMMUTABLE = ["name", "namespace", "uid"] as const;

/** What Kubernetes asks of the metadata of any object. */
export function metadataErrors(
  definition: ResourceDefinition,
  { metadata }: KubeObject,
  previous?: KubeObject,
): FieldError[] {
  return [
    ...nameErrors(definition, metadata),
    ...namespaceErrors(definition, metadata),
    ...keyErrors("metadata.labels", metadata.labels),
    ...Object.entries(metadata.labels ?? {}).flatMap(([key, value]) =>
      complain(`metadata.labels[${key}]`, value, labelValueComplaint(value)),
    ),
    ...annotationErrors("metadata.annotations", metadata.annotations),
    ...(metadata.finalizers ?? []).flatMap((finalizer, index) =>
      complain(`metadata.finalizers[${index}]`, finalizer, qualifiedNameComplaint(finalizer)),
    ),
    ...(previous ? changeErrors(metadata, previous.metadata) : []),
  ];
}

function nameErrors(definition: ResourceDefinition, { name, generateName }: ObjectMeta): FieldError[] {
  const format = definition.nameFormat ?? "subdomain";
  if (name) return complain("metadata.name", name, nameComplaint(name, format));
  if (!generateName) return [missing("metadata.name", "name or generateName is required")];
  return complain("metadata.generateName", generateName, nameComplaint(`${generateName}0`, format));
}

function namespaceErrors(definition: ResourceDefinition, { namespace }: ObjectMeta): FieldError[] {
  if (!namespace) return [];
  if (!definition.namespaced) {
    return [forbidden("metadata.namespace", `a ${definition.kind} belongs to no namespace`)];
  }
  return complain("metadata.namespace", namespace, nameComplaint(namespace, "label"));
}

/** Keys and total size of a map of annotations, wherever it stands. */
export function annotationErrors(
  field: string,
  annotations: Readonly<Record<string, string>> = {},
): FieldError[] {
  const bytes = Object.entries(annotations).reduce(
    (sum, [key, value]) => sum + Buffer.byteLength(key) + Buffer.byteLength(value),
    0,
  );
  const size = bytes > ANNOTATIONS_LIMIT_BYTES ? [tooLong(field, ANNOTATIONS_LIMIT_BYTES, "bytes")] : [];
  return [...keyErrors(field, annotations), ...size];
}

function keyErrors(field: string, map: Readonly<Record<string, string>> = {}): FieldError[] {
  return Object.keys(map).flatMap((key) => complain(field, key, qualifiedNameComplaint(key)));
}

function changeErrors(metadata: ObjectMeta, previous: ObjectMeta): FieldError[] {
  return IMMUTABLE.filter((field) => metadata[field] && metadata[field] !== previous[field]).map((field) =>
    invalid(`metadata.${field}`, metadata[field], "field is immutable"),
  );
}

/** The error for a complaint about a value, if there is one. */
function complain(field: string, value: unknown, complaint: string | undefined): FieldError[] {
  return complaint === undefined ? [] : [invalid(field, value, complaint)];
}
