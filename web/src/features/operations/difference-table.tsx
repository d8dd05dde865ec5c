import { WideTable } from "../../components/panel.tsx";
import { useTexts } from "../../i18n/use-texts.ts";
import type { Difference } from "./differences.ts";

/** What changed, field by field. */
export function DifferenceTable({ changes }: { readonly changes: readonly Difference[] }) {
  const say = useTexts();
  return (
    <WideTable label={say("operations.changes")}>
      <table className="grid wrapping">
        <thead>
          <tr>
            <th scope="col">{say("operations.field")}</th>
            <th scope="col">{say("operations.before")}</th>
            <th scope="col">{say("operations.after")}</th>
          </tr>
        </thead>
        <tbody>
          {changes.map(({ field, before, after }) => (
            <tr key={field}>
              <td className="mono">{field}</td>
              <td className="mono bad">{before ?? "–"}</td>
              <td className="mono good">{after ?? "–"}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </WideTable>
  );
}
