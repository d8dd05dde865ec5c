import { describe, expect, it } from "vitest";
import { withCondition, withoutCondition } from "./conditions.ts";

const AT_NOON = new Date("2026-03-01T12:00:00.250Z");
const ready = { type: "Ready", status: "True", reason: "Fine", message: "all is well" } as const;

describe("conditions", () => {
  it("adds a word with the time of now, in whole seconds", () => {
    expect(withCondition(undefined, ready, AT_NOON)).toEqual([
      { ...ready, lastTransitionTime: "2026-03-01T12:00:00Z" },
    ]);
  });

  it("returns the same array when nothing changes, so that nothing is written", () => {
    const conditions = withCondition([], ready, AT_NOON);
    expect(withCondition(conditions, ready, new Date())).toBe(conditions);
  });

  it("keeps the transition time while only the words change, and the order always", () => {
    const old = [
      { ...ready, lastTransitionTime: "2026-01-01T00:00:00Z" },
      { ...ready, type: "Other", lastTransitionTime: "2026-01-01T00:00:00Z" },
    ];
    const worded = withCondition(old, { ...ready, message: "all is still well" }, AT_NOON);
    expect(worded[0]).toMatchObject({
      message: "all is still well",
      lastTransitionTime: "2026-01-01T00:00:00Z",
    });
    const turned = withCondition(old, { ...ready, status: "False" }, AT_NOON);
    expect(turned.map(({ type }) => type)).toEqual(["Ready", "Other"]);
    expect(turned[0]?.lastTransitionTime).toBe("2026-03-01T12:00:00Z");
  });

  it("removes a condition, or returns the same array when there is none", () => {
    const conditions = withCondition([], ready, AT_NOON);
    expect(withoutCondition(conditions, "Ready")).toEqual([]);
    expect(withoutCondition(conditions, "Other")).toBe(conditions);
  });
});
