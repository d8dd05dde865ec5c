import {
  type AilingPool,
  type FleetFigures,
  type NodeRow,
  type Overview,
  POOL_STATES,
  type PoolState,
  type Verdict,
} from "../../model/index.ts";
import { downMembersOf } from "./down-members.ts";
import type { PoolCatalogue, PoolEntry } from "./pool-catalogue.ts";

const SHOWN_POOLS = 100;
const SHOWN_MEMBERS = 5;
/** What needs attention, the worst first. A pool that has no members, or is too young to tell, does not. */
const AILING: readonly PoolState[] = ["down", "degraded"];

/**
 * Sums up what somebody may see.
 *
 * @param maySee Whether he may see the pools of a namespace.
 * @param nodes Absent: he may not see them.
 */
export function sumUp(
  catalogue: PoolCatalogue,
  maySee: (namespace: string) => boolean,
  nodes: readonly NodeRow[] | undefined,
): Overview {
  const entries = catalogue.entries(maySee);
  const pools = Object.fromEntries(POOL_STATES.map((state) => [state, 0])) as Record<PoolState, number>;
  const members: Record<Verdict, number> = { up: 0, down: 0, unchecked: 0 };
  for (const { summary } of entries) {
    const { state, upCount, downCount, memberCount } = summary;
    pools[state] += 1;
    members.up += upCount;
    members.down += downCount;
    members.unchecked += memberCount - upCount - downCount;
  }
  const ailing = AILING.flatMap((wanted) => entries.filter(({ summary }) => summary.state === wanted));
  return {
    ...{ pools, members },
    ...(nodes ? { nodes: fleetFigures(nodes) } : {}),
    ailing: ailing.slice(0, SHOWN_POOLS).map(ailingPool),
    ailingCount: ailing.length,
  };
}

function fleetFigures(nodes: readonly NodeRow[]): FleetFigures {
  return {
    nodeCount: nodes.length,
    readyNodeCount: nodes.filter(({ isReady }) => isReady).length,
    flowCount: nodes.reduce((sum, { flowCount }) => sum + flowCount, 0),
  };
}

function ailingPool({ pool, summary }: PoolEntry): AilingPool {
  const { namespace, name, state, isFailingOpen } = summary;
  const members = downMembersOf(pool);
  const shown = members.slice(0, SHOWN_MEMBERS);
  return { namespace, name, state, isFailingOpen, members: shown, memberCount: members.length };
}
