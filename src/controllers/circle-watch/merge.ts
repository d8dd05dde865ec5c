import type { Pool, PoolMember, Service } from "../../model/index.ts";
import { ADDRESS_FINALIZER } from "../allocator/pool-status.ts";
import { SERVICE_PORT_ANNOTATION, type WantedPool } from "./generate.ts";
import { withoutPath, withPath } from "./spec-paths.ts";

/** Annotation of a generated Pool: what was generated last, to tell its fields from the operator's. */
const GENERATED_ANNOTATION = "parasaus.io/generated";

/** What was generated last. */
export interface GeneratedRecord {
  /** Fields of the spec by path. */
  readonly fields: Readonly<Record<string, unknown>>;
  /** Members whose weight was generated, by `ip:port`, and the weight that they get back when it no longer is. */
  readonly weights: Readonly<Record<string, { readonly weight: number; readonly restore?: number }>>;
}

type Json = Readonly<Record<string, unknown>>;

/** Reads the record of a Pool; without one, or with one that is broken, nothing was generated. */
export function recordOf(pool: Pool): GeneratedRecord {
  try {
    const record = JSON.parse(
      pool.metadata.annotations?.[GENERATED_ANNOTATION] ?? "{}",
    ) as Partial<GeneratedRecord>;
    return { fields: record.fields ?? {}, weights: record.weights ?? {} };
  } catch {
    return { fields: {}, weights: {} };
  }
}

/** A new Pool for a port of a Service. Defaults come with the write. */
export function newPool(service: Service, wanted: WantedPool): unknown {
  const { namespace, name, uid } = service.metadata;
  const { spec, record } = mergeSpec({ members: [] }, { fields: {}, weights: {} }, wanted);
  return {
    apiVersion: "parasaus.io/v1",
    kind: "Pool",
    metadata: {
      name: wanted.name,
      ...(namespace === undefined ? {} : { namespace }),
      ...(service.metadata.labels ? { labels: service.metadata.labels } : {}),
      annotations: annotationsOf(wanted, record),
      ownerReferences: [
        { apiVersion: "v1", kind: "Service", name, uid, controller: true, blockOwnerDeletion: false },
      ],
      finalizers: [ADDRESS_FINALIZER],
    },
    spec,
  };
}

/** The Pool as the Service wants it, with everything that is the operator's left alone; undefined when it is so already. */
export function mergedPool(pool: Pool, wanted: WantedPool): Pool | undefined {
  const { spec, record } = mergeSpec(pool.spec as unknown as Json, recordOf(pool), wanted);
  const annotations = { ...pool.metadata.annotations, ...annotationsOf(wanted, record) };
  const next = { ...pool, metadata: { ...pool.metadata, annotations }, spec } as unknown as Pool;
  return canonical([next.spec, annotations]) === canonical([pool.spec, pool.metadata.annotations])
    ? undefined
    : next;
}

function annotationsOf(wanted: WantedPool, record: GeneratedRecord): Record<string, string> {
  return { [SERVICE_PORT_ANNOTATION]: wanted.portName, [GENERATED_ANNOTATION]: canonical(record) };
}

function mergeSpec(
  live: Json,
  last: GeneratedRecord,
  wanted: WantedPool,
): { spec: Json; record: GeneratedRecord } {
  let spec = live;
  for (const path of Object.keys(last.fields))
    if (!(path in wanted.fields)) spec = withoutPath(spec, path.split("."));
  for (const [path, value] of Object.entries(wanted.fields)) spec = withPath(spec, path.split("."), value);
  const { members, weights } = mergeMembers((live["members"] ?? []) as readonly PoolMember[], last, wanted);
  spec = { ...spec, ...checkDetails(spec, wanted), members };
  return { spec, record: { fields: wanted.fields, weights } };
}

/** When the Service names another type of check, details that only the old one understands go with it. */
function checkDetails(spec: Json, wanted: WantedPool): Json {
  const type = wanted.fields["healthCheck.type"];
  if (type === undefined) return {};
  const { http, mysql, ...check } = spec["healthCheck"] as Json;
  const keepsHttp = http !== undefined && (type === "http" || type === "https");
  const keepsMysql = mysql !== undefined && type === "mysql";
  return { healthCheck: { ...check, ...(keepsHttp ? { http } : {}), ...(keepsMysql ? { mysql } : {}) } };
}

/** Membership is the Service's; admin state is the operator's, weight too unless it was generated. */
function mergeMembers(
  live: readonly PoolMember[],
  last: GeneratedRecord,
  wanted: WantedPool,
): { members: unknown[]; weights: GeneratedRecord["weights"] } {
  const known = new Map(live.map((member) => [`${member.ip}:${member.port}`, member]));
  const weights: Record<string, { weight: number; restore?: number }> = {};
  const members = wanted.members.map(({ ip, port, weight }) => {
    const key = `${ip}:${port}`;
    const member = known.get(key);
    const before = last.weights[key];
    const own = before ? before.restore : member?.weight;
    if (weight !== undefined) weights[key] = { weight, ...(own === undefined ? {} : { restore: own }) };
    return { ...member, ip, port, weight: weight ?? own ?? 1 };
  });
  return { members, weights };
}

/** JSON with sorted keys, so that equal values have equal texts. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) =>
    inner !== null && typeof inner === "object" && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );
}
