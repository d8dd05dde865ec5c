import { describe, expect, it } from "vitest";
import { suggestName } from "./suggestion.ts";

const KNOWN = ["scheduler", "members", "healthCheck", "port", "ip"];

describe("suggestName", () => {
  it.each([
    ["shceduler", "scheduler"],
    ["member", "members"],
    ["healthcheck", "healthCheck"],
    ["helthChek", "healthCheck"],
    ["prot", "port"],
  ])("takes %s for %s", (mistyped, expected) => {
    expect(suggestName(mistyped, KNOWN)).toBe(expected);
  });

  it.each(["colour", "x", "", "s".repeat(10_000)])("has no idea what %s could mean", (mistyped) => {
    expect(suggestName(mistyped, KNOWN)).toBeUndefined();
  });
});
