import type { PrinterColumn } from "./definition.ts";
import type { KubeObject } from "./object.ts";

/** What a cell shows when there is nothing to show; kubectl's word. */
export const NONE = "<none>";

interface ColumnOptions<Kind extends KubeObject> {
  readonly description: string;
  readonly type?: PrinterColumn["type"];
  readonly wide?: boolean;
  readonly cell: (object: Kind) => string | number | null | undefined;
}

/** Makes the columns of one kind, so that cells are written against the kind's own type. */
export function columnsOf<Kind extends KubeObject>(
  columns: Readonly<Record<string, ColumnOptions<Kind>>>,
): PrinterColumn[] {
  return Object.entries(columns).map(([name, { type = "string", wide, description, cell }]) => ({
    name,
    type,
    priority: wide ? 1 : 0,
    description,
    cell: (object) => emptyToNone(cell(object as Kind)),
  }));
}

function emptyToNone(value: string | number | null | undefined): string | number | null {
  return value === undefined || value === "" ? NONE : value;
}

/** The NAME column. */
export const NAME = {
  description: "Name of the object.",
  cell: (object: KubeObject) => object.metadata.name,
};

/** The AGE column. */
export const AGE = {
  description: "Time since the object was created.",
  type: "date" as const,
  cell: (object: KubeObject) => object.metadata.creationTimestamp ?? null,
};
