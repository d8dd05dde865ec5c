import { isDeepStrictEqual } from "node:util";
import { formatHostPort } from "../../foundation/index.ts";
import { type FieldChange, KEPT_ANNOTATIONS, type KubeObject } from "../../model/index.ts";
import { maskedText, ownPart } from "../../resources/local/index.ts";

type Json = Readonly<Record<string, unknown>>;

/**
 * What differs between two states of an object in what a person writes, field by field; in lists of objects by `ip:port`, `ip`
 * or `name`, else by place, and other lists as a whole. Secrets are masked.
 */
export function fieldChanges(
  before: KubeObject | undefined,
  after: KubeObject | undefined,
): readonly FieldChange[] {
  return compare("", "", before && withoutKept(ownPart(before)), after && withoutKept(ownPart(after)));
}

function withoutKept(own: Json): Json {
  const { metadata, ...rest } = own;
  if (!isObject(metadata)) return own;
  const { ownerReferences: _, finalizers: __, annotations, ...kept } = metadata;
  const shown = Object.entries(isObject(annotations) ? annotations : {}).filter(
    ([key]) => !KEPT_ANNOTATIONS.includes(key),
  );
  const own2 = shown.length === 0 ? kept : { ...kept, annotations: Object.fromEntries(shown) };
  return { ...rest, metadata: own2 };
}

function compare(field: string, key: string, before: unknown, after: unknown): readonly FieldChange[] {
  if (isDeepStrictEqual(before, after)) return [];
  const [old, next] = [childrenOf(before), childrenOf(after)];
  const isEmptyList = (old?.size ?? 0) + (next?.size ?? 0) === 0 && [before, after].some(Array.isArray);
  const isLeaf =
    (!old && before !== undefined) || (!next && after !== undefined) || (!old && !next) || isEmptyList;
  if (isLeaf) return [change(field, key, before, after)];
  const keys = new Set([...(old?.keys() ?? []), ...(next?.keys() ?? [])]);
  return [...keys].flatMap((each) =>
    compare(pathTo(field, each), each.replace(/^\[.*\]$/, ""), old?.get(each), next?.get(each)),
  );
}

/** What is inside, by the name that a path has for it; undefined: it is one value. */
function childrenOf(value: unknown): ReadonlyMap<string, unknown> | undefined {
  if (isObject(value)) return new Map(Object.entries(value));
  if (!Array.isArray(value) || !value.every(isObject)) return undefined;
  const names = value.map((item, index) => nameOf(item) ?? String(index));
  if (new Set(names).size < names.length) return undefined;
  return new Map(value.map((item, index) => [`[${names[index]}]`, item]));
}

function nameOf({ ip, port, name }: Json): string | undefined {
  if (typeof ip !== "string") return typeof name === "string" ? name : undefined;
  return typeof port === "number" ? formatHostPort(ip, port) : ip;
}

function pathTo(field: string, child: string): string {
  if (child.startsWith("[")) return `${field}${child}`;
  const name = /^[\w-]+$/.test(child) ? child : `["${child}"]`;
  return field === "" || name.startsWith("[") ? `${field}${name}` : `${field}.${name}`;
}

function change(field: string, key: string, before: unknown, after: unknown): FieldChange {
  const shown = (value: unknown) => (typeof value === "string" ? maskedText(key, value) : value);
  return {
    field,
    ...(before === undefined ? {} : { before: shown(before) }),
    ...(after === undefined ? {} : { after: shown(after) }),
  };
}

function isObject(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
