import { describe, expect, it } from "vitest";
import { parseBody } from "./body.ts";
import { duplicateKeys } from "./duplicate-keys.ts";

const json = (text: string) => () => parseBody(Buffer.from(text), "json");
const yaml = (text: string) => () => parseBody(Buffer.from(text), "yaml");

describe("parseBody", () => {
  it("says at which line and column JSON is malformed", () => {
    expect(json('{"a": 1,\n "b" 3}')).toThrow("line 2, column 6");
  });

  it("says that JSON is cut off", () => {
    expect(json('{"a": [1')).toThrow(/Cannot read the body as JSON: .*line 1, column 9/);
  });

  it("says at which line and column YAML is malformed", () => {
    expect(yaml("a: 1\nb: [1, 2\nc: 3")).toThrow(/Cannot read the body as YAML: .*line 3/s);
  });

  it("refuses a key that YAML has twice", () => {
    expect(yaml("a: 1\na: 2")).toThrow("Map keys must be unique");
  });

  it("reads YAML to the same value as JSON", () => {
    const read = yaml("spec:\n  members:\n  - { ip: 10.0.0.1, port: 80 }\n  on: true");
    expect(read().value).toEqual({ spec: { members: [{ ip: "10.0.0.1", port: 80 }], on: true } });
  });

  it("refuses an alias bomb", () => {
    const lines = ["a: &a [x, x, x, x, x, x, x, x, x]"];
    for (const [name, before] of ["ba", "cb", "dc", "ed", "fe", "gf", "hg"].map((pair) => pair.split(""))) {
      lines.push(`${name}: &${name} [${Array.from({ length: 9 }, () => `*${before}`).join(", ")}]`);
    }
    expect(yaml(lines.join("\n"))).toThrow("aliases expand too far");
  });

  it.each([
    ["JSON", json('{"spec": {"__proto__": {"polluted": true}}}')],
    ["YAML", yaml("spec:\n  __proto__:\n    polluted: true")],
  ])("refuses a __proto__ key in %s", (_format, parse) => {
    expect(parse).toThrow('the key "__proto__" is not allowed');
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
  });

  it("refuses to nest 65 levels deep, before anything recurses into it", () => {
    expect(json(`${"[".repeat(66)}${"]".repeat(66)}`)).toThrow("nests deeper than 64 levels");
  });

  it("reports keys that JSON has twice, with their paths", () => {
    const text = '{"a": 1, "spec": {"members": [{"ip": "x"}, {"port": 1, "port": 2}]}, "a": 2}';
    expect(json(text)().duplicates.map(({ field }) => field)).toEqual(["spec.members[1].port", "a"]);
  });
});

describe("duplicateKeys", () => {
  it.each([
    ['{"a": "b", "b": "a", "c": ["a", "a"]}', []],
    ['{"a": {"x": 1}, "b": {"x": 1}}', []],
    ['{"a\\"": 1, "a": {"}": ","}}', []],
    ['[{"a": 1}, {"a": 1, "\\u0061": 2}]', ["[1].a"]],
    ['{"a": [1, [2, {"b": 1, "b" : 2}]]}', ["a[1][1].b"]],
  ])("finds in %s: %j", (text, expected) => {
    expect(duplicateKeys(text)).toEqual(expected);
  });
});
