import type { NodeRequests } from "../../api/index.ts";
import type { NodeCounters } from "./traffic-families.ts";

/**
 * So many members, each counted once for every node, are read for one answer; with more, nodes tell of themselves alone. One
 * machine with 35,000 pools of two members is below it; 254 of them would be gigabytes in every scrape.
 */
const MOST_MEMBER_ROWS = 100_000;

/** What the nodes count. */
export interface CountersReading {
  readonly nodes: readonly NodeCounters[];
  /** Members' traffic is left out of all of them: there is too much of it. */
  readonly isWithoutMembers: boolean;
}

/** Asks the connected nodes for what they count; those that do not answer in time are left out. */
export async function askCounters(
  nodes: Pick<NodeRequests, "askAll" | "connectedNodes">,
  pools: Iterable<{ readonly spec: { readonly members: readonly unknown[] } }>,
): Promise<CountersReading> {
  let memberCount = 0;
  for (const { spec } of pools) memberCount += spec.members.length;
  const isWithoutMembers = memberCount * nodes.connectedNodes().length > MOST_MEMBER_ROWS;
  const request = { kind: "counters" as const, ...(isWithoutMembers ? { pools: [] } : {}) };
  const { answers } = await nodes.askAll<"counters">(request);
  return { nodes: answers.map(({ node, value }) => ({ node, counters: value })), isWithoutMembers };
}
