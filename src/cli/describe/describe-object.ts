import type { Condition, KubeObject, MemberCounters, Operation, Pool } from "../../model/index.ts";
import { formatAge } from "../output/age.ts";
import { describePool } from "./describe-pool.ts";
import { fact, type Part, renderDescription } from "./layout.ts";

/** What a description is made from besides the object. */
export interface DescriptionSources {
  /** Its own, newest first. */
  readonly operations: readonly Operation[];
  /** Of a pool's members. */
  readonly traffic: readonly MemberCounters[];
  readonly now: Date;
}

/** Everything about one object, for people. */
export function describeObject(object: KubeObject, { operations, traffic, now }: DescriptionSources): string {
  return renderDescription([
    ...metadataParts(object, now),
    ...particularParts(object, traffic, now),
    ...conditionParts(object, now),
    {
      kind: "table",
      name: "Operations",
      headings: ["AGE", "VERB", "OPERATOR", "MEMBER", "REASON"],
      rows: operations.map(({ spec }) => [
        formatAge(spec.time, now),
        spec.verb,
        spec.operator,
        spec.member ?? "-",
        spec.reason ?? "-",
      ]),
    },
  ]);
}

function metadataParts({ apiVersion, kind, metadata }: KubeObject, now: Date): readonly Part[] {
  const owners = (metadata.ownerReferences ?? []).map((owner) => `${owner.kind}/${owner.name}`);
  return [
    fact("Name", metadata.name),
    ...(metadata.namespace ? [fact("Namespace", metadata.namespace)] : []),
    fact("Labels", pairs(metadata.labels)),
    fact("Annotations", pairs(metadata.annotations)),
    fact("API Version", apiVersion),
    fact("Kind", kind),
    fact("Created", `${metadata.creationTimestamp} (${formatAge(metadata.creationTimestamp, now)} ago)`),
    ...(metadata.deletionTimestamp ? [fact("Deleted", metadata.deletionTimestamp)] : []),
    ...(owners.length > 0 ? [fact("Made From", owners)] : []),
  ];
}

const BOOKKEEPING = /last-applied/;

function pairs(labels: Readonly<Record<string, string>> | undefined): readonly string[] {
  return Object.entries(labels ?? {})
    .filter(([name]) => !BOOKKEEPING.test(name))
    .map(([name, value]) => `${name}=${value}`);
}

function particularParts(object: KubeObject, traffic: readonly MemberCounters[], now: Date): readonly Part[] {
  if (object.kind === "Pool") return describePool(object as Pool, traffic, now);
  const { apiVersion: _version, kind: _kind, metadata: _metadata, ...rest } = object;
  return Object.entries(rest).flatMap(([name, value]) => {
    const { conditions: _conditions, ...fields } = Object(value) as Record<string, unknown>;
    const shown = Array.isArray(value) ? flatten("", value) : flatten("", fields);
    return [{ kind: "facts", name: title(name), facts: shown } satisfies Part];
  });
}

function title(name: string): string {
  return name.charAt(0).toUpperCase() + name.slice(1);
}

/** `ports[0].port: 80`: short enough for every kind that has no layout of its own. */
function flatten(path: string, value: unknown): readonly (readonly [string, string])[] {
  if (typeof value !== "object" || value === null) return [[path, String(value)]];
  if (Array.isArray(value) && value.every((item) => typeof item !== "object"))
    return [[path, value.join(", ")]];
  return Object.entries(value).flatMap(([key, inner]) => {
    const step = Array.isArray(value) ? `${path}[${key}]` : path === "" ? key : `${path}.${key}`;
    return flatten(step, inner);
  });
}

function conditionParts(object: KubeObject, now: Date): readonly Part[] {
  const { status } = object as { status?: { conditions?: readonly Condition[] } };
  if (!status?.conditions) return [];
  return [
    {
      kind: "table",
      name: "Conditions",
      headings: ["TYPE", "STATUS", "SINCE", "REASON", "MESSAGE"],
      rows: status.conditions.map((condition) => [
        condition.type,
        condition.status,
        formatAge(condition.lastTransitionTime, now),
        condition.reason,
        condition.message,
      ]),
    },
  ];
}
