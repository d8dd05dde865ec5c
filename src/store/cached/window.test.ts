import { describe, expect, it } from "vitest";
import { hasCode } from "../../foundation/index.ts";
import type { Message } from "../readable-history.ts";
import type { StoreEntry } from "../store.ts";
import { MAX_MESSAGES, Window } from "./window.ts";

const message = (revision: number, value = "x", previous?: StoreEntry): Message => ({
  revision,
  events: [
    {
      kind: "put",
      entry: { key: "/a", value, createRevision: 1, modRevision: revision },
      ...(previous ? { previous } : {}),
    },
  ],
});
const isExpired = (read: () => unknown): boolean => {
  try {
    read();
    return false;
  } catch (failure) {
    return hasCode(failure, "Expired");
  }
};

describe("a window", () => {
  it("reads on from any revision behind its floor, also where nothing happened", () => {
    const window = new Window(10);
    for (const revision of [12, 15, 20]) window.append(message(revision));
    window.advance(30);
    expect(
      [11, 12, 13, 20, 21, 31, 40].map((first) => window.read(first).map(({ revision }) => revision)),
    ).toEqual([[12, 15, 20], [12, 15, 20], [15, 20], [20], [], [], []]);
    expect(window.revision).toBe(30);
    expect(isExpired(() => window.read(10))).toBe(true);
  });

  it("tells how it was at any revision from its floor on", () => {
    const window = new Window(10);
    const before = message(5, "old").events[0];
    const old = before?.kind === "put" ? before.entry : undefined;
    window.append(message(12, "new", old));
    expect([...window.differencesAt(10).values()]).toEqual([old]);
    expect([...window.differencesAt(12).values()]).toEqual([]);
    expect(isExpired(() => window.differencesAt(9))).toBe(true);
  });

  it("forgets the oldest when there are too many, and not before", () => {
    const window = new Window(0);
    for (let revision = 1; revision <= MAX_MESSAGES; revision += 1) window.append(message(revision));
    expect(window.floor).toBe(0);
    for (let revision = MAX_MESSAGES + 1; revision <= 3 * MAX_MESSAGES; revision += 1) {
      window.append(message(revision));
    }
    expect(window.floor).toBeGreaterThanOrEqual(1.9 * MAX_MESSAGES);
    expect(window.floor).toBeLessThanOrEqual(2 * MAX_MESSAGES);
    expect(window.read(window.floor + 1)[0]?.revision).toBe(window.floor + 1);
    expect(isExpired(() => window.read(window.floor))).toBe(true);
  });

  it("forgets the oldest when their texts are too long together", () => {
    const window = new Window(0);
    const megabyte = "x".repeat(1_000_000);
    for (let revision = 1; revision <= 200; revision += 1) window.append(message(revision, megabyte));
    expect(window.floor).toBeGreaterThanOrEqual(200 - 71);
    expect(window.floor).toBeLessThanOrEqual(200 - 64);
  });

  it("lets nobody go on once it is lost, not even who has read everything", () => {
    const window = new Window(10);
    window.append(message(12));
    window.lose();
    expect([12, 13, 14].map((first) => isExpired(() => window.read(first)))).toEqual([true, true, true]);
  });
});
