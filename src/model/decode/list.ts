/**
 * The objects in a decoded document: the items of a `kind: List` (or `PoolList` and the like, lists in lists too), else the document.
 * Items without apiVersion and kind get those of the list's own kind: `PoolList` holds Pools.
 */
export function unwrapList(value: unknown): unknown[] {
  const { kind, apiVersion, items } = (value ?? {}) as Readonly<Record<string, unknown>>;
  if (typeof kind !== "string" || !kind.endsWith("List") || !Array.isArray(items)) return [value];
  const itemKind = kind.slice(0, -"List".length);
  const named = items.map((item: unknown) =>
    itemKind === "" || !isObject(item) ? item : { apiVersion, kind: itemKind, ...item },
  );
  return itemKind === "" ? named.flatMap(unwrapOnce) : named;
}

/** Lists inside a list are opened once; kubectl writes none deeper. */
function unwrapOnce(item: unknown): unknown[] {
  const { kind, items } = (item ?? {}) as Readonly<Record<string, unknown>>;
  return kind === "List" && Array.isArray(items) ? items : [item];
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
