import type { KubeObject, PrinterColumn, ResourceDefinition } from "../../model/index.ts";
import { formatAge } from "./age.ts";
import type { IncludeObject } from "./representation.ts";

/** What a table's own metadata says: where the list stands. */
export interface TableMetadata {
  readonly resourceVersion?: string;
  readonly continue?: string;
  /** Objects behind `continue`. */
  readonly remainingItemCount?: number;
}

/** Joins what is not stored, for the cells of a row alone: the object beside them stays as it is stored. */
export type JoinForRow = (object: KubeObject) => KubeObject;

const asStored: JoinForRow = (object) => object;

/** Objects as rows: `kubectl get` prints the cells as they are. */
export function toTable(
  definition: ResourceDefinition,
  objects: readonly KubeObject[],
  metadata: TableMetadata,
  includeObject: IncludeObject,
  now: Date,
  joined: JoinForRow = asStored,
): object {
  return {
    kind: "Table",
    apiVersion: "meta.k8s.io/v1",
    metadata,
    columnDefinitions: definition.columns.map(columnOf),
    rows: objects.map((object) => rowOf(definition, object, includeObject, now, joined)),
  };
}

/** One row of a table. */
export function rowOf(
  { columns }: ResourceDefinition,
  object: KubeObject,
  includeObject: IncludeObject,
  now: Date,
  joined: JoinForRow = asStored,
): unknown {
  const told = joined(object);
  const cells = columns.map((column) => cellOf(column, told, now));
  if (includeObject === "None") return { cells };
  return { cells, object: includeObject === "Object" ? object : metadataOnly(object) };
}

/** An object without spec and status. */
export function metadataOnly(object: KubeObject): unknown {
  return { kind: "PartialObjectMetadata", apiVersion: "meta.k8s.io/v1", metadata: object.metadata };
}

function columnOf(column: PrinterColumn): unknown {
  const format = column.name.toLowerCase() === "name" ? "name" : "";
  return {
    name: column.name,
    type: column.type,
    format,
    description: column.description,
    priority: column.priority,
  };
}

function cellOf(column: PrinterColumn, object: KubeObject, now: Date): string | number {
  const cell = column.cell(object);
  if (cell === null) return column.type === "date" ? "<unknown>" : "<none>";
  return column.type === "date" ? formatAge(String(cell), now) : cell;
}
