import { KEPT_ANNOTATIONS } from "../../../../src/model/annotations.ts";
import type { FieldProblem } from "../../lib/api.ts";

/** A pool while it is written: what was read or typed, however wrong it may be. */
export type Draft = Readonly<Record<string, unknown>>;

/** What a new pool begins with. */
export const NEW_POOL: Draft = {
  apiVersion: "parasaus.io/v1",
  kind: "Pool",
  metadata: { namespace: "default", name: "" },
  spec: { protocol: "TCP", scheduler: "rr", healthCheck: { type: "tcp" }, members: [] },
};

type Step = string | number;

/** `spec.members[1].port` in steps. */
function stepsOf(path: string): Step[] {
  return path.split(/[.[\]]+/).flatMap((step) => {
    if (step === "") return [];
    return [/^\d+$/.test(step) ? Number(step) : step];
  });
}

/** What stands at a path; undefined: nothing. */
export function valueAt(draft: unknown, path: string): unknown {
  return stepsOf(path).reduce<unknown>(
    (value, step) => (typeof value === "object" && value !== null ? (value as Draft)[step] : undefined),
    draft,
  );
}

/** The same draft with another value at a path; undefined takes away what stands there. */
export function withValue(draft: Draft, path: string, value: unknown): Draft {
  return replaced(draft, stepsOf(path), value) as Draft;
}

function replaced(container: unknown, [step, ...rest]: readonly Step[], value: unknown): unknown {
  if (step === undefined) return value;
  if (typeof step === "number") {
    const items = Array.isArray(container) ? [...(container as unknown[])] : [];
    items[step] = replaced(items[step], rest, value);
    return value === undefined && rest.length === 0 ? items.filter((_, index) => index !== step) : items;
  }
  const fields = typeof container === "object" && container !== null ? { ...(container as Draft) } : {};
  const inner = replaced(fields[step], rest, value);
  if (inner === undefined) {
    const { [step]: _gone, ...left } = fields;
    return left;
  }
  return { ...fields, [step]: inner };
}

/** What an operator may write of an object that was read: without status and what the server keeps. */
export function writableOf(object: Draft): Draft {
  const { status: _status, metadata, apiVersion, kind, ...rest } = object;
  const { name, namespace, labels, annotations } = metadata as Draft;
  const own = Object.fromEntries(
    Object.entries((annotations ?? {}) as Draft).filter(([key]) => !KEPT_ANNOTATIONS.includes(key)),
  );
  return {
    apiVersion,
    kind,
    metadata: {
      ...(namespace === undefined ? {} : { namespace }),
      name,
      ...(labels === undefined ? {} : { labels }),
      ...(Object.keys(own).length === 0 ? {} : { annotations: own }),
    },
    ...rest,
  };
}

/** What the server has against one field. */
export function problemAt(problems: readonly FieldProblem[], path: string): string | undefined {
  return problems.find(({ field }) => field === path)?.message;
}
