import type { JsonSchema } from "../../model/index.ts";

/** A string. */
export function text(description: string, more: JsonSchema = {}): JsonSchema {
  return { type: "string", description, ...more };
}

/** A whole number. */
export function count(description: string): JsonSchema {
  return { type: "integer", minimum: 0, description };
}

/** A number from 0 to 1. */
export function share(description: string): JsonSchema {
  return { type: "number", minimum: 0, maximum: 1, description };
}

/** true or false. */
export function flag(description: string): JsonSchema {
  return { type: "boolean", description };
}

/** One of some words. */
export function oneOf(values: readonly string[], description: string): JsonSchema {
  return { type: "string", enum: values, description };
}

/** A list. */
export function list(items: JsonSchema, description: string): JsonSchema {
  return { type: "array", items, description };
}

/** An object with fields; of those whose names end in `?` each may be absent. */
export function fields(properties: Readonly<Record<string, JsonSchema>>, description = ""): JsonSchema {
  const entries = Object.entries(properties);
  const required = entries.map(([name]) => name).filter((name) => !name.endsWith("?"));
  return {
    type: "object",
    ...(description === "" ? {} : { description }),
    properties: Object.fromEntries(entries.map(([name, schema]) => [name.replace(/\?$/, ""), schema])),
    ...(required.length === 0 ? {} : { required }),
  };
}

/** Any object. */
export function anything(description: string): JsonSchema {
  return { type: "object", description, additionalProperties: true };
}

/** A schema of the document, by its name. */
export function named(name: string): JsonSchema {
  return { $ref: `#/components/schemas/${name}` };
}
