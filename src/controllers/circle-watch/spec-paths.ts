type Json = Readonly<Record<string, unknown>>;

/** What stands at a path of a spec, `healthCheck.type`; undefined: nothing. */
export function valueAt(spec: unknown, path: string): unknown {
  return path
    .split(".")
    .reduce<unknown>((value, key) => (value as Record<string, unknown> | undefined)?.[key], spec);
}

/** The object with another value at a path. */
export function withPath(object: Json, [head = "", ...rest]: readonly string[], value: unknown): Json {
  const inner = (object[head] ?? {}) as Json;
  return { ...object, [head]: rest.length === 0 ? value : withPath(inner, rest, value) };
}

/** The object without what stands at a path, and without what is empty then. */
export function withoutPath(object: Json, [head = "", ...rest]: readonly string[]): Json {
  const { [head]: inner, ...others } = object;
  if (inner === undefined || rest.length === 0) return others;
  const left = withoutPath(inner as Json, rest);
  return Object.keys(left).length === 0 ? others : { ...others, [head]: left };
}

/** Whether two values of JSON are not written alike. */
export function differs(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) !== JSON.stringify(b);
}
