import { isObject, ownField } from "./json-value.ts";

/** What comes after recurses once for each key. */
const KEY_LIMIT = 100;

/** Splits a JSON pointer into its keys; undefined when it is none (RFC 6901), or too long. */
export function parsePointer(pointer: unknown): string[] | undefined {
  if (typeof pointer !== "string") return undefined;
  if (pointer === "") return [];
  if (!pointer.startsWith("/") || /~(?![01])/.test(pointer)) return undefined;
  const keys = pointer.slice(1).split("/");
  if (keys.length > KEY_LIMIT) return undefined;
  return keys.map((key) => key.replaceAll("~1", "/").replaceAll("~0", "~"));
}

/** Index into a list, or undefined when the key is none. Leading zeros are not allowed. */
function listIndex(key: string): number | undefined {
  return /^(?:0|[1-9]\d{0,8})$/.test(key) ? Number(key) : undefined;
}

/** What a pointer leads to; undefined when there is nothing. JSON has no undefined of its own. */
export function readAt(root: unknown, keys: readonly string[]): unknown {
  return keys.reduce<unknown>((value, key) => {
    if (Array.isArray(value)) return value[listIndex(key) ?? -1] as unknown;
    return isObject(value) ? ownField(value, key) : undefined;
  }, root);
}

/** How a value is written: into a free place or over what is there (`add`), or only over what is there. */
export type WriteMode = "add" | "replace" | "remove";

/**
 * A copy of the value with one place changed; everything else is shared with the original.
 * Undefined when the pointer leads nowhere.
 */
export function writeAt(root: unknown, keys: readonly string[], mode: WriteMode, value?: unknown): unknown {
  const [key, ...rest] = keys;
  if (key === undefined) return value;
  if (Array.isArray(root)) return writeIntoList(root, key, rest, mode, value);
  if (!isObject(root)) return undefined;
  return writeIntoObject(root, key, rest, mode, value);
}

function writeIntoList(
  list: readonly unknown[],
  key: string,
  rest: readonly string[],
  mode: WriteMode,
  value: unknown,
): unknown {
  const adds = mode === "add" && rest.length === 0;
  const index = adds && key === "-" ? list.length : listIndex(key);
  if (index === undefined || index > list.length || (index === list.length && !adds)) return undefined;
  if (adds) return list.toSpliced(index, 0, value);
  if (mode === "remove" && rest.length === 0) return list.toSpliced(index, 1);
  const inner = writeAt(list[index], rest, mode, value);
  return inner === undefined ? undefined : list.with(index, inner);
}

function writeIntoObject(
  object: Readonly<Record<string, unknown>>,
  key: string,
  rest: readonly string[],
  mode: WriteMode,
  value: unknown,
): unknown {
  const present = Object.hasOwn(object, key);
  if (!present && (mode !== "add" || rest.length > 0)) return undefined;
  if (mode === "remove" && rest.length === 0) {
    return Object.fromEntries(Object.entries(object).filter(([other]) => other !== key));
  }
  const inner = writeAt(present ? object[key] : undefined, rest, mode, value);
  if (inner === undefined) return undefined;
  // Not a spread with a computed key: that would set the prototype for the key `__proto__`.
  return Object.fromEntries(new Map(Object.entries(object)).set(key, inner));
}
