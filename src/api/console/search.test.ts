import { expect, it } from "vitest";
import { parseSearch } from "./search.ts";

const read = (text: string) => parseSearch(text, ["state", "label"]);

it("takes every word by itself, in lower case", () => {
  expect(read("  Web  10.0.0.1 ")).toEqual([{ text: "web" }, { text: "10.0.0.1" }]);
});

it("looks in one field where a word names it, and anywhere where it only looks like that", () => {
  expect(read("state:down fd00::1 10.0.0.1:80")).toEqual([
    { field: "state", text: "down" },
    { text: "fd00::1" },
    { text: "10.0.0.1:80" },
  ]);
});

it("keeps spaces between quotes, closed or not", () => {
  expect(read('label:"a b" "c d')).toEqual([{ field: "label", text: "a b" }, { text: "c d" }]);
});

it("stops reading after sixteen words, which somebody sends to make the server work", () => {
  expect(read("x ".repeat(1_000))).toHaveLength(16);
});
