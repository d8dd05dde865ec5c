import { ParasausError } from "../../foundation/index.ts";
import type { JsonSchema } from "../../model/index.ts";
import { type Identity, isSameElement, orderElements } from "./element-order.ts";
import { equalJson, isObject, type JsonObject, ownField } from "./json-value.ts";

const ORDER = "$setElementOrder/";
const DELETE_SCALARS = "$deleteFromPrimitiveList/";
const RETAIN = "$retainKeys";
const DIRECTIVE = "$patch";
/** Elements are looked for one by one. */
const LIST_LIMIT = 2048;

/**
 * Applies a strategic merge patch: a merge patch that merges lists too, where the schema says by which key.
 *
 * @throws ParasausError `BadRequest` for directives and lists that do not fit the schema
 * @see https://github.com/kubernetes/community/blob/main/contributors/devel/sig-api-machinery/strategic-merge-patch.md
 */
export function applyStrategicMergePatch(target: unknown, patch: unknown, schema: JsonSchema): unknown {
  if (!isObject(patch)) throw refusal("", "it must be an object");
  return mergeObject(isObject(target) ? target : {}, patch, schema, "");
}

function mergeObject(
  original: JsonObject,
  patch: JsonObject,
  schema: JsonSchema | undefined,
  path: string,
): JsonObject {
  const directive = ownField(patch, DIRECTIVE);
  if (directive === "replace") return withoutDirectives(patch) as JsonObject;
  if (directive === "delete") return {};
  if (directive !== undefined && directive !== "merge") {
    throw refusal(path, `"${DIRECTIVE}" must be replace, merge or delete, not ${JSON.stringify(directive)}`);
  }
  const result = new Map(retained(original, patch, path));
  for (const key of namedFields(patch)) {
    const after = mergeField(result.get(key), patch, key, fieldSchema(schema, key), `${path}.${key}`);
    if (after === undefined) result.delete(key);
    else result.set(key, after);
  }
  return Object.fromEntries(result);
}

/** Fields that the patch says something about, be it through a directive alone. */
function namedFields(patch: JsonObject): Set<string> {
  const names = Object.keys(patch).flatMap((key) => {
    if (key.startsWith(ORDER)) return [key.slice(ORDER.length)];
    if (key.startsWith(DELETE_SCALARS)) return [key.slice(DELETE_SCALARS.length)];
    return key === RETAIN || key === DIRECTIVE ? [] : [key];
  });
  return new Set(names);
}

/** With `$retainKeys`, only the named fields survive: how one of several alternatives replaces another. */
function retained(original: JsonObject, patch: JsonObject, path: string): [string, unknown][] {
  const keys = ownField(patch, RETAIN);
  if (keys === undefined) return Object.entries(original);
  if (!Array.isArray(keys)) throw refusal(path, `"${RETAIN}" must be a list of keys`);
  const stray = [...namedFields(patch)].find((key) => patch[key] !== null && !keys.includes(key));
  if (stray !== undefined)
    throw refusal(path, `"${RETAIN}" does not name ${JSON.stringify(stray)}, which the patch sets`);
  return Object.entries(original).filter(([key]) => keys.includes(key));
}

/** The field after the patch; undefined when it is gone. */
function mergeField(
  original: unknown,
  patch: JsonObject,
  key: string,
  schema: JsonSchema | undefined,
  path: string,
): unknown {
  const value = ownField(patch, key);
  const order = ownField(patch, ORDER + key);
  const deletions = ownField(patch, DELETE_SCALARS + key);
  if (value === null) return undefined;
  if (order === undefined && deletions === undefined) return mergeValue(original, value, schema, path);
  if (original === undefined && value === undefined) return undefined;
  const identity = schema?.["x-kubernetes-patch-merge-key"] as Identity;
  if (Array.isArray(order) && Array.isArray(value)) checkOrder(value, order, identity, path);
  const kept = deletions === undefined ? original : withoutScalars(original, deletions, path);
  const merged = value === undefined ? kept : mergeValue(kept, value, schema, path);
  return order === undefined ? merged : reordered(original, merged, order, identity, path);
}

/** What a patch adds must stand in its own order; anything else was not made by kubectl apply. */
function checkOrder(
  patch: readonly unknown[],
  order: readonly unknown[],
  identity: Identity,
  path: string,
): void {
  const added = patch.filter((element) => !isObject(element) || ownField(element, DIRECTIVE) === undefined);
  const rest = order.reduce<readonly unknown[]>(
    (waiting, place) => (isSameElement(waiting[0], place, identity) ? waiting.slice(1) : waiting),
    added,
  );
  if (order.length > 0 && rest.length > 0)
    throw refusal(path, "the elements do not stand in the order given");
}

function mergeValue(
  original: unknown,
  value: unknown,
  schema: JsonSchema | undefined,
  path: string,
): unknown {
  const strategies = String(schema?.["x-kubernetes-patch-strategy"] ?? "").split(",");
  if (isObject(value) && isObject(original) && !strategies.includes("replace")) {
    return mergeObject(original, value, schema, path);
  }
  if (Array.isArray(value) && Array.isArray(original) && strategies.includes("merge")) {
    return mergeList(original, value, schema ?? {}, path);
  }
  if (Array.isArray(value) && !Array.isArray(original) && strategies.includes("merge")) {
    return mergeList([], value, schema ?? {}, path);
  }
  return withoutDirectives(value);
}

function mergeList(
  original: readonly unknown[],
  patch: readonly unknown[],
  schema: JsonSchema,
  path: string,
): unknown[] {
  if (original.length + patch.length > LIST_LIMIT)
    throw refusal(path, `more than ${LIST_LIMIT} elements to merge`);
  const identity = schema["x-kubernetes-patch-merge-key"] as Identity;
  const merged =
    identity === undefined
      ? mergeScalars(original, patch)
      : mergeObjects(original, patch, identity, schema["items"] as JsonSchema | undefined, path);
  return orderElements(merged, patch, original, identity);
}

function mergeScalars(original: readonly unknown[], patch: readonly unknown[]): unknown[] {
  const all = [...original, ...patch];
  return all.filter((element, index) => all.findIndex((other) => equalJson(other, element)) === index);
}

function mergeObjects(
  original: readonly unknown[],
  patch: readonly unknown[],
  identity: string,
  schema: JsonSchema | undefined,
  path: string,
): readonly unknown[] {
  const elements = patch.map((element) => checkedElement(element, identity, path));
  const plain = elements.filter((element) => ownField(element, DIRECTIVE) === undefined);
  if (elements.some((element) => ownField(element, DIRECTIVE) === "replace"))
    return plain.map(withoutDirectives);
  const deleted = elements.filter((element) => ownField(element, DIRECTIVE) === "delete");
  const kept = original.filter((element) => !deleted.some((gone) => isSameElement(element, gone, identity)));
  return plain.reduce<readonly unknown[]>((list, element) => {
    const index = list.findIndex((other) => isSameElement(other, element, identity));
    const before = list[index];
    if (index < 0 || !isObject(before)) return list.concat([withoutDirectives(element)]);
    return list.with(index, mergeObject(before, element, schema, `${path}[${index}]`));
  }, kept);
}

function checkedElement(element: unknown, identity: string, path: string): JsonObject {
  if (!isObject(element)) throw refusal(path, "its elements must be objects");
  const directive = ownField(element, DIRECTIVE);
  if (directive === "replace") return element;
  if (directive !== undefined && directive !== "delete") {
    throw refusal(
      path,
      `"${DIRECTIVE}" of an element must be replace or delete, not ${JSON.stringify(directive)}`,
    );
  }
  if (ownField(element, identity) === undefined)
    throw refusal(path, `an element lacks its key ${JSON.stringify(identity)}`);
  return element;
}

function withoutScalars(original: unknown, deletions: unknown, path: string): unknown {
  if (!Array.isArray(deletions)) throw refusal(path, "what to delete must be a list");
  if (!Array.isArray(original)) return original;
  if (deletions.length > LIST_LIMIT) throw refusal(path, `more than ${LIST_LIMIT} elements to delete`);
  return original.filter((element) => !deletions.some((gone) => equalJson(gone, element)));
}

function reordered(
  original: unknown,
  merged: unknown,
  order: unknown,
  identity: Identity,
  path: string,
): unknown {
  if (!Array.isArray(order)) throw refusal(path, "the order of elements must be a list");
  if (order.length > LIST_LIMIT) throw refusal(path, `more than ${LIST_LIMIT} elements to order`);
  if (!Array.isArray(merged)) return merged;
  return orderElements(merged, order, Array.isArray(original) ? original : [], identity);
}

/** What is new has nothing to merge with: directives and nulls in it mean nothing. */
function withoutDirectives(value: unknown): unknown {
  if (Array.isArray(value)) {
    return value
      .filter((element) => !isObject(element) || ownField(element, DIRECTIVE) === undefined)
      .map(withoutDirectives);
  }
  if (!isObject(value)) return value;
  if (ownField(value, DIRECTIVE) === "delete") return undefined;
  const entries = Object.entries(value).filter(
    ([key, field]) =>
      field !== null &&
      key !== DIRECTIVE &&
      key !== RETAIN &&
      !key.startsWith(ORDER) &&
      !key.startsWith(DELETE_SCALARS),
  );
  const plain = entries.map(([key, field]) => [key, withoutDirectives(field)] as const);
  return Object.fromEntries(plain.filter(([, field]) => field !== undefined));
}

function fieldSchema(schema: JsonSchema | undefined, key: string): JsonSchema | undefined {
  const properties = schema?.["properties"] as Readonly<Record<string, JsonSchema>> | undefined;
  return properties && Object.hasOwn(properties, key) ? properties[key] : undefined;
}

function refusal(path: string, why: string): ParasausError {
  const where = path === "" ? "" : `${path.slice(1)}: `;
  return new ParasausError("BadRequest", `Cannot apply strategic merge patch: ${where}${why}`);
}
