import { GridTable } from "../../components/grid-table.tsx";
import { useTexts } from "../../i18n/use-texts.ts";
import type { Difference } from "./differences.ts";

const COLUMNS = ["operations.field", "operations.before", "operations.after"] as const;

/** What changed, field by field. */
export function DifferenceTable(props: {
  readonly changes: readonly Difference[];
  /** Whose, where there are several tables. */
  readonly of?: string;
}) {
  const say = useTexts();
  const { changes, of } = props;
  const label = say("operations.changes");
  return (
    <GridTable label={of === undefined ? label : `${label}: ${of}`} columns={COLUMNS} className="wrapping">
      {changes.map(({ field, before, after }) => (
        <tr key={field}>
          <td className="mono">{field}</td>
          <td className="mono bad">{before ?? "–"}</td>
          <td className="mono good">{after ?? "–"}</td>
        </tr>
      ))}
    </GridTable>
  );
}
