import type { LastOperations } from "../../api/index.ts";
import type { ProbeLedger } from "../../controllers/index.ts";
import { formatHostPort } from "../../foundation/index.ts";
import type { Condition, KubeObject, MemberStatus, Pool } from "../../model/index.ts";
import type { AgentReports } from "./agents.ts";

/** What is joined into a pool that is read by itself. */
export interface LiveSources {
  /** Absent while the controllers are started anew. */
  readonly probeLedger: () => ProbeLedger | undefined;
  readonly survey: () => Promise<AgentReports>;
  /** Absent: nobody knows. */
  readonly last?: LastOperations;
  readonly now: () => Date;
}

/** Adds to a pool what its probes saw and which nodes hold it; other kinds stay as they are. */
export async function decoratePool(object: KubeObject, sources: LiveSources): Promise<KubeObject> {
  if (object.kind !== "Pool") return object;
  const pool = object as Pool;
  const { status = {}, metadata } = pool;
  const ledger = sources.probeLedger();
  const members = (status.members ?? []).map((member) => {
    const last = sources.last?.lastOfMember(pool, formatHostPort(member.ip, member.port));
    return { ...withProbes(member, metadata.uid ?? "", ledger), ...(last ? { lastOperation: last } : {}) };
  });
  const lastOperation = sources.last?.lastOf(pool);
  const programmed = programmedCondition(pool, await sources.survey(), sources.now());
  const conditions = [...(status.conditions ?? []).filter(({ type }) => type !== "Programmed"), programmed];
  return {
    ...pool,
    status: {
      ...status,
      ...(status.members ? { members } : {}),
      ...(lastOperation ? { lastOperation } : {}),
      conditions,
    },
  } as Pool;
}

/** Adds to a pool who did something last; other kinds stay as they are. */
export function withLastOperation(object: KubeObject, last: LastOperations): KubeObject {
  if (object.kind !== "Pool") return object;
  const pool = object as Pool;
  const lastOperation = last.lastOf(pool);
  return lastOperation ? ({ ...pool, status: { ...pool.status, lastOperation } } as Pool) : pool;
}

function withProbes(member: MemberStatus, poolUid: string, ledger: ProbeLedger | undefined): MemberStatus {
  const record = ledger?.read(poolUid, `${member.ip}:${member.port}`);
  if (!record) return member;
  const { successCount: successes, failureCount: failures, lastCode, lastSnippet, lastTime } = record;
  return { ...member, probes: { successes, failures, last: `${lastCode} ${lastSnippet}`.trim(), lastTime } };
}

/** Which nodes hold the pool as it is stored. Nobody remembers since when, so its time is when it was asked. */
function programmedCondition(
  { metadata }: Pool,
  { agents, silentNodes }: AgentReports,
  now: Date,
): Condition {
  const wanted = BigInt(metadata.resourceVersion ?? "0");
  const current = agents.filter(({ appliedRevision }) => BigInt(appliedRevision ?? "0") >= wanted);
  const total = agents.length + silentNodes.length;
  const lastTransitionTime = `${now.toISOString().slice(0, 19)}Z`;
  const silent = silentNodes.length > 0 ? `; no answer from ${silentNodes.join(", ")}` : "";
  const message = `${current.length} of ${total} nodes hold revision ${wanted}${silent}`;
  const base = { type: "Programmed", message, lastTransitionTime };
  if (total === 0) return { ...base, status: "Unknown", reason: "NoNodes", message: "No node has reported" };
  return current.length === total
    ? { ...base, status: "True", reason: "AllNodes" }
    : { ...base, status: "False", reason: "NotAllNodes" };
}
