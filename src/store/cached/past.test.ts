import { expect, it } from "vitest";
import type { Message } from "../readable-history.ts";
import type { StoreEntry } from "../store.ts";
import { eventOf } from "../store-event.ts";
import { PastCollector } from "./past.ts";

const entry = (key: string, createRevision: number, modRevision: number): StoreEntry => ({
  key,
  value: `${key}@${modRevision}`,
  createRevision,
  modRevision,
});
const change = (revision: number, key: string, after?: StoreEntry, before?: StoreEntry): Message => ({
  revision,
  events: [eventOf(key, revision, after, before)],
});
const [a2, a5, a7] = [entry("/a", 2, 2), entry("/a", 2, 5), entry("/a", 2, 7)];
const b6 = entry("/b", 6, 6);
const whole = [
  change(5, "/a", { ...a5 }, a2),
  change(6, "/b", { ...b6 }),
  change(7, "/a", { ...a7 }, { ...a5 }),
  change(8, "/b", undefined, { ...b6 }),
];
const collect = (listed: readonly StoreEntry[], messages: readonly Message[]) => {
  const collector = new PastCollector("/", listed, 4);
  for (const message of messages) collector.take(message);
  return collector.finish();
};

it("leads from its floor to what was listed, each version being one object", () => {
  const past = collect([a7], whole);
  const events = past?.messages.flatMap((message) => message.events) ?? [];
  expect(past?.floor).toBe(4);
  expect(past?.messages).toEqual(whole);
  expect(events[2]).toMatchObject({ entry: a7 });
  expect(events[2]?.kind === "put" && events[2].entry).toBe(a7);
  expect(events[2]?.previous).toBe(events[0]?.kind === "put" && events[0].entry);
  expect(events[3]?.previous).toBe(events[1]?.kind === "put" && events[1].entry);
});

it.each<[string, readonly StoreEntry[], readonly Message[]]>([
  ["lacks its end", [a7], whole.slice(0, 3)],
  ["lacks a step", [a7], [...whole.slice(0, 1), ...whole.slice(3)]],
  ["lacks what was there before", [a7], [change(5, "/a", a5), ...whole.slice(1)]],
  ["leaves a revision out that concerned others", [a7], [...whole, change(10, "x", entry("x", 10, 10))]],
  ["repeats itself", [a7], [...whole, ...whole.slice(3)]],
  ["is out of order", [a7], [whole[1], whole[0], ...whole.slice(2)] as Message[]],
  ["lacks something that was listed", [a7, entry("/c", 8, 8)], whole],
])("is not used when it %s", (_, listed, messages) => {
  expect(collect(listed, messages)).toBeUndefined();
});
