/** Lists whose items have identities, by the name of the field that holds them. All other lists are replaced whole. */
const LIST_KEYS: Readonly<Record<string, readonly string[]>> = {
  members: ["ip", "port"],
  ports: ["port", "protocol"],
};
/** What an item's key is when the file leaves it out. */
const KEY_DEFAULTS: Readonly<Record<string, unknown>> = { protocol: "TCP" };

type Json = Readonly<Record<string, unknown>>;

/**
 * Joins what was applied last, what is wanted now, and what is stored: what the file dropped goes, what it says is set,
 * what somebody else added stays.
 *
 * @param last The object as it was applied last; `{}` when it never was.
 */
export function mergeThreeWays(last: Json, wanted: Json, live: Json): Json {
  const merged: Record<string, unknown> = { ...live };
  for (const key of Object.keys(last)) if (!(key in wanted)) delete merged[key];
  for (const [key, value] of Object.entries(wanted)) {
    if (value === null) delete merged[key];
    else merged[key] = mergeValue(key, last[key], value, live[key]);
  }
  return merged;
}

function mergeValue(key: string, last: unknown, wanted: unknown, live: unknown): unknown {
  if (isObject(wanted)) return mergeThreeWays(isObject(last) ? last : {}, wanted, isObject(live) ? live : {});
  const keys = LIST_KEYS[key];
  if (keys && isObjectList(wanted) && isObjectList(live)) {
    return mergeLists(keys, isObjectList(last) ? last : [], wanted, live);
  }
  return wanted;
}

/** The items of the file, in its order; of each, what only the stored one has stays. */
function mergeLists(
  keys: readonly string[],
  last: readonly Json[],
  wanted: readonly Json[],
  live: readonly Json[],
): readonly Json[] {
  const idOf = (item: Json) => JSON.stringify(keys.map((key) => item[key] ?? KEY_DEFAULTS[key]));
  const byId = (items: readonly Json[]) => new Map(items.map((item) => [idOf(item), item]));
  const [lastById, liveById] = [byId(last), byId(live)];
  return wanted.map((item) => {
    const id = idOf(item);
    return mergeThreeWays(lastById.get(id) ?? {}, item, liveById.get(id) ?? {});
  });
}

function isObject(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isObjectList(value: unknown): value is readonly Json[] {
  return Array.isArray(value) && value.every(isObject);
}
