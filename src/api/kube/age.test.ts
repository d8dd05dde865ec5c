import { expect, it } from "vitest";
import { formatAge } from "./age.ts";

const born = Date.parse("2026-01-01T00:00:00Z");
const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

it.each([
  [0, "0s"],
  [119 * SECOND, "119s"],
  [2 * MINUTE, "2m"],
  [3 * MINUTE + 12 * SECOND, "3m12s"],
  [10 * MINUTE + 59 * SECOND, "10m"],
  [179 * MINUTE, "179m"],
  [3 * HOUR, "3h"],
  [7 * HOUR + 59 * MINUTE, "7h59m"],
  [47 * HOUR, "47h"],
  [5 * DAY + 3 * HOUR, "5d3h"],
  [729 * DAY, "729d"],
  [800 * DAY, "2y70d"],
  [4_000 * DAY, "10y"],
  [-5 * SECOND, "0s"],
])("writes an age of %i ms as kubectl does: %s", (ageMs, text) => {
  expect(formatAge("2026-01-01T00:00:00Z", new Date(born + ageMs))).toBe(text);
});

it("admits that it does not know the age of no time", () => {
  expect(formatAge("never", new Date(born))).toBe("<unknown>");
});
