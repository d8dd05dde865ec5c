import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type ErrorCode, ParasausError } from "../../src/foundation/index.ts";
import type { Store, StoreEvent, StoreWatchMessage, StoreWrite } from "../../src/store/index.ts";

/** What the suite needs besides the store: its clock, so that leases end without waiting. */
export interface StoreUnderTest {
  readonly store: Store;
  /** A short lease, seconds: long enough to be kept alive in time, however busy the machine is. */
  readonly leaseSeconds: number;
  /** Lets `ms` pass for leases and progress messages. */
  readonly pass: (ms: number) => Promise<void>;
  /** Closes the store and opens it again on what it stored. */
  readonly reopen: () => Promise<Store>;
}

const put = (key: string, value: string, leaseId?: string): StoreWrite => ({
  kind: "put",
  key,
  value,
  ...(leaseId === undefined ? {} : { leaseId }),
});
const remove = (key: string): StoreWrite => ({ kind: "delete", key });

/** Every Store must pass this; the embedded and the etcd one run the same list. */
export function describeStore(name: string, open: () => Promise<StoreUnderTest>): void {
  describe(`Store contract: ${name}`, () => {
    let stop = new AbortController();
    beforeEach(() => {
      stop = new AbortController();
    });
    afterEach(() => stop.abort());

    describe("reading and writing", () => {
      it("reads back what it wrote, at the revision it returned", async () => {
        const { store } = await open();
        const written = await store.transact([], [put("/a", "1")]);
        const revision = await store.revision();
        expect(written).toEqual({ succeeded: true, revision });
        expect(await store.get("/a")).toEqual({
          key: "/a",
          value: "1",
          createRevision: revision,
          modRevision: revision,
        });
      });

      it("raises the revision by one per transaction, however much it writes", async () => {
        const { store } = await open();
        const before = await store.revision();
        await store.transact([], [put("/a", "1"), put("/b", "2"), put("/c", "3")]);
        expect(await store.revision()).toBe(before + 1);
        expect((await store.range("/")).entries.map((entry) => entry.modRevision)).toEqual(
          Array(3).fill(before + 1),
        );
      });

      it("leaves the revision alone when nothing changes", async () => {
        const { store } = await open();
        await store.transact([], [put("/a", "1")]);
        const before = await store.revision();
        expect(await store.transact([], [remove("/none")])).toEqual({ succeeded: true, revision: before });
        expect(await store.transact([], [])).toEqual({ succeeded: true, revision: before });
      });

      it("keeps the create revision until the key is deleted", async () => {
        const { store } = await open();
        const { revision: created } = await store.transact([], [put("/a", "1")]);
        await store.transact([], [put("/a", "2")]);
        expect((await store.get("/a"))?.createRevision).toBe(created);
        await store.transact([], [remove("/a")]);
        expect(await store.get("/a")).toBeUndefined();
        const { revision: again } = await store.transact([], [put("/a", "3")]);
        expect((await store.get("/a"))?.createRevision).toBe(again);
      });

      it("writes nothing of a transaction when one of its conditions fails", async () => {
        const { store } = await open();
        const { revision } = await store.transact([], [put("/a", "1")]);
        const conditions = [
          { key: "/a", modRevision: revision },
          { key: "/b", modRevision: 7 },
        ];
        const failed = await store.transact(conditions, [put("/a", "2"), put("/b", "2")]);
        expect(failed).toEqual({ succeeded: false, revision });
        expect((await store.range("/")).entries.map((entry) => entry.value)).toEqual(["1"]);
      });

      it("takes modRevision 0 for a key that does not exist", async () => {
        const { store } = await open();
        const absent = [{ key: "/a", modRevision: 0 }];
        expect((await store.transact(absent, [put("/a", "1")])).succeeded).toBe(true);
        expect((await store.transact(absent, [put("/a", "2")])).succeeded).toBe(false);
      });

      it("lets exactly one of many writers win who all expect the same revision", async () => {
        const { store } = await open();
        const { revision } = await store.transact([], [put("/a", "0")]);
        const attempts = Array.from({ length: 200 }, (_, index) =>
          store.transact([{ key: "/a", modRevision: revision }], [put("/a", String(index))]),
        );
        const results = await Promise.all(attempts);
        expect(results.filter((result) => result.succeeded)).toHaveLength(1);
      });

      it.each<[string, StoreWrite[], ErrorCode]>([
        ["the same key twice", [put("/a", "1"), remove("/a")], "BadRequest"],
        ["an empty key", [put("", "1")], "BadRequest"],
        ["more than 1.5 MiB", [put("/a", "x".repeat(1_600_000))], "TooLarge"],
        ["a lease that does not exist", [put("/a", "1", "12345")], "NotFound"],
        ["more than 128 writes", numbers(0, 129).map((name) => put(`/${name}`, "1")), "TooLarge"],
      ])("refuses a transaction with %s, and writes none of it", async (_, writes, code) => {
        const { store } = await open();
        await refused(store.transact([], writes), code);
        expect((await store.range("/")).count).toBe(0);
      });

      it("keeps any Unicode text as it is", async () => {
        const { store } = await open();
        const value = '{"说明":"合页 \u{1f6aa} \\n \u0000 \u2028"}';
        await store.transact([], [put("/a", value)]);
        expect((await store.get("/a"))?.value).toBe(value);
      });
    });

    describe("ranges", () => {
      it("gives the keys under a prefix in byte order, and nothing else", async () => {
        const { store } = await open();
        const keys = ["/p/b", "/p/a", "/p-1", "/p0", "/p/A", "/p/a/x", "/q"];
        for (const key of keys) await store.transact([], [put(key, key)]);
        const { entries, count, more } = await store.range("/p/");
        expect(entries.map((entry) => entry.key)).toEqual(["/p/A", "/p/a", "/p/a/x", "/p/b"]);
        expect({ count, more }).toEqual({ count: 4, more: false });
      });

      it("pages without gap or repetition, and counts the whole range each time", async () => {
        const { store } = await open();
        const keys = Array.from({ length: 25 }, (_, index) => `/p/${String(index).padStart(2, "0")}`);
        await store.transact(
          [],
          keys.map((key) => put(key, "1")),
        );
        const seen: string[] = [];
        for (const limit of [10, 10, 10]) {
          const after = seen.at(-1) ?? "/p/";
          const page = await store.range("/p/", { limit, after });
          seen.push(...page.entries.map((entry) => entry.key));
          expect({ count: page.count, more: page.more }).toEqual({ count: 25, more: seen.length < 25 });
        }
        expect(seen).toEqual(keys);
      });

      it("reads any kept revision as it was", async () => {
        const { store } = await open();
        const { revision: first } = await store.transact([], [put("/a", "1"), put("/b", "1")]);
        const { revision: second } = await store.transact([], [put("/a", "2"), remove("/b"), put("/c", "2")]);
        await store.transact([], [remove("/a"), put("/b", "3")]);
        const valuesAt = async (revision: number) =>
          (await store.range("/", { revision })).entries.map(({ key, value }) => `${key}=${value}`);
        expect(await valuesAt(first)).toEqual(["/a=1", "/b=1"]);
        expect(await valuesAt(second)).toEqual(["/a=2", "/c=2"]);
        const paged = await store.range("/", { revision: second, limit: 1, after: "/a" });
        expect(paged).toMatchObject({ count: 2, more: false, entries: [{ key: "/c" }] });
      });

      it("refuses a revision that is still to come", async () => {
        const { store } = await open();
        await refused(store.range("/", { revision: (await store.revision()) + 1 }), "BadRequest");
      });
    });

    describe("watching", () => {
      it("delivers each change once, in order, with what was there before", async () => {
        const { store } = await open();
        const seen = follow(store, "/p/", 0, stop.signal);
        await store.transact([], [put("/p/a", "1"), put("/q", "1")]);
        await store.transact([], [put("/p/a", "2")]);
        await store.transact([], [remove("/p/a")]);
        expect((await seen.take(3)).map(describeEvents)).toEqual([
          ["/p/a: - > 1"],
          ["/p/a: 1 > 2"],
          ["/p/a: 2 > -"],
        ]);
      });

      it("delivers the events of one revision in one message", async () => {
        const { store } = await open();
        const seen = follow(store, "/", 0, stop.signal);
        const { revision } = await store.transact([], [put("/a", "1"), put("/b", "1"), put("/c", "1")]);
        const [message] = await seen.take(1);
        expect(message?.revision).toBe(revision);
        expect(message && describeEvents(message)).toEqual(["/a: - > 1", "/b: - > 1", "/c: - > 1"]);
      });

      it("resumes from any kept revision without loss, also after a restart", async () => {
        const { store, reopen } = await open();
        const { revision: first } = await store.transact([], [put("/n", "0")]);
        for (let value = 1; value < 20; value += 1) await store.transact([], [put("/n", String(value))]);
        expect(await valuesFrom(store, first + 5, 15)).toEqual(numbers(5, 20));
        const again = await reopen();
        await again.transact([], [put("/n", "20")]);
        expect(await valuesFrom(again, first + 5, 16)).toEqual(numbers(5, 21));
      });

      it("tells that nothing happened, with the revision up to which that is true", async () => {
        const { store, pass } = await open();
        const messages = store.watch("/p/", 0, stop.signal)[Symbol.asyncIterator]();
        const next = messages.next();
        const { revision } = await store.transact([], [put("/elsewhere", "1")]);
        await pass(10_000);
        expect((await next).value).toEqual({ kind: "progress", revision });
      });

      it("ends quietly when its signal aborts", async () => {
        const { store } = await open();
        const aborted = new AbortController();
        const messages = store.watch("/", 0, aborted.signal)[Symbol.asyncIterator]();
        const next = messages.next();
        aborted.abort();
        expect(await next).toEqual({ done: true, value: undefined });
      });

      it("keeps the pace of a slow watcher: it gets everything, however far it is behind", async () => {
        const { store } = await open();
        const { revision } = await store.transact([], [put("/n", "0")]);
        const slow = store.watch("/n", revision, stop.signal)[Symbol.asyncIterator]();
        await slow.next();
        const written = await Promise.all(
          numbers(1, 3_001).map(async (value) => ({
            value,
            revision: (await store.transact([], [put("/n", value)])).revision,
          })),
        );
        const values: string[] = [];
        while (values.length < 3_000) values.push(...valuesOf((await slow.next()).value));
        const inOrder = written.sort((a, b) => a.revision - b.revision).map(({ value }) => value);
        expect(values).toEqual(inOrder);
      });
    });

    describe("compaction", () => {
      it("answers Expired for what it forgot, and keeps the rest", async () => {
        const { store, reopen } = await open();
        const { revision: first } = await store.transact([], [put("/n", "0")]);
        for (let value = 1; value < 10; value += 1) await store.transact([], [put("/n", String(value))]);
        // What follows another store must have followed so far: a compaction that overtakes it makes it begin anew.
        expect(await valuesFrom(store, first, 10)).toEqual(numbers(0, 10));
        await store.compact(first + 5);
        const check = async (each: Store) => {
          await refused(each.range("/", { revision: first + 4 }), "Expired");
          await refused(
            each
              .watch("/", first + 4, stop.signal)
              [Symbol.asyncIterator]()
              .next(),
            "Expired",
          );
          expect((await each.range("/", { revision: first + 5 })).entries[0]?.value).toBe("5");
          expect(await valuesFrom(each, first + 6, 4)).toEqual(numbers(6, 10));
        };
        await check(store);
        await check(await reopen());
      });

      it("refuses to compact the future", async () => {
        const { store } = await open();
        await refused(store.compact((await store.revision()) + 1), "BadRequest");
      });
    });

    describe("leases", () => {
      it("deletes the keys of a lease that is not kept alive, in one revision", async () => {
        const { store, pass, leaseSeconds } = await open();
        const lease = await store.grantLease(leaseSeconds);
        const { revision } = await store.transact(
          [],
          [put("/a", "1", lease), put("/b", "1", lease), put("/c", "1")],
        );
        const seen = follow(store, "/", revision + 1, stop.signal);
        await pass(leaseSeconds * 900);
        expect((await store.range("/")).count).toBe(3);
        await pass(leaseSeconds * 500);
        const [message] = await seen.take(1);
        expect(message && describeEvents(message).sort()).toEqual(["/a: 1 > -", "/b: 1 > -"]);
        expect(await store.keepLeaseAlive(lease)).toBe(false);
        await refused(store.transact([], [put("/a", "2", lease)]), "NotFound");
      });

      it("keeps the keys while the lease is kept alive", async () => {
        const { store, pass, leaseSeconds } = await open();
        const lease = await store.grantLease(leaseSeconds);
        await store.transact([], [put("/a", "1", lease)]);
        for (let round = 0; round < 4; round += 1) {
          await pass(leaseSeconds * 600);
          expect(await store.keepLeaseAlive(lease)).toBe(true);
        }
        expect((await store.get("/a"))?.value).toBe("1");
      });

      it("frees a key from its lease when it is written without", async () => {
        const { store } = await open();
        const lease = await store.grantLease(10);
        await store.transact([], [put("/a", "1", lease), put("/b", "1", lease)]);
        await store.transact([], [put("/a", "2")]);
        await store.revokeLease(lease);
        expect((await store.range("/")).entries.map((entry) => entry.key)).toEqual(["/a"]);
      });

      it("knows nothing of a lease that has ended or never was, and says so without failing", async () => {
        const { store } = await open();
        const lease = await store.grantLease(10);
        await store.revokeLease(lease);
        for (const gone of [lease, "12345", "no lease at all"]) {
          expect(await store.keepLeaseAlive(gone)).toBe(false);
          await store.revokeLease(gone);
          await refused(store.transact([], [put("/a", "1", gone)]), "NotFound");
        }
      });

      it("refuses a lease that ends at once", async () => {
        const { store } = await open();
        await refused(store.grantLease(0), "BadRequest");
      });

      it("remembers leases over a restart", async () => {
        const { store, pass, reopen, leaseSeconds } = await open();
        const lease = await store.grantLease(leaseSeconds);
        await store.transact([], [put("/a", "1", lease)]);
        const again = await reopen();
        expect(await again.keepLeaseAlive(lease)).toBe(true);
        const seen = follow(again, "/", 0, stop.signal);
        await pass(leaseSeconds * 1_200);
        const [message] = await seen.take(1);
        expect(message && describeEvents(message)).toEqual(["/a: 1 > -"]);
        expect(await again.get("/a")).toBeUndefined();
      });
    });
  });
}

function numbers(first: number, end: number): string[] {
  return Array.from({ length: end - first }, (_, index) => String(first + index));
}

async function refused(promise: Promise<unknown>, code: ErrorCode): Promise<void> {
  const failure = await promise.then(
    () => "no error",
    (error: unknown) => error,
  );
  expect(failure).toBeInstanceOf(ParasausError);
  expect((failure as ParasausError).code).toBe(code);
}

type EventsMessage = Extract<StoreWatchMessage, { kind: "events" }>;

/** A watch whose events are taken as they come; progress is left out. */
function follow(store: Store, prefix: string, fromRevision: number, signal: AbortSignal) {
  const messages = store.watch(prefix, fromRevision, signal)[Symbol.asyncIterator]();
  // The first read starts the watch: from now on it misses nothing.
  let pending = messages.next();
  const take = async (count: number): Promise<EventsMessage[]> => {
    const taken: EventsMessage[] = [];
    while (taken.length < count) {
      const { value, done } = await pending;
      if (done) throw new Error(`The watch ended after ${taken.length} of ${count} messages`);
      pending = messages.next();
      if (value?.kind === "events") taken.push(value);
    }
    return taken;
  };
  return { take };
}

async function valuesFrom(store: Store, fromRevision: number, count: number): Promise<string[]> {
  const stop = new AbortController();
  const messages = await follow(store, "/n", fromRevision, stop.signal).take(count);
  stop.abort();
  return messages.flatMap(valuesOf);
}

function valuesOf(message: StoreWatchMessage): string[] {
  const events = message.kind === "events" ? message.events : [];
  return events.map((event) => (event.kind === "put" ? event.entry.value : "deleted"));
}

function describeEvents({ events }: EventsMessage): string[] {
  return events.map((event: StoreEvent) => {
    const key = event.kind === "put" ? event.entry.key : event.key;
    const after = event.kind === "put" ? event.entry.value : "-";
    return `${key}: ${event.previous?.value ?? "-"} > ${after}`;
  });
}
