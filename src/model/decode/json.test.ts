import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decodeJson } from "./json.ts";
import { unwrapList } from "./list.ts";

describe("decodeJson", () => {
  it.each<[string, string[]]>([
    ['{"a": 1, "b": 2}', []],
    ['{"a": 1, "a": 2}', ["a"]],
    ['{"spec": {"members": [{}, {"ip": "1", "port": 1, "ip": "2"}]}}', ["spec.members[1].ip"]],
    ['{"a": 1, "\\u0061": 2}', ["a"]],
    ['{"a": "a", "b": "a", "c": ["a", "a"], "d": {"a": "\\"a\\":"}}', []],
    ['[{"a": 1}, {"a": 2}]', []],
  ])("finds the duplicate keys of %s", (text, expected) => {
    expect(decodeJson(text).duplicateFields).toEqual(expected);
  });

  it("reads what JSON.stringify writes, and finds no duplicates in it", () => {
    fc.assert(
      fc.property(fc.json({ noUnicodeString: false }), (text) => {
        expect(decodeJson(text)).toEqual({ value: JSON.parse(text), duplicateFields: [] });
      }),
    );
  });

  it.each(["", "{", '{"a": 1,}', "nope", "[".repeat(1_000_000)])("refuses malformed JSON", (text) => {
    expect(() => decodeJson(text)).toThrowError(expect.objectContaining({ code: "BadRequest" }));
  });

  it("never throws anything but a refusal", () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...'{}[]",:\\a1 ') }), (text) => {
        try {
          decodeJson(text);
        } catch (failure) {
          expect(failure).toMatchObject({ code: "BadRequest" });
        }
      }),
    );
  });
});

describe("unwrapList", () => {
  it("returns the items of a List, of a List in a List, and of a typed list", () => {
    const pool = { apiVersion: "parasaus.io/v1", kind: "Pool" };
    expect(unwrapList({ kind: "List", items: [pool, { kind: "List", items: [pool] }] })).toEqual([
      pool,
      pool,
    ]);
    expect(unwrapList({ ...pool, kind: "PoolList", items: [{ spec: {} }] })).toEqual([{ ...pool, spec: {} }]);
  });

  it("returns anything else as it is", () => {
    expect(unwrapList({ kind: "Pool" })).toEqual([{ kind: "Pool" }]);
    expect(unwrapList(null)).toEqual([null]);
    expect(unwrapList({ kind: "List", items: 5 })).toEqual([{ kind: "List", items: 5 }]);
  });
});
