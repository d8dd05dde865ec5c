import type { FieldError } from "../../foundation/index.ts";
import type { JsonSchema } from "../definition.ts";
import { forbidden, invalid, missing, tooMany } from "./field-errors.ts";
import { scalarErrors } from "./formats.ts";
import { suggestName } from "./suggestion.ts";

/** What walking an input along a schema gave. */
export interface StructureReport {
  /** A copy with the known fields alone; nulls are gone, as in Kubernetes. */
  readonly value: unknown;
  readonly errors: readonly FieldError[];
  /** Fields that the schema does not know. */
  readonly unknownFields: readonly UnknownField[];
}

/** A field that the schema does not know, and the one that was probably meant. */
export interface UnknownField {
  readonly path: string;
  readonly suggestion?: string;
}

const ERROR_LIMIT = 100;
const DEPTH_LIMIT = 48;
const NODE_LIMIT = 250_000;
/** Harmless to us, and a trap for every program that copies the object key by key. */
const TRAPS: ReadonlySet<string> = new Set(["__proto__", "constructor", "prototype"]);

interface Walk {
  readonly errors: FieldError[];
  readonly unknownFields: UnknownField[];
  nodeCount: number;
}

/**
 * Checks an input against the schema of its kind and copies what the schema knows.
 * Never throws, whatever the input; work and lists are bounded.
 */
export function checkStructure(schema: JsonSchema, input: unknown): StructureReport {
  const walk: Walk = { errors: [], unknownFields: [], nodeCount: 0 };
  const value = checkValue(walk, schema, input, "", 0);
  return { value, errors: walk.errors, unknownFields: walk.unknownFields };
}

function report(walk: Walk, ...errors: readonly FieldError[]): undefined {
  walk.errors.push(...errors.slice(0, ERROR_LIMIT - walk.errors.length));
}

function checkValue(walk: Walk, schema: JsonSchema, value: unknown, path: string, depth: number): unknown {
  walk.nodeCount += 1;
  if (depth > DEPTH_LIMIT)
    return report(walk, forbidden(path, `nested more than ${DEPTH_LIMIT} levels deep`));
  if (walk.nodeCount > NODE_LIMIT) return tooBig(walk, path);
  if (schema["type"] === "array") return checkList(walk, schema, value, path, depth);
  if (schema["type"] === "object") return checkObject(walk, schema, value, path, depth);
  const errors = scalarErrors(schema, value, path);
  if (errors.length > 0) report(walk, ...errors);
  return value;
}

/** Said once: from here on every further value would say the same. */
function tooBig(walk: Walk, path: string): undefined {
  if (walk.nodeCount === NODE_LIMIT + 1)
    report(walk, forbidden(path, `more than ${NODE_LIMIT} values in all`));
}

function checkList(walk: Walk, schema: JsonSchema, value: unknown, path: string, depth: number): unknown {
  if (!Array.isArray(value)) return report(walk, invalid(path, value, "must be a list"));
  const { minItems = 0, maxItems = Infinity } = schema as { minItems?: number; maxItems?: number };
  if (value.length > maxItems) return report(walk, tooMany(path, value.length, maxItems));
  if (value.length < minItems) return report(walk, missing(path, `must have at least ${minItems} items`));
  const items = schema["items"] as JsonSchema;
  return value.map((item, index) => checkValue(walk, items, item, `${path}[${index}]`, depth + 1));
}

function checkObject(walk: Walk, schema: JsonSchema, value: unknown, path: string, depth: number): unknown {
  if (!isObject(value)) return report(walk, invalid(path, value, "must be an object"));
  if (schema["x-kubernetes-preserve-unknown-fields"]) return copyFreely(walk, value, path, depth);
  const values = schema["additionalProperties"] as JsonSchema | undefined;
  if (values) {
    const entries = Object.entries(value).filter(
      ([key, field]) => field !== null && field !== undefined && isHarmless(walk, key, path),
    );
    return Object.fromEntries(
      entries.map(([key, field]) => [key, checkValue(walk, values, field, `${path}[${key}]`, depth + 1)]),
    );
  }
  reportMissing(walk, schema, value, path);
  return copyKnown(walk, schema, value, path, depth);
}

function copyKnown(walk: Walk, schema: JsonSchema, value: object, path: string, depth: number): unknown {
  const properties = (schema["properties"] ?? {}) as Readonly<Record<string, JsonSchema>>;
  const fields = value as Readonly<Record<string, unknown>>;
  const copy: Record<string, unknown> = {};
  for (const key of Object.keys(fields)) {
    const field = fields[key] ?? undefined;
    if (field === undefined) continue;
    const at = path === "" ? key : `${path}.${key}`;
    const property = Object.hasOwn(properties, key) ? properties[key] : undefined;
    // Only names of the schema are set, so that no `__proto__` is.
    if (property) copy[key] = checkValue(walk, property, field, at, depth + 1);
    else reportUnknown(walk, at, key, properties);
  }
  return copy;
}

function reportUnknown(walk: Walk, path: string, key: string, properties: object): void {
  if (walk.unknownFields.length >= ERROR_LIMIT) return;
  const suggestion = suggestName(key, Object.keys(properties));
  walk.unknownFields.push({ path, ...(suggestion ? { suggestion } : {}) });
}

function reportMissing(walk: Walk, schema: JsonSchema, value: object, path: string): void {
  for (const key of (schema["required"] ?? []) as readonly string[]) {
    const field: unknown = Object.hasOwn(value, key) ? Reflect.get(value, key) : undefined;
    if (field === null || field === undefined) report(walk, missing(path === "" ? key : `${path}.${key}`));
  }
}

function copyFreely(walk: Walk, value: unknown, path: string, depth: number): unknown {
  walk.nodeCount += 1;
  if (depth > DEPTH_LIMIT)
    return report(walk, forbidden(path, `nested more than ${DEPTH_LIMIT} levels deep`));
  if (walk.nodeCount > NODE_LIMIT) return tooBig(walk, path);
  if (Array.isArray(value)) return value.map((item) => copyFreely(walk, item, path, depth + 1));
  if (!isObject(value)) return value;
  const entries = Object.entries(value).filter(([key]) => isHarmless(walk, key, path));
  return Object.fromEntries(entries.map(([key, field]) => [key, copyFreely(walk, field, path, depth + 1)]));
}

function isHarmless(walk: Walk, key: string, path: string): boolean {
  if (!TRAPS.has(key)) return true;
  report(walk, forbidden(`${path}[${key}]`, `${JSON.stringify(key)} is not allowed as a key`));
  return false;
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
