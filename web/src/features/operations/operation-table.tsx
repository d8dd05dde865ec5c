import { Button } from "@mantine/core";
import { useState } from "react";
import type { OperationRow } from "../../../../src/model/console/operation-views.ts";
import { WideTable } from "../../components/panel.tsx";
import { useTexts } from "../../i18n/use-texts.ts";
import { formatTime } from "../../lib/format.ts";
import { OperationDialog } from "./operation-dialog.tsx";

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
      <WideTable label={say("operations.title")}>
        <table className="grid">
          <thead>
            <tr>
              <th scope="col">{say("operations.column.time")}</th>
              <th scope="col">{say("operations.column.operator")}</th>
              <th scope="col">{say("operations.column.verb")}</th>
              <th scope="col">{say("operations.column.object")}</th>
              <th scope="col">{say("operations.column.reason")}</th>
              <th scope="col">{say("pools.column.actions")}</th>
            </tr>
          </thead>
          <tbody>
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
          </tbody>
        </table>
      </WideTable>
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
