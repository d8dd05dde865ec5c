import { describe, expect, it } from "vitest";
import { parseBody } from "./body.ts";

const json = (text: string) => () => parseBody(Buffer.from(text), "json");
const yaml = (text: string) => () => parseBody(Buffer.from(text), "yaml");

describe("parseBody", () => {
  it("says at which line and column JSON is malformed", () => {
    // The words before it are V8's own and differ between versions of Node.js.
    expect(json('{"a": 1,\n "b" 3}')).toThrow(/^Cannot read JSON: .+ in JSON at line 2, column 6$/);
  });

  it("says at which line YAML is malformed", () => {
    expect(yaml("a: 1\nb: [1, 2\nc: 3")).toThrow(/Cannot read YAML: line 3/);
  });

  it("reads YAML to the same value as JSON", () => {
    const read = yaml("spec:\n  members:\n  - { ip: 10.0.0.1, port: 80 }");
    expect(read().value).toEqual({ spec: { members: [{ ip: "10.0.0.1", port: 80 }] } });
  });

  it("refuses a second document, which would be ignored", () => {
    expect(yaml("a: 1\n---\na: 2")).toThrow("a request holds one document");
  });

  it.each([
    ["JSON", json('{"spec": {"__proto__": {"polluted": true}}}')],
    ["YAML", yaml("spec:\n  __proto__:\n    polluted: true")],
  ])("refuses a __proto__ key in %s", (_format, parse) => {
    expect(parse).toThrow('the key "__proto__" is not allowed');
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
  });

  it("reports keys that JSON has twice, with their paths", () => {
    const text = '{"a": 1, "spec": {"members": [{"ip": "x"}, {"port": 1, "port": 2}]}, "a": 2}';
    expect(json(text)().duplicates.map(({ field }) => field)).toEqual(["spec.members[1].port", "a"]);
  });
});
