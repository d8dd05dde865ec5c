type Json = Readonly<Record<string, unknown>>;

/** What stands at a path of a spec, `healthCheck.type`; undefined: nothing. */
export function valueAt(spec: unknown, path: string): unknown {
  return path
    .split(".")
    .reduce<unknown>((value, key) => (value as Record<string, unknown> | undefined)?.[key], spec);
}

/** The object with another value at a path. */
export function withPath<Value extends object>(
  object: Value,
  [head = "", ...rest]: readonly string[],
  value: unknown,
): Value {
  const inner = (valueAt(object, head) ?? {}) as Json;
  return { ...object, [head]: rest.length === 0 ? value : withPath(inner, rest, value) };
}

/** The object without what stands at a path, and without what is empty then. */
export function withoutPath<Value extends object>(
  object: Value,
  [head = "", ...rest]: readonly string[],
): Value {
  const left = Object.entries(object).flatMap(([key, inner]): [string, unknown][] => {
    if (key !== head) return [[key, inner]];
    if (rest.length === 0 || inner === undefined) return [];
    const kept = withoutPath(inner as Json, rest);
    return Object.keys(kept).length === 0 ? [] : [[key, kept]];
  });
  // What is left is the object's own, as its owner wrote it.
  return Object.fromEntries(left) as Value;
}

/** Whether two values of JSON are not written alike. */
export function differs(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) !== JSON.stringify(b);
}
