import { completeMember, type Pool, type PoolRow, type PoolState, type Verdict } from "../../model/index.ts";
import { decideForwarding } from "../../scheduling/index.ts";

/** What a list shows of a pool, without what is not in the pool itself. */
export type PoolSummary = Omit<PoolRow, "connectionCount" | "last">;

/** Sums a pool up. */
export function summarizePool(pool: Pool): PoolSummary {
  const { metadata, spec, status } = pool;
  const verdicts = verdictsOf(pool);
  const serving = spec.members.map(completeMember).flatMap(({ state, weight }, index) => {
    return state === "ready" && weight > 0 ? [verdicts[index] ?? "unchecked"] : [];
  });
  const service = serviceOf(pool);
  return {
    namespace: metadata.namespace ?? "",
    name: metadata.name,
    uid: metadata.uid ?? "",
    addresses: (status?.connectAddresses ?? []).map(({ ip, port }) => ({ ip, port })),
    protocol: spec.protocol,
    scheduler: spec.scheduler,
    state: stateOf(serving),
    upCount: countOf(verdicts, "up"),
    downCount: countOf(verdicts, "down"),
    memberCount: spec.members.length,
    // Nobody fails open while nothing is down, which is most of the time.
    isFailingOpen:
      verdicts.includes("down") && decideForwarding({ spec, statuses: status?.members ?? [] }).isFailingOpen,
    ...(service === undefined ? {} : { service }),
  };
}

/** Name of the Service that a pool is made from, in its own namespace. */
export function serviceOf({ metadata }: Pool): string | undefined {
  return metadata.ownerReferences?.find(({ kind }) => kind === "Service")?.name;
}

/** The health check's word on each member, in the order of the spec; without a check a member counts as up. */
export function verdictsOf({ spec, status }: Pool): readonly Verdict[] {
  if (spec.healthCheck.type === "none") return spec.members.map(() => "up");
  const known = new Map((status?.members ?? []).map(({ ip, port, verdict }) => [`${ip}:${port}`, verdict]));
  return spec.members.map(({ ip, port }) => known.get(`${ip}:${port}`) ?? spec.healthCheck.initialState);
}

function stateOf(serving: readonly Verdict[]): PoolState {
  const upCount = countOf(serving, "up");
  if (serving.length === 0) return "empty";
  if (upCount === serving.length) return "up";
  if (upCount > 0) return "degraded";
  return serving.includes("down") ? "down" : "unchecked";
}

function countOf(verdicts: readonly Verdict[], wanted: Verdict): number {
  return verdicts.filter((verdict) => verdict === wanted).length;
}
