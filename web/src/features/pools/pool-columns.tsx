import type { ComponentType } from "react";
import type { PoolRow, PoolSortKey } from "../../../../src/model/console/pool-views.ts";
import { MemberBar } from "../../components/member-bar.tsx";
import { StateMark } from "../../components/state-mark.tsx";
import { TimeAgo } from "../../components/time-ago.tsx";
import { type TextKey, useTexts } from "../../i18n/use-texts.ts";
import { formatNumber } from "../../lib/format.ts";
import { PoolActions } from "./pool-actions.tsx";
import { PoolName } from "./pool-name.tsx";

/** One column of the table of pools. */
export interface PoolColumn {
  readonly text: TextKey;
  /** Absent: cannot be sorted by. */
  readonly sort?: PoolSortKey;
  readonly isNumber?: boolean;
  readonly Cell: ComponentType<{ readonly row: PoolRow }>;
}

/** The columns, in order. */
export const POOL_COLUMNS: readonly PoolColumn[] = [
  { text: "pools.column.name", sort: "name", Cell: PoolName },
  { text: "pools.column.state", sort: "state", Cell: ({ row }) => <StateMark state={row.state} /> },
  { text: "pools.column.address", sort: "address", Cell: Addresses },
  { text: "pools.column.port", sort: "port", isNumber: true, Cell: Ports },
  { text: "pools.column.protocol", sort: "protocol", Cell: ({ row }) => row.protocol },
  { text: "pools.column.scheduler", sort: "scheduler", Cell: ({ row }) => row.scheduler },
  { text: "pools.column.members", Cell: Members },
  { text: "pools.column.connections", isNumber: true, Cell: Connections },
  { text: "pools.column.operator", sort: "operator", Cell: ({ row }) => row.last?.operator ?? "–" },
  { text: "pools.column.time", sort: "time", Cell: LastTime },
  { text: "pools.column.actions", Cell: PoolActions },
];

interface CellProps {
  readonly row: PoolRow;
}

function Addresses({ row }: CellProps) {
  const say = useTexts();
  if (row.addresses.length === 0) return <em>{say("pools.pending")}</em>;
  const ips = [...new Set(row.addresses.map(({ ip }) => ip))];
  return ips.map((ip) => (ip === "*" ? say("pools.allNodes") : ip)).join(", ");
}

function Ports({ row }: CellProps) {
  return [...new Set(row.addresses.map(({ port }) => port))].join(", ");
}

/** How many members are up, and whether that is ignored. */
export function Members({ row }: CellProps) {
  const say = useTexts();
  return (
    <>
      <MemberBar up={row.upCount} down={row.downCount} count={row.memberCount} />
      {row.isFailingOpen && (
        <span className="warning-word" title={say("members.failOpen.hint")}>
          {say("members.failOpen")}
        </span>
      )}
    </>
  );
}

function Connections({ row }: CellProps) {
  return row.connectionCount === undefined ? "–" : formatNumber(row.connectionCount);
}

function LastTime({ row }: CellProps) {
  return row.last ? <TimeAgo time={row.last.time} /> : "–";
}
