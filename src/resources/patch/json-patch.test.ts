import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { applyJsonPatch } from "./json-patch.ts";

function refusal(code: string, message: string): unknown {
  return expect.objectContaining({ code, message: expect.stringContaining(message) });
}

describe("applyJsonPatch", () => {
  // The examples of RFC 6902, appendix A.
  it.each<[string, unknown, unknown[], unknown]>([
    [
      "A.1 adds a member",
      { foo: "bar" },
      [{ op: "add", path: "/baz", value: "qux" }],
      { foo: "bar", baz: "qux" },
    ],
    [
      "A.2 adds an element",
      { foo: ["bar", "baz"] },
      [{ op: "add", path: "/foo/1", value: "qux" }],
      { foo: ["bar", "qux", "baz"] },
    ],
    ["A.3 removes a member", { baz: "qux", foo: "bar" }, [{ op: "remove", path: "/baz" }], { foo: "bar" }],
    [
      "A.4 removes an element",
      { foo: ["bar", "qux", "baz"] },
      [{ op: "remove", path: "/foo/1" }],
      { foo: ["bar", "baz"] },
    ],
    [
      "A.5 replaces",
      { baz: "qux", foo: "bar" },
      [{ op: "replace", path: "/baz", value: "boo" }],
      { baz: "boo", foo: "bar" },
    ],
    [
      "A.6 moves a value",
      { foo: { bar: "baz", waldo: "fred" }, qux: { corge: "grault" } },
      [{ op: "move", from: "/foo/waldo", path: "/qux/thud" }],
      { foo: { bar: "baz" }, qux: { corge: "grault", thud: "fred" } },
    ],
    [
      "A.7 moves an element",
      { foo: ["all", "grass", "cows", "eat"] },
      [{ op: "move", from: "/foo/1", path: "/foo/3" }],
      { foo: ["all", "cows", "eat", "grass"] },
    ],
    [
      "A.8 tests",
      { baz: "qux", foo: ["a", 2, "c"] },
      [
        { op: "test", path: "/baz", value: "qux" },
        { op: "test", path: "/foo/1", value: 2 },
      ],
      { baz: "qux", foo: ["a", 2, "c"] },
    ],
    [
      "A.10 adds a nested object",
      { foo: "bar" },
      [{ op: "add", path: "/child", value: { grandchild: {} } }],
      { foo: "bar", child: { grandchild: {} } },
    ],
    [
      "A.11 ignores unknown fields",
      { foo: "bar" },
      [{ op: "add", path: "/baz", value: "qux", xyz: 123 }],
      { foo: "bar", baz: "qux" },
    ],
    ["A.14 escapes", { "/": 9, "~1": 10 }, [{ op: "test", path: "/~01", value: 10 }], { "/": 9, "~1": 10 }],
    [
      "A.16 adds to the end",
      { foo: ["bar"] },
      [{ op: "add", path: "/foo/-", value: ["abc", "def"] }],
      { foo: ["bar", ["abc", "def"]] },
    ],
    ["copies", { a: { b: 1 } }, [{ op: "copy", from: "/a", path: "/c" }], { a: { b: 1 }, c: { b: 1 } }],
    ["replaces the whole document", { a: 1 }, [{ op: "replace", path: "", value: { b: 2 } }], { b: 2 }],
    ["writes null", { a: 1 }, [{ op: "replace", path: "/a", value: null }], { a: null }],
  ])("%s", (_, target, patch, expected) => {
    expect(applyJsonPatch(target, patch)).toEqual(expected);
  });

  it.each<[string, unknown, string, string]>([
    [
      "A.9 a failed test",
      [{ op: "test", path: "/baz", value: "bar" }],
      "Invalid",
      'operation 0 ("test" "/baz"): the test failed',
    ],
    [
      "A.12 a place without parent",
      [{ op: "add", path: "/x/y", value: 1 }],
      "Invalid",
      "there is no such place",
    ],
    [
      "A.15 a string against a number",
      [{ op: "test", path: "/list/0", value: "1" }],
      "Invalid",
      "the test failed",
    ],
    ["removing what is not there", [{ op: "remove", path: "/nope" }], "Invalid", "there is no such place"],
    [
      "an index beyond the end",
      [{ op: "add", path: "/list/4", value: 1 }],
      "Invalid",
      "there is no such place",
    ],
    [
      "an index with a leading zero",
      [{ op: "replace", path: "/list/00", value: 1 }],
      "Invalid",
      "there is no such place",
    ],
    [
      "moving a value into itself",
      [{ op: "move", from: "/deep", path: "/deep/er" }],
      "Invalid",
      "into itself",
    ],
    ["an unknown operation", [{ op: "increment", path: "/baz" }], "BadRequest", "op and path are needed"],
    ["a path without slash", [{ op: "remove", path: "baz" }], "BadRequest", "op and path are needed"],
    ["no value", [{ op: "add", path: "/baz" }], "BadRequest", "value is needed"],
    ["no from", [{ op: "copy", path: "/baz" }], "BadRequest", "from is needed"],
    ["an object", { op: "remove", path: "/baz" }, "BadRequest", "list of operations"],
    [
      "reading a prototype",
      [{ op: "copy", from: "/constructor/prototype", path: "/baz" }],
      "Invalid",
      "there is nothing",
    ],
    [
      "writing a prototype",
      [{ op: "add", path: "/__proto__/polluted", value: 1 }],
      "Invalid",
      "there is no such place",
    ],
    [
      "10,001 operations",
      new Array(10_001).fill({ op: "remove", path: "/baz" }),
      "TooLarge",
      "at most 10000",
    ],
  ])("refuses %s", (_, patch, code, message) => {
    const target = { baz: "qux", list: [1, 2, 3], deep: { er: {} } };
    expect(() => applyJsonPatch(target, patch)).toThrowError(refusal(code, message) as Error);
  });

  it("changes nothing when a later operation fails", () => {
    const target = Object.freeze({ a: 1, list: Object.freeze([1]) });
    const patch = [
      { op: "add", path: "/list/0", value: 0 },
      { op: "test", path: "/a", value: 2 },
    ];
    expect(() => applyJsonPatch(target, patch)).toThrowError(refusal("Invalid", "operation 1") as Error);
    expect(target).toEqual({ a: 1, list: [1] });
  });

  it("makes __proto__ a field of its own when it is the last key", () => {
    const after = applyJsonPatch({}, [{ op: "add", path: "/__proto__", value: { polluted: true } }]);
    expect(Object.getPrototypeOf(after)).toBe(Object.prototype);
    expect(({} as Record<string, unknown>)["polluted"]).toBeUndefined();
  });

  it("stops copies of copies before they fill the memory", () => {
    const patch = [
      { op: "add", path: "/a", value: new Array(1000).fill(0) },
      ...Array.from({ length: 40 }, () => ({ op: "copy", from: "", path: "/a/-" })),
    ];
    expect(() => applyJsonPatch({}, patch)).toThrowError(refusal("TooLarge", "250000 values") as Error);
  });

  it("undoes an add by a remove, at any place of any document", () => {
    fc.assert(
      fc.property(
        fc.dictionary(fc.string(), fc.jsonValue()),
        fc.string(),
        fc.jsonValue(),
        (target, key, value) => {
          fc.pre(!Object.hasOwn(target, key));
          const path = `/${key.replaceAll("~", "~0").replaceAll("/", "~1")}`;
          const added = applyJsonPatch(target, [
            { op: "add", path, value },
            { op: "test", path, value },
          ]);
          expect(applyJsonPatch(added, [{ op: "remove", path }])).toEqual(target);
        },
      ),
    );
  });
});
