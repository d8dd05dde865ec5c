import type { KubeObject, PrinterColumn, ResourceDefinition } from "../../model/index.ts";
import type { WatchEvent } from "../../resources/index.ts";
import { qualifiedName, type Target } from "../client/kinds.ts";
import { type Invocation, isSet, textOption } from "../verb.ts";
import { formatAge } from "./age.ts";
import { writeStructured } from "./structured.ts";
import { createTable, type Table } from "./table.ts";

type ObjectEvent = Exclude<WatchEvent, { type: "BOOKMARK" }>;

/** Prints objects in the format that was asked for. */
export interface ObjectPrinter {
  /** Whether the output is a table. */
  readonly isForPeople: boolean;
  add(target: Target, objects: readonly KubeObject[]): Promise<void>;
  /** After all were added. */
  finish(): Promise<void>;
  /** One change, after `finish`. */
  change(target: Target, event: ObjectEvent): Promise<void>;
}

/** A printer for the invocation's `--output`. */
export function createObjectPrinter(invocation: Invocation, hasManyKinds: boolean): ObjectPrinter {
  const format = textOption(invocation, "output") ?? "table";
  if (format === "name") return namePrinter(invocation);
  if (format === "json" || format === "yaml") return structuredPrinter(invocation, format);
  return tablePrinter(invocation, format === "wide", hasManyKinds);
}

function namePrinter({ terminal }: Invocation): ObjectPrinter {
  const write = ({ definition }: Target, object: KubeObject) =>
    terminal.stdout.write(`${qualifiedName(definition, object.metadata.name)}\n`);
  return {
    isForPeople: false,
    add: async (target, objects) => {
      for (const object of objects) write(target, object);
    },
    finish: async () => undefined,
    change: async (target, event) => write(target, event.object),
  };
}

/** One named object is printed by itself, anything else as a List. */
function structuredPrinter(invocation: Invocation, format: string): ObjectPrinter {
  const { stdout } = invocation.terminal;
  const items: KubeObject[] = [];
  let isSingle = true;
  let changes = 0;
  return {
    isForPeople: false,
    add: async (target, objects) => {
      isSingle &&= target.name !== undefined && items.length === 0;
      items.push(...objects);
    },
    finish: async () => {
      const list = { apiVersion: "v1", items, kind: "List", metadata: { resourceVersion: "" } };
      await writeStructured(stdout, format, isSingle ? items[0] : list);
    },
    change: async (_target, event) => {
      changes += 1;
      if (format === "yaml" && changes > 0) stdout.write("---\n");
      await writeStructured(stdout, format, event.object);
    },
  };
}

function tablePrinter(invocation: Invocation, isWide: boolean, hasManyKinds: boolean): ObjectPrinter {
  const { stdout } = invocation.terminal;
  const withNamespace = isSet(invocation, "allNamespaces");
  const withHeadings = invocation.options["headers"] !== false;
  const tables = new Map<ResourceDefinition, Table>();
  const rowOf = (definition: ResourceDefinition, object: KubeObject) => {
    const now = new Date();
    const cells = columnsOf(definition, isWide).map((column) => renderCell(column, object, now));
    if (hasManyKinds) cells[0] = qualifiedName(definition, cells[0] ?? "");
    return withNamespace && definition.namespaced ? [object.metadata.namespace ?? "", ...cells] : cells;
  };
  return {
    isForPeople: true,
    add: async ({ definition }, objects) => {
      if (objects.length === 0) return;
      const table = tables.get(definition);
      const rows = objects.map((object) => rowOf(definition, object));
      if (table) {
        stdout.write(table.render(rows));
        return;
      }
      if (tables.size > 0) stdout.write("\n");
      const headings = columnsOf(definition, isWide).map(({ name }) => name.toUpperCase());
      const all = withNamespace && definition.namespaced ? ["NAMESPACE", ...headings] : headings;
      const made = createTable(all, rows);
      tables.set(definition, made);
      stdout.write((withHeadings ? made.heading : "") + made.render(rows));
    },
    finish: async () => undefined,
    change: async function change(target, event) {
      if (!tables.has(target.definition)) return this.add(target, [event.object]);
      const rows = [rowOf(target.definition, event.object)];
      stdout.write(tables.get(target.definition)?.render(rows) ?? "");
    },
  };
}

function columnsOf(definition: ResourceDefinition, isWide: boolean): readonly PrinterColumn[] {
  return definition.columns.filter(({ priority }) => isWide || priority === 0);
}

function renderCell(column: PrinterColumn, object: KubeObject, now: Date): string {
  const value = column.cell(object);
  if (value === null || value === "") return "<none>";
  return column.type === "date" ? formatAge(String(value), now) : String(value);
}
