import { describe, expect, it } from "vitest";
import { decodeYaml } from "./yaml.ts";

function firstValue(text: string): unknown {
  return decodeYaml(text)[0]?.value;
}

describe("decodeYaml", () => {
  // What kubectl 1.32 made of each, measured.
  it.each<[string, unknown]>([
    ["on", true],
    ["yes", true],
    ["y", true],
    ["off", false],
    ["No", false],
    ["n", false],
    ["true", true],
    ["TRUE", true],
    ["0777", 511],
    ["-017", -15],
    ["0o17", 15],
    ["0x1F", 31],
    ["0b101", 5],
    ["1_000", 1000],
    ["08", 8],
    ["1e3", 1000],
    [".5", 0.5],
    ["1:30", "1:30"],
    ["2001-01-01", "2001-01-01"],
    ["~", null],
    ["'yes'", "yes"],
    ['"0777"', "0777"],
    ["10.0.0.1", "10.0.0.1"],
    ["tRue", "tRue"],
  ])("reads %s as kubectl does", (text, expected) => {
    expect(firstValue(`field: ${text}`)).toEqual({ field: expected });
  });

  it("reads every document of a stream with its line, and skips those without content", () => {
    expect(decodeYaml("---\na: 1\n---\n# nothing\n---\nb: 2\n...\n")).toEqual([
      { value: { a: 1 }, line: 2 },
      { value: { b: 2 }, line: 6 },
    ]);
  });

  it("reads a JSON file as what it is, and a flow mapping that only looks like one", () => {
    expect(decodeYaml('\n{"a": "yes", "b": [1]}')).toEqual([{ value: { a: "yes", b: [1] }, line: 2 }]);
    expect(decodeYaml("{a: yes}\n---\n{b: 1}")).toEqual([
      { value: { a: true }, line: 1 },
      { value: { b: 1 }, line: 3 },
    ]);
  });

  it("follows anchors, aliases and merge keys", () => {
    const text = "base: &base {scheduler: lc}\npool: {<<: *base, drainSeconds: 5}\n";
    expect(firstValue(text)).toMatchObject({ pool: { scheduler: "lc", drainSeconds: 5 } });
  });

  it("makes __proto__ a field like any other", () => {
    const value = firstValue("__proto__: {polluted: true}\n") as object;
    expect(Object.keys(value)).toEqual(["__proto__"]);
    expect(({} as Record<string, unknown>)["polluted"]).toBeUndefined();
  });

  const bomb = `a: &a [${"x,".repeat(9)}x]\nb: &b [${"*a,".repeat(9)}*a]\nc: &c [${"*b,".repeat(9)}*b]\nd: [${"*c,".repeat(9)}*c]\n`;

  const nested = Array.from({ length: 150 }, (_, level) => `${" ".repeat(level)}a:`).join("\n");

  it.each<[string, string, string]>([
    ["a duplicate key", "a: 1\nspec:\n  port: 1\n  port: 2\n", 'line 4: key "port" is given twice'],
    ["a duplicate key in JSON style", '{"a": 1, "a": 2}', 'line 1: key "a" is given twice'],
    ["an alias bomb", bomb, "more than 100 aliases are expanded in one document"],
    ["an alias of nothing", "a: *nope\n", 'line 1: alias "*nope" has no anchor before it'],
    ["a tab", "a:\n\tb: 1\n", "line 2: Tabs are not allowed as indentation"],
    ["an open list", "a: [1", "line 1:"],
    ["10,000 open lists", "[".repeat(10_000), "line 1: nested more than 100 levels deep"],
    ["20,000 lists in lists", "- ".repeat(20_000), "line 1: nested more than 100 levels deep"],
    ["150 maps in maps", nested, "line 100: nested more than 100 levels deep"],
  ])("refuses %s and says where", (_, text, message) => {
    expect(() => decodeYaml(text)).toThrowError(
      expect.objectContaining({ code: "BadRequest", message: expect.stringContaining(message) }),
    );
  });

  it("refuses a text above the limit before it is parsed", () => {
    expect(() => decodeYaml("a: bcd", { maxLength: 5 })).toThrowError(
      expect.objectContaining({ code: "TooLarge" }),
    );
  });
});
