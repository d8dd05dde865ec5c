import type { ReactNode } from "react";
import { type TextKey, useTexts } from "../i18n/use-texts.ts";

interface GridTableProps {
  /** What the table shows, for who does not see it. */
  readonly label: string;
  /** Names of the columns, from left to right. */
  readonly columns: readonly TextKey[];
  readonly className?: string;
  /** Rows. */
  readonly children: ReactNode;
}

/** A table that scrolls sideways by itself where it is wider than the screen. */
export function GridTable({ label, columns, className = "", children }: GridTableProps) {
  const say = useTexts();
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reached with the keyboard
    <section className="wide-table" tabIndex={0} aria-label={say("panel.table", { name: label })}>
      <table className={`grid ${className}`}>
        <thead>
          <tr>
            {columns.map((column) => (
              <th key={column} scope="col">
                {say(column)}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>{children}</tbody>
      </table>
    </section>
  );
}
