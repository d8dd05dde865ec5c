import {
  type OperationLog,
  type PoolCatalogue,
  serviceOf,
  summarizePool,
  type ViewQuestion,
  verdictsOf,
} from "../../api/index.ts";
import type { ProbeLedger, ProbeRecord } from "../../controllers/index.ts";
import { formatHostPort, ParasausError } from "../../foundation/index.ts";
import {
  completeMember,
  type KubeObject,
  type MemberRow,
  type Pool,
  type PoolDetail,
  type PoolMember,
} from "../../model/index.ts";
import { decideForwarding, expectedShares } from "../../scheduling/index.ts";
import type { TrafficReader } from "./traffic.ts";

/** What a pool's page is put together from. */
export interface PoolDetailSource {
  readonly catalogue: PoolCatalogue;
  readonly log: OperationLog;
  readonly traffic: TrafficReader;
  /** Absent while the controllers are started anew. */
  readonly probeLedger: () => ProbeLedger | undefined;
  /** Joins what is not stored. */
  readonly decorate: (object: KubeObject) => Promise<KubeObject>;
  readonly now: () => Date;
}

const SHOWN_OPERATIONS = 50;

/**
 * Puts together all that is known of one pool.
 *
 * @throws ParasausError `NotFound`
 */
export async function readPoolDetail(
  source: PoolDetailSource,
  { path: { namespace = "", name = "" }, sight }: ViewQuestion,
): Promise<PoolDetail> {
  const { catalogue, log, traffic, decorate, now } = source;
  const pool = catalogue.get(namespace, name);
  if (!pool) throw new ParasausError("NotFound", `pools.parasaus.io "${name}" not found`);
  const uid = pool.metadata.uid ?? "";
  const [decorated, { pools, nodes, silentNodes }] = await Promise.all([decorate(pool), traffic([uid])]);
  const { state, isFailingOpen } = summarizePool(pool);
  const [service, last] = [serviceOf(pool), log.lastOf(pool)];
  return {
    pool: decorated as Pool,
    ...{ state, isFailingOpen, nodes, silentNodes },
    ...(service === undefined ? {} : { service }),
    ...(last === undefined ? {} : { last }),
    members: membersOf(pool, source).map((member) => {
      const seen = pools.get(uid)?.get(`${member.ip}:${member.port}`);
      return seen ? { ...member, traffic: seen } : member;
    }),
    operations: log.of(pool, SHOWN_OPERATIONS, ({ row, objects }) => sight.operation({ ...row, objects })),
    time: now().toISOString(),
  };
}

function membersOf(pool: Pool, source: PoolDetailSource): MemberRow[] {
  const { spec, status } = pool;
  const verdicts = verdictsOf(pool);
  const statuses = new Map((status?.members ?? []).map((member) => [`${member.ip}:${member.port}`, member]));
  const decided = decideForwarding({ spec, statuses: status?.members ?? [] }).members;
  const active = decided.filter(({ disposition }) => disposition === "active");
  const shares = active.length === 0 ? [] : expectedShares(spec.scheduler, active);
  return spec.members.map(completeMember).flatMap((member, index) => {
    const { ip, port, weight, state } = member;
    const decision = decided[index];
    if (!decision) return [];
    const seen = statuses.get(`${ip}:${port}`);
    return [
      {
        ...{ ip, port, weight, state, disposition: decision.disposition },
        share: shares[active.indexOf(decision)] ?? 0,
        verdict: verdicts[index] ?? "unchecked",
        reason: seen?.reason ?? "",
        since: seen?.since ?? "",
        ...recordsOf(pool, member, decision.drainSeconds, source),
      },
    ];
  });
}

function recordsOf(
  pool: Pool,
  { ip, port, state }: PoolMember,
  drainSeconds: number,
  { log, probeLedger }: PoolDetailSource,
): Pick<MemberRow, "drainUntil" | "probes" | "last"> {
  const member = formatHostPort(ip, port);
  const last = log.lastOfMember(pool, member);
  const began = state === "drain" ? log.lastDrainOf(pool, member) : undefined;
  const record = probeLedger()?.read(pool.metadata.uid ?? "", `${ip}:${port}`);
  return {
    ...(began === undefined ? {} : { drainUntil: drainEnd(began, drainSeconds) }),
    ...(record ? { probes: probesOf(record) } : {}),
    ...(last ? { last } : {}),
  };
}

/** Nodes count from when they learn of it, which is moments after it is written. */
function drainEnd(began: string, drainSeconds: number): string {
  return new Date(Date.parse(began) + drainSeconds * 1_000).toISOString();
}

function probesOf(record: ProbeRecord): NonNullable<MemberRow["probes"]> {
  const { successCount, failureCount, recentSuccessCount, recentCount } = record;
  const { lastCode, lastSnippet, lastDurationMs, lastTime } = record;
  return {
    ...{ successCount, failureCount, recentSuccessCount, recentCount },
    ...{ lastCode, lastSnippet, lastDurationMs, lastTime },
  };
}
