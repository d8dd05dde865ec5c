import fc from "fast-check";
import { expect, it } from "vitest";
import { SortedKeys } from "./sorted-keys.ts";

const key = fc.stringMatching(/^[ab/]{1,6}$/);

it("holds the same keys as a sorted array, whatever is added and deleted", () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.boolean(), key), { maxLength: 200 }),
      key,
      fc.option(key, { nil: undefined }),
      (steps, prefix, after) => {
        const plain = new Set<string>();
        const sorted = new SortedKeys();
        for (const [isAdded, each] of steps) {
          if (isAdded === plain.has(each)) continue;
          if (isAdded) {
            plain.add(each);
            sorted.add(each);
          } else {
            plain.delete(each);
            sorted.delete(each);
          }
        }
        const under = [...plain].filter((each) => each.startsWith(prefix)).sort();
        expect(sorted.count(prefix)).toBe(under.length);
        expect([...sorted.under(prefix, after)]).toEqual(
          under.filter((each) => after === undefined || each > after),
        );
      },
    ),
  );
});

it("stays in order over many chunks", () => {
  const names = Array.from(
    { length: 5_000 },
    (_, index) => `/pool-${String((index * 2_741) % 5_000).padStart(5, "0")}`,
  );
  const sorted = SortedKeys.fromSorted(names.slice(0, 100).sort());
  for (const name of names.slice(100)) sorted.add(name);
  expect([...sorted.under("/")]).toEqual([...names].sort());
  for (const name of names) if (!name.endsWith("7")) sorted.delete(name);
  expect(sorted.count("/")).toBe(500);
  expect([...sorted.under("/")]).toEqual(names.filter((name) => name.endsWith("7")).sort());
});
