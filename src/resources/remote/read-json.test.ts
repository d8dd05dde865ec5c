import { describe, expect, it, vi } from "vitest";
import { JsonReader } from "./read-json.ts";

const pool = (index: number) => ({
  apiVersion: "parasaus.io/v1",
  kind: "Pool",
  metadata: { name: `pool-${index}`, labels: { text: '},{"apiVersion" "items":[ 合页 \\' } },
  spec: { owners: [{ apiVersion: "v1" }, { apiVersion: "v1" }] },
});
const list = (count: number, rest: object = {}) => ({
  apiVersion: "parasaus.io/v1",
  kind: "PoolList",
  metadata: { resourceVersion: "7" },
  items: Array.from({ length: count }, (_, index) => pool(index)),
  ...rest,
});

/** Reads the text in chunks of so many bytes; @returns what came, and the length of the longest text that was parsed. */
function read(text: string, chunkBytes: number): { readonly value: unknown; readonly longest: number } {
  const parse = vi.spyOn(JSON, "parse");
  try {
    const bytes = new TextEncoder().encode(text);
    const reader = new JsonReader();
    for (let at = 0; at < bytes.length; at += chunkBytes) reader.take(bytes.subarray(at, at + chunkBytes));
    const value = reader.finish();
    return { value, longest: Math.max(...parse.mock.calls.map(([parsed]) => parsed.length)) };
  } finally {
    parse.mockRestore();
  }
}

describe("JsonReader", () => {
  const documents: Readonly<Record<string, unknown>> = {
    "a long list": list(40),
    "a list with something behind its items": list(40, { remaining: [1, 2], note: "}" }),
    "an empty list": list(0),
    "a list of one": list(1),
    "one object": pool(1),
    "items that are no list's": { metadata: { items: list(20).items }, items: list(20).items },
    "items as a text": { note: '"items":[', items: list(20).items },
    "items within items": { items: [{ items: list(20).items }, ...list(20).items] },
    "a number": 7,
    nothing: null,
  };
  for (const [name, document] of Object.entries(documents)) {
    it(`reads ${name} as JSON.parse does, wherever the chunks end`, () => {
      const text = JSON.stringify(document);
      for (const chunkBytes of [1, 7, 64, 300, 1_000, 100_000])
        expect(read(text, chunkBytes).value, `chunks of ${chunkBytes}`).toEqual(document);
    });
  }

  it("makes no text as long as a long list, because that costs more than parsing it", () => {
    const flat = { ...pool(1), spec: {} };
    const text = JSON.stringify({ ...list(0), items: Array.from({ length: 500 }, () => flat) });
    expect(read(text, 4_096).longest).toBeLessThan(text.length / 10);
    expect(read(text, text.length * 4).longest).toBeGreaterThan(text.length / 2);
  });

  it("refuses what is cut short or broken, in the middle of a list too", () => {
    const text = JSON.stringify(list(40));
    const broken = [
      text.slice(0, -2),
      text.slice(0, 3_000),
      text.replace('"pool-9"', '"pool-9'),
      "",
      "<html>",
    ];
    for (const each of broken) {
      for (const chunkBytes of [64, 300, 100_000])
        expect(() => read(each, chunkBytes), `${each.length} in chunks of ${chunkBytes}`).toThrow(
          "it is no JSON",
        );
    }
  });
});
