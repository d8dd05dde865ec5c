import { renderTable } from "../output/table.ts";

/** One part of a description: a fact, a table, or a heading over facts. */
export type Part =
  | { readonly kind: "fact"; readonly name: string; readonly value: string | readonly string[] }
  | { readonly kind: "facts"; readonly name: string; readonly facts: readonly (readonly [string, string])[] }
  | {
      readonly kind: "table";
      readonly name: string;
      readonly headings: readonly string[];
      readonly rows: readonly (readonly string[])[];
    };

/** A fact; absent values are shown as `<none>`. */
export function fact(name: string, value: string | number | readonly string[] | undefined): Part {
  if (value === undefined || value === "") return { kind: "fact", name, value: "<none>" };
  return { kind: "fact", name, value: typeof value === "number" ? String(value) : value };
}

/** Lays parts out as kubectl's `describe` does: names in one column, values in the next. */
export function renderDescription(parts: readonly Part[]): string {
  const indent = Math.max(...parts.map(({ name }) => name.length)) + 3;
  return parts.map((part) => renderPart(part, indent)).join("");
}

function renderPart(part: Part, indent: number): string {
  if (part.kind === "fact") return renderFact(part.name, part.value, indent);
  if (part.kind === "facts") {
    const width = Math.max(0, ...part.facts.map(([name]) => name.length)) + 3;
    const lines = part.facts.map(([name, value]) => `  ${`${name}:`.padEnd(width)}${value}`.trimEnd());
    return `${part.name}:\n${lines.join("\n")}\n`;
  }
  if (part.rows.length === 0) return renderFact(part.name, "<none>", indent);
  const table = renderTable(part.headings, part.rows).replaceAll(/^(?=.)/gm, "  ");
  return `${part.name}:\n${table}`;
}

function renderFact(name: string, value: string | readonly string[], indent: number): string {
  const values = typeof value === "string" ? [value] : value;
  const shown = values.length === 0 ? ["<none>"] : values;
  return shown
    .map((line, index) => `${(index === 0 ? `${name}:` : "").padEnd(indent)}${line}`.trimEnd())
    .map((line) => `${line}\n`)
    .join("");
}
