import { describe, expect, it } from "vitest";
import type { StoreEntry, StoreEvent, StoreWatchMessage } from "../store.ts";
import { Contradiction, Gap, Replica } from "./replica.ts";

const entry = (key: string, createRevision: number, modRevision = createRevision): StoreEntry => ({
  key,
  value: `${key}@${modRevision}`,
  createRevision,
  modRevision,
});
const [a5, b6] = [entry("/p/a", 3, 5), entry("/p/b", 6)];
const put = (after: StoreEntry, previous?: StoreEntry): StoreEvent => ({
  kind: "put",
  entry: after,
  ...(previous ? { previous } : {}),
});
const remove = (key: string, revision: number, previous?: StoreEntry): StoreEvent => ({
  kind: "delete",
  key,
  revision,
  ...(previous ? { previous } : {}),
});
const at = (revision: number, ...events: StoreEvent[]): StoreWatchMessage => ({
  kind: "events",
  revision,
  events,
});

/** What a list at revision 7 said. */
const listed = (): Replica => new Replica("/p/", [a5, b6], 7);

describe("a replica", () => {
  it("follows creations, changes and deletions", () => {
    const replica = listed();
    replica.admit(at(8, put(entry("/p/a", 3, 8), a5), put(entry("/p/c", 8))));
    replica.admit(at(9, remove("/p/b", 9, b6)));
    replica.admit(at(10, put(entry("/q/foreign", 10))));
    replica.admit(at(11, put(entry("/q/foreign", 10, 11)), put(entry("/p/b", 11))));
    expect([...replica.entries.under("/")].map(({ value }) => value)).toEqual([
      "/p/a@8",
      "/p/b@11",
      "/p/c@8",
    ]);
    expect(replica.window.read(8).map(({ revision }) => revision)).toEqual([8, 9, 11]);
  });

  it("tells what was there before by the entry that it holds, though the store tells a copy or nothing", () => {
    const replica = listed();
    replica.admit(at(8, put(entry("/p/a", 3, 8), { ...a5 })));
    replica.admit(at(9, remove("/p/b", 9)));
    const [changed, removed] = replica.window.read(8).flatMap(({ events }) => events);
    expect(changed?.previous).toBe(a5);
    expect(removed?.previous).toBe(b6);
  });

  it("takes a copy of a message that it knows for a repetition", () => {
    const replica = listed();
    const message = at(8, put(entry("/p/a", 3, 8), a5));
    expect(replica.admit(message)).toBe("news");
    expect(replica.admit(structuredClone(message))).toBe("repetition");
  });

  it("does not go back when a member that lags says how far it is", () => {
    const replica = listed();
    expect(replica.admit({ kind: "progress", revision: 9 })).toBe("news");
    expect(replica.admit({ kind: "progress", revision: 8 })).toBe("repetition");
    expect(replica.window.revision).toBe(9);
  });

  it.each<[string, StoreWatchMessage]>([
    ["a revision that is over", at(7, put(entry("/p/c", 7)))],
    [
      "a change of something that was changed in between",
      at(8, put(entry("/p/a", 3, 8), entry("/p/a", 3, 7))),
    ],
    ["a change of something that was deleted and made anew in between", at(8, put(entry("/p/a", 7, 8)))],
    ["a change of something that is not there", at(8, put(entry("/p/c", 7, 8)))],
    ["a creation of something that is there", at(8, put(entry("/p/a", 8)))],
    ["a creation of something that was there before", at(8, put(entry("/p/c", 8), entry("/p/c", 7)))],
    ["a deletion of something that is not there", at(8, remove("/p/c", 8))],
    ["a deletion of something that was changed in between", at(8, remove("/p/a", 8, entry("/p/a", 3, 7)))],
    ["events of another revision", at(8, put(entry("/p/a", 3, 9), a5))],
    ["a deletion of another revision", at(8, remove("/p/a", 7, a5))],
    ["a key twice", at(8, put(entry("/p/a", 3, 8), a5), remove("/p/a", 8))],
    ["a foreign key twice", at(8, put(entry("/q/a", 8)), put(entry("/q/a", 8)))],
  ])("refuses %s, and takes over none of it", (_, message) => {
    const replica = listed();
    expect(() => replica.admit(message)).toThrow(Contradiction);
    expect([...replica.entries.under("/p/")]).toEqual([a5, b6]);
    expect(replica.window.revision).toBe(7);
  });

  it("notices a revision that was left out before anybody is told anything behind it", () => {
    const replica = listed();
    expect(() => replica.admit(at(9, put(entry("/q/foreign", 9))))).toThrow(Gap);
    expect(replica.window.revision).toBe(7);
  });

  it("refuses another message at a revision that it knows", () => {
    const replica = listed();
    replica.admit(at(8, put(entry("/p/a", 3, 8), a5)));
    const changed = { ...entry("/p/a", 3, 8), value: "something else" };
    expect(() => replica.admit(at(8, put(changed, a5)))).toThrow(Contradiction);
    expect(() => replica.admit(at(8, put(entry("/p/b", 6, 8), b6)))).toThrow(Contradiction);
  });
});
