import { describe, expect, it } from "vitest";
import { RevisionReader } from "./revision-reader.ts";
import type { EtcdEvent, WatchResponse } from "./watch-messages.ts";

const entry = (key: string, createRevision: number, modRevision: number) => ({
  ...{ key, createRevision, modRevision },
  value: `${key}@${modRevision}`,
});
const created = (key: string, revision: number): EtcdEvent => ({
  isDelete: false,
  entry: entry(key, revision, revision),
});
const changed = (key: string, from: number, revision: number): EtcdEvent => ({
  isDelete: false,
  entry: entry(key, from, revision),
  previous: entry(key, from, from),
});
const deleted = (key: string, from: number, revision: number): EtcdEvent => ({
  isDelete: true,
  entry: { key, value: "", createRevision: 0, modRevision: revision },
  previous: entry(key, from, from),
});
const message = (events: readonly EtcdEvent[], isFragment = false): WatchResponse => ({
  ...{ header: { clusterId: 1n, revision: 99 }, created: false, canceled: false },
  ...{ compactRevision: 0, cancelReason: "", isFragment, events },
});
const revisionsOf = (reader: RevisionReader, ...messages: readonly WatchResponse[]) =>
  messages.flatMap((each) =>
    reader.read(each).revisions.map(({ revision, events }) => [revision, events.length]),
  );

describe("RevisionReader", () => {
  it("keeps what happened at one revision together", () => {
    const reader = new RevisionReader(5);
    const events = [created("/a", 5), created("/b", 5), changed("/a", 5, 6)];
    expect(revisionsOf(reader, message(events), message([deleted("/b", 5, 7)]))).toEqual([
      [5, 2],
      [6, 1],
      [7, 1],
    ]);
    expect(reader.next).toBe(8);
  });

  it("holds a revision back until all fragments of it have come", () => {
    const reader = new RevisionReader(5);
    expect(revisionsOf(reader, message([created("/a", 5), created("/b", 6)], true))).toEqual([[5, 1]]);
    expect(revisionsOf(reader, message([created("/c", 6)], true))).toEqual([]);
    expect(revisionsOf(reader, message([created("/d", 6)]))).toEqual([[6, 3]]);
  });

  it("resumes from the revision whose fragments did not all come", () => {
    const reader = new RevisionReader(5);
    reader.read(message([created("/a", 5), created("/b", 6)], true));
    expect(reader.next).toBe(6);
  });

  it.each([
    ["gap", "a revision that is missing", [created("/c", 7)]],
    ["back", "a revision that comes again", [created("/a", 5)]],
    ["back", "an older one", [created("/z", 4)]],
    ["back", "the same key twice in a revision", [created("/c", 6), created("/c", 6)]],
    ["split", "more of a revision that seemed whole", [created("/b", 5)]],
    ["overtaken", "a change without what was there before", [{ isDelete: false, entry: entry("/a", 5, 6) }]],
    ["overtaken", "a delete without it", [{ ...deleted("/a", 5, 6), previous: undefined as never }]],
  ] as const)("finds %s: %s", (fault, _, events) => {
    const reader = new RevisionReader(5);
    reader.read(message([created("/a", 5)]));
    const reading = reader.read(message(events));
    expect(reading).toMatchObject({ fault, revisions: [] });
    expect(reader.next).toBe(6);
  });

  it("delivers what came whole before the fault", () => {
    const reading = new RevisionReader(5).read(message([created("/a", 5), created("/b", 7)]));
    expect(reading).toMatchObject({ fault: "gap", revisions: [{ revision: 5 }] });
  });

  it("names the first revision of a message unless a previous value proves that history was there", () => {
    expect(new RevisionReader(5).read(message([created("/a", 5)])).unproven).toBe(5);
    expect(new RevisionReader(5).read(message([created("/a", 5), changed("/a", 5, 6)])).unproven).toBe(5);
    expect(
      new RevisionReader(5).read(message([created("/b", 5), changed("/a", 3, 5)])).unproven,
    ).toBeUndefined();
  });
});
