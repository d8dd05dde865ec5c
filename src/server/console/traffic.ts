import type { NodeRequests } from "../../api/index.ts";
import type { Clock } from "../../foundation/index.ts";
import type { MemberTraffic } from "../../model/index.ts";

/** Traffic of the members of some pools, over all nodes that answered. */
export interface TrafficReport {
  /** By pool uid, then by `ip:port`; no entry: no node has the pool. */
  readonly pools: ReadonlyMap<string, ReadonlyMap<string, MemberTraffic>>;
  readonly nodes: readonly string[];
  readonly silentNodes: readonly string[];
}

/** Asks the nodes for traffic. */
export type TrafficReader = (poolUids: readonly string[]) => Promise<TrafficReport>;

/** An answer is good for so long, milliseconds: many readers of the same pools cause one question. */
const FRESH_MS = 900;
/** Different questions that are remembered, a count. */
const REMEMBERED_COUNT = 64;

/** Makes a reader that asks for the same pools at most about once a second. */
export function createTrafficReader(nodes: Pick<NodeRequests, "askAll">, clock: Clock): TrafficReader {
  const asked = new Map<string, { readonly atMs: number; readonly report: Promise<TrafficReport> }>();
  return (poolUids) => {
    const key = poolUids.join(" ");
    const known = asked.get(key);
    if (known && clock.monotonicMs() - known.atMs < FRESH_MS) return known.report;
    const report = readTraffic(nodes, poolUids);
    asked.delete(key);
    asked.set(key, { atMs: clock.monotonicMs(), report });
    for (const oldest of asked.keys()) {
      if (asked.size <= REMEMBERED_COUNT) break;
      asked.delete(oldest);
    }
    return report;
  };
}

async function readTraffic(
  nodes: Pick<NodeRequests, "askAll">,
  poolUids: readonly string[],
): Promise<TrafficReport> {
  const { answers, silentNodes } = await nodes.askAll<"counters">({ kind: "counters", pools: poolUids });
  const pools = new Map<string, Map<string, MemberTraffic>>();
  for (const { value } of answers) {
    for (const { poolUid, ip, port, ...row } of value.members) {
      const members = pools.get(poolUid) ?? new Map<string, MemberTraffic>();
      pools.set(poolUid, members);
      const sum = members.get(`${ip}:${port}`);
      members.set(`${ip}:${port}`, {
        activeCount: (sum?.activeCount ?? 0) + row.activeConnections,
        totalCount: (sum?.totalCount ?? 0) + row.totalConnections,
        bytesIn: (sum?.bytesIn ?? 0) + row.bytesIn,
        bytesOut: (sum?.bytesOut ?? 0) + row.bytesOut,
      });
    }
  }
  return { pools, nodes: answers.map(({ node }) => node), silentNodes };
}
