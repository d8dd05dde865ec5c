import type { ProbeLedger } from "../../controllers/index.ts";
import type { AgentStatus, Pool } from "../../model/index.ts";
import { agentFamilies } from "./agent-families.ts";
import { renderFamilies } from "./exposition.ts";
import type { CountersReading } from "./node-counters.ts";
import { poolFamilies } from "./pool-families.ts";
import { probeFamilies } from "./probe-families.ts";
import type { ProcessMetrics } from "./registry.ts";
import { trafficFamilies } from "./traffic-families.ts";

/** What a server's `/metrics` is made from. */
export interface ServerMetricsSource {
  readonly process: ProcessMetrics;
  readonly pools: ReadonlyMap<string, Pool>;
  /** Absent while the controllers are started anew. */
  readonly probeLedger: () => ProbeLedger | undefined;
  readonly counters: () => Promise<CountersReading>;
  /** How every connected agent is doing; those that do not answer in time are left out. */
  readonly agents: () => Promise<readonly AgentStatus[]>;
}

/** Text in Prometheus' format: the process, the API, the controllers, pools, and what each node counts. */
export async function renderServerMetrics(
  source: ServerMetricsSource,
): Promise<{ contentType: string; body: string }> {
  const [process, counters, agents] = await Promise.all([
    source.process.render(),
    source.counters(),
    source.agents(),
  ]);
  const nameOf = (uid: string) => {
    const metadata = source.pools.get(uid)?.metadata;
    return metadata && { namespace: metadata.namespace ?? "", name: metadata.name };
  };
  const families = [
    ...poolFamilies([...source.pools.values()]),
    ...probeFamilies(source.probeLedger(), nameOf),
    ...trafficFamilies(counters.nodes, nameOf),
    {
      name: "parasaus_member_traffic_left_out",
      help: "1: too many members at too many nodes; each node's own metrics have their traffic.",
      type: "gauge" as const,
      samples: [{ labels: {}, value: Number(counters.isWithoutMembers) }],
    },
    ...agentFamilies(agents),
  ];
  return {
    contentType: "text/plain; version=0.0.4; charset=utf-8",
    body: process + (await renderFamilies(families)),
  };
}
