import type { FlowExplanation, FlowTuple } from "../driver.ts";
import type { TableFlow } from "./flow-table.ts";
import type { Programme } from "./programme.ts";
import type { TableTimeouts } from "./table.ts";

/** How long the kernel keeps a flow that is not open yet, seconds: `tcp_timeouts` of ip_vs_proto_tcp.c. */
const HALF_OPEN_SECONDS = 60;

/** What the kernel's table says of a flow of ours; undefined when it holds none. */
export function explainFlow(
  programme: Programme,
  flows: readonly TableFlow[],
  flow: FlowTuple,
  timeouts: TableTimeouts,
): FlowExplanation | undefined {
  const found = flows.find(
    ({ tuple }) =>
      tuple.clientPort === flow.clientPort &&
      tuple.clientIp === flow.clientIp &&
      tuple.protocol === flow.protocol &&
      tuple.ip === flow.ip &&
      tuple.port === flow.port,
  );
  return found && describe(programme, found, timeouts);
}

/** Flows of one pool that are not closed, at most `limitCount`. */
export function listFlows(
  programme: Programme,
  flows: readonly TableFlow[],
  poolUid: string,
  limitCount: number,
  timeouts: TableTimeouts,
): readonly FlowExplanation[] {
  const places = new Set(programme.placesOf(poolUid));
  const found: FlowExplanation[] = [];
  for (const flow of flows) {
    if (found.length >= limitCount) break;
    const isThere = programme.placesAround(flow.tuple).some((place) => places.has(place));
    if (flow.state === "closed" || !isThere) continue;
    const explanation = describe(programme, flow, timeouts);
    if (explanation?.poolUid === poolUid) found.push(explanation);
  }
  return found;
}

function describe(
  programme: Programme,
  flow: TableFlow,
  timeouts: TableTimeouts,
): FlowExplanation | undefined {
  const { tuple, memberIp, memberPort, state } = flow;
  for (const { pool, isInRange } of programme.poolsAround(tuple)) {
    const member = pool.members.find(({ ip, port }) => ip === memberIp && (isInRange || port === memberPort));
    if (!member) continue;
    return {
      flow: tuple,
      poolUid: pool.uid,
      memberIp,
      memberPort,
      memberDisposition: member.disposition,
      state,
      // With affinity each flow hangs on its client's template, the first one too.
      why: pool.affinitySeconds > 0 ? "affinity" : "scheduled",
      idleMs: Math.max(0, lifetimeSeconds(flow, timeouts) - flow.expiresSeconds) * 1000,
    };
  }
  return undefined;
}

/** The same of SCTP, all of it fixed: `sctp_timeouts` of ip_vs_proto_sctp.c. */
const SCTP_ESTABLISHED_SECONDS = 900;
const SCTP_OTHER_SECONDS = 61;

function lifetimeSeconds({ tuple, state }: TableFlow, timeouts: TableTimeouts): number {
  if (tuple.protocol === "SCTP")
    return state === "established" ? SCTP_ESTABLISHED_SECONDS : SCTP_OTHER_SECONDS;
  if (tuple.protocol === "UDP") return timeouts.datagramSeconds;
  if (state === "established") return timeouts.establishedSeconds;
  return state === "half-open" ? HALF_OPEN_SECONDS : timeouts.closingSeconds;
}
