import type { DownMember, FailingOpenPool, HealthReport, NodeRow, Pool } from "../../model/index.ts";
import { downMembersOf } from "./down-members.ts";
import type { PoolCatalogue } from "./pool-catalogue.ts";
import type { PoolSummary } from "./pool-summary.ts";
import { parseSearch, type SearchTerm } from "./search.ts";

const SHOWN_POOLS = 50;
const FIELDS = ["pool", "namespace", "member", "reason"] as const;

/** Who asks for what part of the report. */
export interface HealthQuestion {
  readonly search: string;
  /** Place of the first member, a count from 0. */
  readonly offsetCount: number;
  /** Most members, a count. */
  readonly limitCount: number;
  /** Whether pools of a namespace may be seen. */
  readonly maySee: (namespace: string) => boolean;
}

/**
 * Says what is down, what went down last first.
 *
 * @param nodes Absent: who asks may not see them.
 */
export function reportHealth(
  catalogue: PoolCatalogue,
  { search, offsetCount, limitCount, maySee }: HealthQuestion,
  nodes: readonly NodeRow[] | undefined,
): HealthReport {
  const entries = catalogue.entries(maySee);
  const terms = parseSearch(search, FIELDS);
  const down = entries.flatMap(downIn);
  const found = down.filter((member) => terms.every((term) => matches(member, term)));
  found.sort((a, b) => (a.since === b.since ? 0 : a.since < b.since ? 1 : -1));
  const failingOpen = entries.filter(({ summary }) => summary.isFailingOpen);
  return {
    members: {
      up: sumOf(entries, ({ upCount }) => upCount),
      down: down.length,
      unchecked: sumOf(entries, ({ memberCount, upCount, downCount }) => memberCount - upCount - downCount),
    },
    reasons: countReasons(found),
    matchCount: found.length,
    offsetCount,
    rows: found.slice(offsetCount, offsetCount + limitCount),
    failingOpen: failingOpen.slice(0, SHOWN_POOLS).map(({ summary }) => failingOpenPool(summary)),
    failingOpenCount: failingOpen.length,
    ...(nodes ? { nodes: nodes.filter(({ isReady }) => !isReady) } : {}),
  };
}

function downIn({ pool, summary }: { readonly pool: Pool; readonly summary: PoolSummary }): DownMember[] {
  // Most pools have nothing down, and are not looked into.
  if (summary.downCount === 0) return [];
  const { namespace, name, state: poolState } = summary;
  return downMembersOf(pool).map((member) => ({ ...member, namespace, pool: name, poolState }));
}

function failingOpenPool({ namespace, name, upCount, memberCount }: PoolSummary): FailingOpenPool {
  return { namespace, name, upCount, memberCount };
}

function matches({ namespace, pool, ip, port, reason }: DownMember, { field, text }: SearchTerm): boolean {
  const texts = { pool, namespace, member: `${ip}:${port}`, reason: reason.toLowerCase() };
  if (field !== undefined) return texts[field as (typeof FIELDS)[number]].includes(text);
  return [`${namespace}/${pool}`, texts.member, texts.reason].some((each) => each.includes(text));
}

/** By the code that the reason begins with: `L4CON`. */
function countReasons(members: readonly DownMember[]): HealthReport["reasons"] {
  const counts = new Map<string, number>();
  for (const { reason } of members) {
    const code = reason.split(" ")[0] ?? "";
    counts.set(code, (counts.get(code) ?? 0) + 1);
  }
  return [...counts].map(([code, count]) => ({ code, count })).sort((a, b) => b.count - a.count);
}

function sumOf(
  entries: readonly { readonly summary: PoolSummary }[],
  read: (summary: PoolSummary) => number,
): number {
  return entries.reduce((sum, { summary }) => sum + read(summary), 0);
}
