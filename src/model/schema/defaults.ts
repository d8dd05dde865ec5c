import type { JsonSchema } from "../definition.ts";

/**
 * Fills in what the schema gives as `default`, from the outside in, so that the default `{}` of a structure is
 * filled in turn. Returns the same value where nothing was absent. Never changes its argument.
 *
 * The items of a list are filled only where patches join them by a key. Every other list is compared and replaced as a
 * whole: a default in it would make each `kubectl apply` of an unchanged file a change.
 */
export function fillDefaults(schema: JsonSchema, value: unknown): unknown {
  if (Array.isArray(value)) return isJoinedByKey(schema) ? fillItems(schema["items"], value) : value;
  const properties = schema["properties"] as Readonly<Record<string, JsonSchema>> | undefined;
  if (!properties || typeof value !== "object" || value === null) return value;
  const present = value as Readonly<Record<string, unknown>>;
  // Loops and one late copy: this runs for every member of every write.
  let filled: Record<string, unknown> | undefined;
  for (const key in properties) {
    const property = properties[key] as JsonSchema;
    const before = Object.hasOwn(present, key) ? present[key] : undefined;
    const after = fillDefaults(property, before ?? property["default"]);
    if (after === before) continue;
    filled ??= { ...present };
    filled[key] = after;
  }
  return filled ?? value;
}

function isJoinedByKey(schema: JsonSchema): boolean {
  return schema["x-kubernetes-patch-merge-key"] !== undefined;
}

function fillItems(items: unknown, values: readonly unknown[]): unknown {
  const filled = values.map((value) => fillDefaults(items as JsonSchema, value));
  return filled.some((value, index) => value !== values[index]) ? filled : values;
}
