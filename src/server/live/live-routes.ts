import type { FastifyInstance } from "fastify";
import type { NodeRequests } from "../../api/index.ts";
import { ParasausError } from "../../foundation/index.ts";
import type { MemberCounters, Pool } from "../../model/index.ts";
import type { AgentReports } from "./agents.ts";

/** What operators ask that is not stored. */
export interface LiveRoutesSource {
  readonly nodes: NodeRequests;
  readonly pools: ReadonlyMap<string, Pool>;
  readonly survey: () => Promise<AgentReports>;
}

/** `GET /internal/v1/agents`, and `GET /internal/v1/pools/NAMESPACE/NAME/traffic`: sums over the nodes, per member. */
export function liveRoutes({ nodes, pools, survey }: LiveRoutesSource): (app: FastifyInstance) => void {
  return (app) => {
    app.get("/internal/v1/agents", () => survey());
    app.get<{ Params: { namespace: string; name: string } }>(
      "/internal/v1/pools/:namespace/:name/traffic",
      async ({ params: { namespace, name } }) => {
        const pool = [...pools.values()].find(
          ({ metadata }) => metadata.namespace === namespace && metadata.name === name,
        );
        if (!pool) throw new ParasausError("NotFound", `pools.parasaus.io "${name}" not found`);
        const uid = pool.metadata.uid ?? "";
        const { answers } = await nodes.askAll<"counters">({ kind: "counters", pools: [uid] });
        const rows = answers.flatMap(({ value }) => value.members.filter(({ poolUid }) => poolUid === uid));
        return { members: sumByMember(rows) };
      },
    );
  };
}

function sumByMember(rows: readonly MemberCounters[]): readonly MemberCounters[] {
  const sums = new Map<string, MemberCounters>();
  for (const row of rows) {
    const key = `${row.ip}:${row.port}`;
    const sum = sums.get(key);
    sums.set(key, sum ? add(sum, row) : row);
  }
  return [...sums.values()];
}

function add(a: MemberCounters, b: MemberCounters): MemberCounters {
  return {
    ...a,
    activeConnections: a.activeConnections + b.activeConnections,
    totalConnections: a.totalConnections + b.totalConnections,
    packetsIn: a.packetsIn + b.packetsIn,
    bytesIn: a.bytesIn + b.bytesIn,
    packetsOut: a.packetsOut + b.packetsOut,
    bytesOut: a.bytesOut + b.bytesOut,
  };
}
