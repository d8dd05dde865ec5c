import { expect, it } from "vitest";
import { fact, renderDescription } from "../describe/layout.ts";
import { formatAge } from "./age.ts";
import { createTable, renderTable } from "./table.ts";

it("pads columns to the widest cell and leaves no blanks at the end of lines", () => {
  expect(
    renderTable(
      ["NAME", "UP", "AGE"],
      [
        ["snake-demo", "2/3", "5s"],
        ["a", "", ""],
      ],
    ),
  ).toBe("NAME         UP    AGE\nsnake-demo   2/3   5s\na\n");
});

it("lines later rows up with the first ones, and does not count colours", () => {
  const table = createTable(["NAME", "UP"], [["\u001b[1mweb\u001b[22m", "1"]]);
  expect(
    table.render([
      ["w", "2"],
      ["longer", "3"],
    ]),
  ).toBe("w      2\nlonger   3\n");
});

it.each([
  [0, "0s"],
  [119, "119s"],
  [125, "2m5s"],
  [600, "10m"],
  [3 * 3600, "3h"],
  [7 * 3600 + 60, "7h1m"],
  [47 * 3600, "47h"],
  [3 * 86_400 + 7200, "3d2h"],
  [400 * 86_400, "400d"],
  [3 * 365 * 86_400, "3y"],
])("prints an age of %d s as %s, like kubectl", (seconds, text) => {
  expect(formatAge("2026-01-01T00:00:00Z", new Date(Date.UTC(2026, 0, 1) + seconds * 1000))).toBe(text);
});

it("prints an unknown age as such", () => {
  expect(formatAge(undefined, new Date())).toBe("<unknown>");
});

it("lays a description out in two columns, tables indented", () => {
  const text = renderDescription([
    fact("Name", "web"),
    fact("Labels", ["a=1", "b=2"]),
    fact("Annotations", []),
    { kind: "table", name: "Members", headings: ["ADDRESS"], rows: [["10.0.0.1:80"]] },
    { kind: "table", name: "Conditions", headings: ["TYPE"], rows: [] },
    {
      kind: "facts",
      name: "Spec",
      facts: [
        ["a", "1"],
        ["long", "2"],
      ],
    },
  ]);
  expect(text).toBe(`Name:         web
Labels:       a=1
              b=2
Annotations:  <none>
Members:
  ADDRESS
  10.0.0.1:80
Conditions:   <none>
Spec:
  a:     1
  long:  2
`);
});
