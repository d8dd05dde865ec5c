import type { NodeRequests } from "../../api/index.ts";
import { formatHostPort } from "../../foundation/index.ts";

/** Open flows of some pools, and which nodes are not in them. */
export interface LiveFlows {
  /** By `ip:port`, a count each. */
  readonly of: (poolUid: string) => ReadonlyMap<string, number>;
  readonly unknownNodes: readonly string[];
}

/** Asks every node's kernel for the open flows of some pools. Nothing is asked for none. */
export async function askLiveFlows(
  nodes: NodeRequests,
  nodeNames: () => Promise<readonly string[]>,
  poolUids: readonly string[],
): Promise<LiveFlows> {
  const counts = new Map<string, Map<string, number>>();
  const of = (uid: string) => counts.get(uid) ?? new Map<string, number>();
  if (poolUids.length === 0) return { of, unknownNodes: [] };
  const { answers, silentNodes } = await nodes.askAll<"counters">(
    { kind: "counters", pools: poolUids },
    await nodeNames(),
  );
  for (const { poolUid, ip, port, activeConnections } of answers.flatMap(({ value }) => value.members)) {
    const members = counts.get(poolUid) ?? new Map<string, number>();
    const member = formatHostPort(ip, port);
    members.set(member, (members.get(member) ?? 0) + activeConnections);
    counts.set(poolUid, members);
  }
  return { of, unknownNodes: silentNodes };
}
