const GAP = "   ";

/** A table whose column widths are settled by its first rows, so that later rows line up with them. */
export interface Table {
  /** The line of headings. */
  readonly heading: string;
  /** Further lines; a cell that is wider than its column pushes the others. */
  render(rows: readonly (readonly string[])[]): string;
}

/** A table as kubectl makes it: columns padded to the widest cell, three blanks between them. */
export function createTable(headings: readonly string[], rows: readonly (readonly string[])[]): Table {
  const widths = headings.map((_, column) =>
    Math.max(...[headings, ...rows].map((line) => width(line[column] ?? ""))),
  );
  return {
    heading: renderLine(headings, widths),
    render: (more) => more.map((line) => renderLine(line, widths)).join(""),
  };
}

/** A whole table at once; every line ends in a newline. */
export function renderTable(headings: readonly string[], rows: readonly (readonly string[])[]): string {
  const table = createTable(headings, rows);
  return table.heading + table.render(rows);
}

function renderLine(cells: readonly string[], widths: readonly number[]): string {
  const padded = widths.map((size, column) => {
    const cell = cells[column] ?? "";
    return cell + " ".repeat(Math.max(0, size - width(cell)));
  });
  return `${padded.join(GAP).trimEnd()}\n`;
}

const ESCAPES = new RegExp(`${String.fromCharCode(27)}\\[[0-9;]*m`, "g");

function width(cell: string): number {
  return [...cell.replaceAll(ESCAPES, "")].length;
}
