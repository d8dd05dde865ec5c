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

/**
 * Asks the nodes for traffic.
 *
 * @param patienceMs Waits at most so long, milliseconds, and then gives what was known last of the same pools; absent: until
 *   all nodes have answered or are given up.
 */
export type TrafficReader = (poolUids: readonly string[], patienceMs?: number) => Promise<TrafficReport>;

/** An answer is good for so long, milliseconds: many readers of the same pools cause one question. */
const FRESH_MS = 900;
/** Different questions that are remembered, a count. */
const REMEMBERED_COUNT = 64;
const NOTHING: TrafficReport = { pools: new Map(), nodes: [], silentNodes: [] };

/** A question, and what came of it and of the one before. */
interface Asked {
  readonly atMs: number;
  readonly report: Promise<TrafficReport>;
  known: TrafficReport;
}

/** Makes a reader that asks for the same pools at most about once a second. */
export function createTrafficReader(nodes: Pick<NodeRequests, "askAll">, clock: Clock): TrafficReader {
  const questions = new Map<string, Asked>();
  const ask = (key: string, poolUids: readonly string[]): Asked => {
    const before = questions.get(key);
    if (before && clock.monotonicMs() - before.atMs < FRESH_MS) return before;
    const report = readTraffic(nodes, poolUids);
    const asked: Asked = { atMs: clock.monotonicMs(), report, known: before?.known ?? NOTHING };
    report.then(
      (answer) => {
        asked.known = answer;
      },
      () => undefined,
    );
    questions.delete(key);
    questions.set(key, asked);
    for (const oldest of questions.keys()) {
      if (questions.size <= REMEMBERED_COUNT) break;
      questions.delete(oldest);
    }
    return asked;
  };
  return async (poolUids, patienceMs) => {
    const asked = ask(poolUids.join(" "), poolUids);
    if (patienceMs === undefined) return asked.report;
    const late = clock.sleep(patienceMs).then(() => asked.known);
    return Promise.race([asked.report, late]);
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
