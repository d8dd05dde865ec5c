import { Button } from "@mantine/core";
import { useState } from "react";
import type { OperationRow } from "../../../../src/model/console/operation-views.ts";
import { GridTable } from "../../components/grid-table.tsx";
import { useTexts } from "../../i18n/use-texts.ts";
import { formatTime } from "../../lib/format.ts";
import { OperationDialog } from "./operation-dialog.tsx";

const COLUMNS = [
  "operations.column.time",
  "operations.column.operator",
  "operations.column.verb",
  "operations.column.object",
  "operations.column.reason",
  "pools.column.actions",
] as const;

/** Operations, newest first, each with what it changed. */
export function OperationTable(props: {
  readonly rows: readonly OperationRow[];
  /** Leaves out which object it was, unless it is another kind. */
  readonly isOfOneObject?: boolean;
}) {
  const say = useTexts();
  const [shown, setShown] = useState<OperationRow>();
  if (props.rows.length === 0) return <p className="dimmed">{say("operations.none")}</p>;
  return (
    <>
      <GridTable label={say("operations.title")} columns={COLUMNS}>
        {props.rows.map((row) => (
          <tr key={row.name}>
            <td>
              <time dateTime={row.time}>{formatTime(row.time)}</time>
            </td>
            <td>{row.operator}</td>
            <td>{say(`verb.${row.verb}`)}</td>
            <td>
              <ObjectName row={row} isShort={props.isOfOneObject === true} />
            </td>
            <td>
              <span className="reason" title={row.reason}>
                {row.reason}
              </span>
            </td>
            <td>
              <Button
                size="compact-sm"
                variant="default"
                aria-label={say("operations.show.of", { time: formatTime(row.time) })}
                onClick={() => setShown(row)}
              >
                {say("operations.show")}
              </Button>
            </td>
          </tr>
        ))}
      </GridTable>
      {shown && <OperationDialog row={shown} onClose={() => setShown(undefined)} />}
    </>
  );
}

function ObjectName({ row, isShort }: { readonly row: OperationRow; readonly isShort: boolean }) {
  const place = row.namespace === "" ? row.object : `${row.namespace}/${row.object}`;
  return (
    <>
      {isShort ? row.kind : `${row.kind} ${place}`}
      {row.member !== undefined && <span className="mono"> {row.member}</span>}
    </>
  );
}
