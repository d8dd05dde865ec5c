import { ParasausError } from "../../foundation/index.ts";

/** A JSON object, never touched in place. */
export type JsonObject = Readonly<Record<string, unknown>>;

const DEPTH_LIMIT = 100;
const NODE_LIMIT = 250_000;

/** Whether a value is a JSON object, not a list and not null. */
export function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The own field of an object: `constructor` and its like are absent unless somebody wrote them. */
export function ownField(object: JsonObject, key: string): unknown {
  return Object.hasOwn(object, key) ? object[key] : undefined;
}

/**
 * Counts the values in a JSON value without recursion, so that what recurses afterwards cannot overflow the stack.
 *
 * @throws ParasausError `BadRequest` when it is nested too deeply; `TooLarge` when it has too many values
 */
export function countNodes(root: unknown): number {
  let count = 0;
  const open: { readonly value: unknown; readonly depth: number }[] = [{ value: root, depth: 0 }];
  for (let next = open.pop(); next; next = open.pop()) {
    const { value, depth } = next;
    count += 1;
    if (depth > DEPTH_LIMIT) {
      throw new ParasausError("BadRequest", `Cannot patch: nested more than ${DEPTH_LIMIT} levels deep`);
    }
    if (count > NODE_LIMIT) {
      throw new ParasausError("TooLarge", `Cannot patch: more than ${NODE_LIMIT} values`);
    }
    if (typeof value !== "object" || value === null) continue;
    for (const child of Object.values(value)) open.push({ value: child, depth: depth + 1 });
  }
  return count;
}

/** Whether two JSON values are the same, whatever the order of their keys. */
export function equalJson(left: unknown, right: unknown): boolean {
  if (Array.isArray(left) || Array.isArray(right)) return equalLists(left, right);
  if (!isObject(left) || !isObject(right)) return left === right;
  const keys = Object.keys(left);
  return (
    keys.length === Object.keys(right).length &&
    keys.every((key) => Object.hasOwn(right, key) && equalJson(left[key], right[key]))
  );
}

function equalLists(left: unknown, right: unknown): boolean {
  return (
    Array.isArray(left) &&
    Array.isArray(right) &&
    left.length === right.length &&
    left.every((item, index) => equalJson(item, right[index]))
  );
}
