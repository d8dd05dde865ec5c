import type { OperationRow } from "../../../../src/model/console/operation-views.ts";
import type { MemberRow, PoolDetail } from "../../../../src/model/console/pool-views.ts";

/** One point in a pool's time. */
export type TimelineEntry =
  | { readonly kind: "operation"; readonly time: string; readonly row: OperationRow }
  | { readonly kind: "verdict"; readonly time: string; readonly member: MemberRow };

const SHOWN_ENTRIES = 20;

/** Joins the last verdict of each member with the operations, newest first. */
export function timelineOf({
  members,
  operations,
}: Pick<PoolDetail, "members" | "operations">): TimelineEntry[] {
  const verdicts = members
    .filter(({ since }) => since !== "")
    .map((member): TimelineEntry => ({ kind: "verdict", time: member.since, member }));
  const changes = operations.map((row): TimelineEntry => ({ kind: "operation", time: row.time, row }));
  return [...verdicts, ...changes]
    .sort((a, b) => Date.parse(b.time) - Date.parse(a.time))
    .slice(0, SHOWN_ENTRIES);
}
