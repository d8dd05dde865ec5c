import { isObject, type JsonObject, ownField } from "./json-value.ts";

/**
 * Applies a JSON merge patch: null deletes, objects merge, everything else replaces.
 *
 * @see RFC 7386
 */
export function applyMergePatch(target: unknown, patch: unknown): unknown {
  if (!isObject(patch)) return patch;
  const before: JsonObject = isObject(target) ? target : {};
  const after = new Map(Object.entries(before));
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) after.delete(key);
    else after.set(key, applyMergePatch(ownField(before, key), value));
  }
  return Object.fromEntries(after);
}
