import { type FieldError, ParasausError } from "../../foundation/index.ts";
import type { ResourceDefinition } from "../definition.ts";
import { apiVersionOf } from "../definitions.ts";
import type { KubeObject } from "../object.ts";
import { invalid } from "./field-errors.ts";
import { metadataErrors } from "./metadata.ts";
import { checkStructure, type UnknownField } from "./structure.ts";

/** What happens to fields that the schema does not know: refused, dropped with a warning, dropped. */
export type FieldValidation = "Strict" | "Warn" | "Ignore";

/** What became of an input. */
export interface ValidationResult {
  /** With defaults, without unknown fields; absent when the structure itself is wrong. */
  readonly object?: KubeObject;
  readonly errors: readonly FieldError[];
  /** Sentences for the client. */
  readonly warnings: readonly string[];
  /** Paths of fields that the schema does not know. */
  readonly unknownFields: readonly string[];
  /** What to throw when the object must not be stored: `Invalid`, or `BadRequest` for unknown fields under Strict. */
  readonly refusal?: ParasausError;
}

/**
 * The one way in for an object: structure against the schema, then defaults, then what the kind asks for.
 * Never throws, whatever the input. Pure.
 *
 * @param previous The stored object, on update.
 */
export function validateObject(
  definition: ResourceDefinition,
  input: unknown,
  mode: FieldValidation,
  previous?: KubeObject,
): ValidationResult {
  const structure = checkStructure(definition.schema, input);
  const name = nameOf(structure.value);
  const unknownFields = structure.unknownFields.map(({ path }) => path);
  const unknownErrors = structure.unknownFields.map(unknownFieldError);
  const unknownWarnings = mode === "Warn" ? unknownErrors.map(({ message }) => message) : [];
  const identity = identityErrors(definition, structure.value);
  if (structure.errors.length > 0 || identity.length > 0) {
    const unknown = mode === "Strict" ? unknownErrors : [];
    const errors = [...structure.errors, ...identity, ...unknown];
    const refusal = invalidObject(definition, name, errors);
    return { errors, warnings: unknownWarnings, unknownFields, refusal };
  }
  const object = definition.applyDefaults(normalise(definition, structure.value as KubeObject));
  const errors = [...metadataErrors(definition, object, previous), ...definition.validate(object, previous)];
  const warnings = [...unknownWarnings, ...(definition.warn?.(object) ?? [])];
  const refusal = refusalFor(definition, name, mode === "Strict" ? unknownErrors : [], errors);
  return { object, errors, warnings, unknownFields, ...(refusal ? { refusal } : {}) };
}

function refusalFor(
  definition: ResourceDefinition,
  name: string,
  unknownErrors: readonly FieldError[],
  errors: readonly FieldError[],
): ParasausError | undefined {
  if (unknownErrors.length > 0) return unknownFieldsRefusal(definition, name, unknownErrors);
  return errors.length > 0 ? invalidObject(definition, name, errors) : undefined;
}

/** The words of Kubernetes' API server, which kubectl and scripts know. */
function unknownFieldsRefusal(
  { group, kind }: ResourceDefinition,
  name: string,
  fields: readonly FieldError[],
): ParasausError {
  const sentences = fields.map(({ message }) => message);
  return new ParasausError("BadRequest", `strict decoding error: ${sentences.join(", ")}`, {
    fields,
    object: { group, kind, name },
  });
}

function unknownFieldError({ path, suggestion }: UnknownField): FieldError {
  const hint = suggestion ? ` (did you mean "${suggestion}"?)` : "";
  return { field: path, reason: "FieldValueForbidden", message: `unknown field "${path}"${hint}` };
}

/** The refusal of an object for its wrong fields, in the words of Kubernetes' API server. */
export function invalidObject(
  { group, kind }: ResourceDefinition,
  name: string,
  fields: readonly FieldError[],
): ParasausError {
  const sentences = fields.map(({ field, message }) => (field ? `${field}: ${message}` : message));
  const list = sentences.length === 1 ? sentences[0] : `[${sentences.join(", ")}]`;
  const title = group === "" ? kind : `${kind}.${group}`;
  return new ParasausError("Invalid", `${title} "${name}" is invalid: ${list}`, {
    fields,
    object: { group, kind, name },
  });
}

/** apiVersion and kind may be left out, since the caller knows them, but must not say otherwise. */
function identityErrors(definition: ResourceDefinition, value: unknown): FieldError[] {
  const { apiVersion, kind } = (value ?? {}) as Partial<KubeObject>;
  const expected = apiVersionOf(definition);
  return [
    ...(apiVersion === undefined || apiVersion === expected
      ? []
      : [invalid("apiVersion", apiVersion, `must be ${expected}`)]),
    ...(kind === undefined || kind === definition.kind
      ? []
      : [invalid("kind", kind, `must be ${definition.kind}`)]),
  ];
}

/**
 * Puts in what goes without saying and drops what is accepted but not kept. No annotations are none, as in Kubernetes:
 * `kubectl diff` patches `annotations: {}` into an object that has none, and must find no difference.
 */
function normalise(definition: ResourceDefinition, object: KubeObject): KubeObject {
  const { managedFields, selfLink, annotations, ...metadata } = (object.metadata ??
    {}) as KubeObject["metadata"] & {
    managedFields?: unknown;
    selfLink?: unknown;
  };
  const isAnnotated = annotations !== undefined && Object.keys(annotations).length > 0;
  return {
    ...object,
    apiVersion: apiVersionOf(definition),
    kind: definition.kind,
    metadata: { ...metadata, ...(isAnnotated ? { annotations } : {}) },
  };
}

function nameOf(value: unknown): string {
  const { metadata } = (value ?? {}) as Partial<KubeObject>;
  return typeof metadata?.name === "string" ? metadata.name : "";
}
