import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { hasCode, silentLogger, systemClock } from "../../src/foundation/index.ts";
import { type WatchCacheEvent, withWatchCache } from "../../src/store/cached/index.ts";
import { openEmbeddedStore } from "../../src/store/embedded/index.ts";
import type { Store, StoreWatchMessage, StoreWrite } from "../../src/store/index.ts";
import { StrictClient } from "./strict-client.ts";
import { TamperedStore, type Tampering } from "./tampered-store.ts";

const CLIENTS = 254;
const WRITES = 60;
const STALL_MS = 400;
const KEYS = 7;
const put = (key: string, value: string): StoreWrite => ({ kind: "put", key, value });
const timeout = { timeout: 20_000 };

let directory: string;
let honest: Store;
let tampered: TamperedStore;
let seen: WatchCacheEvent[];
let stop: AbortController;
let cached: Store;
let opened: Store[];

beforeEach(async () => {
  directory = mkdtempSync(path.join(tmpdir(), "parasaus-cached-"));
  honest = await openEmbeddedStore({ directory, clock: systemClock, logger: silentLogger });
  tampered = new TamperedStore(honest);
  seen = [];
  stop = new AbortController();
  opened = [];
  cached = await openCache(tampered.store);
});
afterEach(async () => {
  stop.abort();
  for (const each of opened) await each[Symbol.asyncDispose]();
  rmSync(directory, { recursive: true });
});

async function openCache(over: Store): Promise<Store> {
  const store = await withWatchCache(over, {
    prefix: "/p/",
    clock: systemClock,
    random: Math.random,
    logger: silentLogger,
    stallMs: STALL_MS,
    observe: (event) => seen.push(event),
  });
  opened.push(store);
  return store;
}

const count = (event: WatchCacheEvent) => seen.filter((each) => each === event).length;

/** Creates, changes and deletes a few keys in turn, so that every key is written again soon. */
async function writeOnce(index: number): Promise<void> {
  const key = `/p/${index % KEYS}`;
  if (index % 11 === 3) await honest.transact([], [{ kind: "delete", key }]);
  else await honest.transact([], [put(key, String(index)), put("/p/last", String(index))]);
}

async function writeAll(): Promise<void> {
  for (let index = 0; index < WRITES; index += 1) {
    await writeOnce(index);
    if (index % 10 === 0) await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

async function expectViews(clients: readonly StrictClient[]): Promise<void> {
  const { entries } = await honest.range("/p/");
  const expected = new Map(entries.map(({ key, value }) => [key, value]));
  for (const client of clients)
    await expect.poll(() => new Map([...client.view].sort()), timeout).toEqual(expected);
}

const follow = (store: Store, count: number): StrictClient[] =>
  Array.from({ length: count }, () => new StrictClient(store, "/p/", stop.signal));

/** What the cache does about each fault. */
const REACTIONS: Record<string, WatchCacheEvent> = {
  "tells a revision twice": "repetition",
  "claims progress and then tells what happened before": "reloaded",
};

/** Holds the messages back that are to come too late, or again. */
function faults(): Record<string, Tampering> {
  let held: StoreWatchMessage | undefined;
  let earlier: StoreWatchMessage | undefined;
  const isEvents = (message: StoreWatchMessage) => message.kind === "events";
  return {
    "tells a revision twice": (message) => (isEvents(message) ? [message, message] : [message]),
    "tells two revisions in the wrong order": (message) => {
      if (!isEvents(message)) return [message];
      if (!held) {
        held = message;
        return [];
      }
      const late = held;
      held = undefined;
      return [message, late];
    },
    "goes back to an old revision": (message) => {
      earlier ??= message;
      return earlier === message ? [message] : [earlier];
    },
    "leaves a revision out": (message) => (isEvents(message) ? [] : [message]),
    "claims progress and then tells what happened before": (message) =>
      isEvents(message) ? [{ kind: "progress", revision: message.revision }, message] : [message],
    breaks: () => "cut",
    stalls: () => "stall",
  };
}

describe("a watch cache over a store whose watch lies", () => {
  it.each(Object.keys(faults()))("tells no client anything wrong when the watch %s", async (name) => {
    const clients = follow(cached, 20);
    await writeAll();
    const before = tampered.faults;
    tampered.tamper(faults()[name] ?? (() => []), 5);
    // Stalls take their time to be noticed, so this goes on until all faults have happened.
    for (let round = 0; tampered.faults < before + 5 && round < 40; round += 1) {
      await writeAll();
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    await writeAll();
    await expectViews(clients);
    expect(clients.flatMap(({ complaints }) => complaints)).toEqual([]);
    expect(tampered.faults - before).toBe(5);
    expect(count(REACTIONS[name] ?? "resumed")).toBeGreaterThan(0);
  });

  it.each([
    "tells a revision twice",
    "tells two revisions in the wrong order",
    "goes back to an old revision",
    "leaves a revision out",
  ])("(control) a client without the cache is told wrong things when the watch %s", async (name) => {
    const clients = follow(tampered.store, 3);
    await writeAll();
    tampered.tamper(faults()[name] ?? (() => []), 5);
    await writeAll();
    await expect.poll(() => clients.flatMap(({ complaints }) => complaints), timeout).not.toEqual([]);
  });

  it("sends a client away that left between a lie and its discovery, so that nothing stays hidden from it", async () => {
    const [client] = follow(cached, 1);
    await writeOnce(0);
    await expectViews([client as StrictClient]);
    let late: StoreWatchMessage | undefined;
    tampered.tamper((message) => {
      if (message.kind !== "events") return [message];
      late ??= message;
      return late === message ? [{ kind: "progress", revision: message.revision }] : [late, message];
    }, 2);
    await writeOnce(1);
    await expect.poll(() => client?.revision, timeout).toBe(await honest.revision());
    await writeOnce(2);
    const { revision } = await honest.range("/p/");
    await expect.poll(() => count("reloaded"), timeout).toBe(1);
    const messages = cached.watch("/p/", revision + 1, stop.signal)[Symbol.asyncIterator]();
    expect(hasCode(await messages.next().catch((failure: unknown) => failure), "Expired")).toBe(true);
    // Who lists after the discovery goes on at once.
    const listed = await cached.range("/p/");
    const next = cached
      .watch("/p/", listed.revision + 1, stop.signal)
      [Symbol.asyncIterator]()
      .next();
    await writeOnce(4);
    expect((await next).value).toMatchObject({ kind: "events", revision: listed.revision + 1 });
  });

  it("answers nothing rather than the past when the store was set back", async () => {
    await writeOnce(0);
    expect((await cached.get("/p/0"))?.value).toBe("0");
    tampered.setBack = 100;
    const refused = await cached.get("/p/0").catch((failure: unknown) => failure);
    expect(hasCode(refused, "Unavailable")).toBe(true);
    tampered.tamper(() => "cut");
    await writeOnce(1);
    await expect.poll(() => tampered.faults, timeout).toBe(1);
    const { revision } = await honest.range("/p/");
    const alsoRefused = await cached.range("/p/").catch((failure: unknown) => failure);
    expect(hasCode(alsoRefused, "Unavailable")).toBe(true);
    // A store that was set back is not written either: it would seem to have caught up some day.
    expect(await honest.revision()).toBe(revision);
    tampered.setBack = 0;
    const read = () => cached.get("/p/1").then((entry) => entry?.value, String);
    await expect.poll(read, timeout).toBe("1");
  });
});

describe("a watch cache over an honest store", () => {
  it(`serves ${CLIENTS} clients from one watch of the store`, async () => {
    const clients = follow(cached, CLIENTS);
    await writeAll();
    await expectViews(clients);
    expect(clients.flatMap(({ complaints }) => complaints)).toEqual([]);
    expect(tampered.mostWatches).toBe(1);
  });

  it("lets clients go on over a break, without listing again", async () => {
    const clients = follow(cached, 20);
    await writeAll();
    tampered.tamper(() => "cut", 3);
    await writeAll();
    await expect.poll(() => tampered.faults, timeout).toBe(3);
    await writeAll();
    await expectViews(clients);
    expect(clients.map(({ relists }) => relists)).toEqual(Array(20).fill(0));
    expect(count("resumed")).toBeGreaterThan(0);
  });

  it("tells clients to list again when history was forgotten during a break", async () => {
    const clients = follow(cached, 20);
    await writeAll();
    await expectViews(clients);
    let isCut = true;
    tampered.tamper((message) => (isCut ? "cut" : [message]), 1_000);
    await writeAll();
    await honest.compact(await honest.revision());
    isCut = false;
    await expect.poll(() => count("reloaded"), timeout).toBe(1);
    await expectViews(clients);
    expect(clients.map(({ relists }) => relists)).toEqual(Array(20).fill(1));
    expect(clients.flatMap(({ complaints }) => complaints)).toEqual([]);
  });

  it("lets clients of an earlier process go on where they were, as far as the store remembers", async () => {
    await writeAll();
    const { revision } = await honest.range("/p/");
    await writeOnce(1);
    await writeOnce(2);
    const other = await openCache(tampered.store);
    const messages = other.watch("/p/", revision + 1, stop.signal)[Symbol.asyncIterator]();
    expect((await messages.next()).value).toMatchObject({ kind: "events", revision: revision + 1 });
    expect((await messages.next()).value).toMatchObject({ kind: "events", revision: revision + 2 });
    await honest.compact(revision + 1);
    const third = await openCache(tampered.store);
    const late = third.watch("/p/", revision + 1, stop.signal)[Symbol.asyncIterator]();
    expect(hasCode(await late.next().catch((failure: unknown) => failure), "Expired")).toBe(true);
  });
});

describe("reads of a watch cache", () => {
  /** Delays what the watch tells, as a network and a busy member do. */
  function delayed(ms: number): Promise<Store> {
    const slow: Store = {
      ...tampered.store,
      async *watch(...call) {
        for await (const message of tampered.store.watch(...call)) {
          await new Promise((resolve) => setTimeout(resolve, ms));
          yield message;
        }
      },
    };
    return openCache(slow);
  }

  it("are never older than a write that another server acknowledged before, though the watch is behind", async () => {
    const slow = await delayed(10);
    const naive = new StrictClient(tampered.store, "/p/", stop.signal);
    let isNaiveBehind = false;
    for (let index = 0; index < 100; index += 1) {
      await honest.transact([], [put("/p/n", String(index))]);
      isNaiveBehind ||= naive.view.get("/p/n") !== String(index);
      const [entry, { entries }] = await Promise.all([slow.get("/p/n"), slow.range("/p/n")]);
      expect([entry?.value, entries[0]?.value]).toEqual([String(index), String(index)]);
    }
    // Control: who reads what the watch brought, without asking, reads the past.
    expect(isNaiveBehind).toBe(true);
    expect(count("passed-on")).toBe(0);
  });

  it("are as new, and still served from memory, while others write foreign keys in the same store", async () => {
    for (let index = 0; index < 50; index += 1) {
      await honest.transact([], [put("/p/n", String(index))]);
      await honest.transact([], [put("/foreign", String(index))]);
      expect((await cached.get("/p/n"))?.value).toBe(String(index));
      expect((await cached.range("/p/")).entries.map(({ value }) => value)).toEqual([String(index)]);
    }
    expect(count("passed-on")).toBe(0);
  });

  it("ask the store itself while its watch is silent, and are as new", async () => {
    tampered.tamper(() => "stall");
    for (let index = 0; index < 5; index += 1) {
      await honest.transact([], [put("/p/n", String(index))]);
      expect((await cached.get("/p/n"))?.value).toBe(String(index));
      expect((await cached.range("/p/")).entries.map(({ value }) => value)).toEqual([String(index)]);
    }
    expect(tampered.faults).toBe(1);
    expect(count("passed-on")).toBeGreaterThan(0);
  });

  it("read every page of a list at the revision of its first, or say that it is too old", async () => {
    const keys = Array.from({ length: 40 }, (_, index) => `/p/${String(index).padStart(2, "0")}`);
    await honest.transact(
      [],
      keys.map((key) => put(key, "old")),
    );
    const { entries, revision } = await cached.range("/p/", { limit: 10 });
    const read = [...entries];
    for (let more = true; more; ) {
      await honest.transact(
        [],
        [put("/p/39", "new"), put(`/p/05-${read.length}`, "new"), { kind: "delete", key: "/p/20" }],
      );
      const after = read.at(-1)?.key ?? "";
      const page = await cached.range("/p/", { limit: 10, revision, after });
      read.push(...page.entries);
      more = page.more;
    }
    expect(read.map(({ key, value }) => [key, value])).toEqual(keys.map((key) => [key, "old"]));
    await cached.compact(await honest.revision());
    const failure = await cached
      .range("/p/", { limit: 10, revision, after: "/p/09" })
      .catch((error: unknown) => error);
    expect(hasCode(failure, "Expired")).toBe(true);
  });

  it("pass on what lies outside the prefix", async () => {
    await cached.transact([], [put("/q/1", "1")]);
    expect((await cached.get("/q/1"))?.value).toBe("1");
    expect((await cached.range("/")).entries.map(({ key }) => key)).toEqual(["/q/1"]);
    const next = cached.watch("/q/", 1, stop.signal)[Symbol.asyncIterator]().next();
    expect((await next).value).toMatchObject({ kind: "events" });
  });
});
