import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { en } from "./en.ts";
import { zhCn } from "./zh-cn.ts";

const SOURCES = path.resolve(import.meta.dirname, "..");
const texts = readdirSync(SOURCES, { recursive: true, encoding: "utf8" })
  .filter((file) => /\.tsx?$/.test(file) && !file.startsWith("i18n/") && !file.includes(".test."))
  .map((file) => readFileSync(path.join(SOURCES, file), "utf8"));

/** Keys that are made from a word: say(`state.${state}`) uses all that begin with `state.`. */
const prefixes = texts.flatMap((text) =>
  [...text.matchAll(/`([a-z][\w.]*\.)\$\{/gi)].map(([, prefix = ""]) => prefix),
);

function isUsed(key: string): boolean {
  const base = key.replace(/_(one|other)$/, "");
  return (
    texts.some((text) => text.includes(`"${base}"`)) || prefixes.some((prefix) => key.startsWith(prefix))
  );
}

const placesIn = (text: string) => [...text.matchAll(/\{\{(\w+)\}\}/g)].map(([, name]) => name).sort();

describe("the catalogues", () => {
  it("have the same keys, none of them empty", () => {
    expect(Object.keys(zhCn).sort()).toEqual(Object.keys(en).sort());
    expect([...Object.entries(en), ...Object.entries(zhCn)].filter(([, text]) => text.trim() === "")).toEqual(
      [],
    );
  });

  it("name the same values in both languages", () => {
    const differing = Object.entries(en).filter(
      ([key, text]) => String(placesIn(text)) !== String(placesIn(zhCn[key as keyof typeof en])),
    );
    expect(differing.map(([key]) => key)).toEqual([]);
  });

  it("hold no text that nothing shows", () => {
    expect(texts.length).toBeGreaterThan(20);
    expect(Object.keys(en).filter((key) => !isUsed(key))).toEqual([]);
    expect(isUsed("no.such.key")).toBe(false);
  });

  it("are Chinese in Chinese, except for what has no other name", () => {
    const foreign = Object.entries(zhCn).filter(([, text]) => !/[\u4e00-\u9fff]/.test(text));
    const SAME = ["pools.column.address"];
    expect(foreign.map(([key]) => key).filter((key) => !SAME.includes(key))).toEqual([]);
  });
});

it("has no words of its own in a component", () => {
  const literal = />\s*[A-Za-z\u4e00-\u9fff][^<>{}=;()&]*</;
  expect(texts.filter((text) => literal.test(text.replaceAll(/=>|<[A-Z]\w*>/g, "")))).toEqual([]);
});
