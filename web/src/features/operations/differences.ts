/** One field that is another one after than before; absent: there is none. */
export interface Difference {
  /** `spec.members[10.0.0.1:80].weight`. */
  readonly field: string;
  readonly before?: string;
  readonly after?: string;
}

/** What differs between two objects, field by field, sorted by field. Members are told apart by their addresses. */
export function differences(before: unknown, after: unknown): readonly Difference[] {
  const [old, current] = [flatten(before), flatten(after)];
  const fields = [...new Set([...old.keys(), ...current.keys()])].sort();
  return fields.flatMap((field) => {
    const [left, right] = [old.get(field), current.get(field)];
    if (left === right) return [];
    return [
      {
        field,
        ...(left === undefined ? {} : { before: left }),
        ...(right === undefined ? {} : { after: right }),
      },
    ];
  });
}

function flatten(value: unknown, path = "", into = new Map<string, string>()): Map<string, string> {
  if (value === undefined) return into;
  if (typeof value !== "object" || value === null) return into.set(path, String(value));
  if (Array.isArray(value)) {
    value.forEach((item: unknown, index) => {
      flatten(item, `${path}[${nameOf(item) ?? index}]`, into);
    });
    return into;
  }
  for (const [key, inner] of Object.entries(value))
    flatten(inner, path === "" ? key : `${path}.${key}`, into);
  return into;
}

function nameOf(item: unknown): string | undefined {
  if (typeof item !== "object" || item === null) return undefined;
  const { ip, port, name } = item as {
    readonly ip?: unknown;
    readonly port?: unknown;
    readonly name?: unknown;
  };
  if (ip !== undefined && port !== undefined) return `${ip}:${port}`;
  return typeof name === "string" ? name : undefined;
}
