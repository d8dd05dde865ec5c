import { expect, it } from "vitest";
import { createDraftStore } from "./draft-store.ts";
import type { Store, StoreEntry } from "./store.ts";

const entry = (key: string, value: string): StoreEntry => ({
  ...{ key, value, createRevision: 1, modRevision: 1 },
});

/** Holds /a and /c and takes nothing. */
function below(): Pick<Store, "get" | "range" | "revision" | "transact"> & { transactionCount: number } {
  const entries = [entry("/a", "1"), entry("/c", "3")];
  return {
    transactionCount: 0,
    revision: async () => 7,
    get: async (key) => entries.find((each) => each.key === key),
    range: async () => ({ entries, revision: 7, more: false, count: entries.length }),
    async transact() {
      this.transactionCount += 1;
      return { succeeded: true, revision: 8 };
    },
  };
}

it("shows what was written in it, over what is stored, and stores nothing", async () => {
  const store = below();
  const draft = createDraftStore(store);
  const wrote = await draft.transact(
    [{ key: "/a", modRevision: 1 }],
    [
      { kind: "put", key: "/b", value: "2" },
      { kind: "put", key: "/a", value: "1a" },
      { kind: "delete", key: "/c" },
    ],
  );
  expect(wrote).toEqual({ succeeded: true, revision: 8 });
  expect(await draft.get("/a")).toMatchObject({ value: "1a", createRevision: 1, modRevision: 8 });
  expect(await draft.get("/c")).toBeUndefined();
  const { entries, count } = await draft.range("/");
  expect([entries.map(({ key, value }) => `${key}=${value}`), count]).toEqual([["/a=1a", "/b=2"], 2]);
  expect((await draft.range("/", { limit: 1, after: "/a" })).entries.map(({ key }) => key)).toEqual(["/b"]);
  expect(store.transactionCount).toBe(0);
  expect((await store.get("/a"))?.value).toBe("1");
});

it("refuses a write whose condition does not hold, in what is stored and in what was written", async () => {
  const draft = createDraftStore(below());
  const put = { kind: "put", key: "/a", value: "x" } as const;
  expect((await draft.transact([{ key: "/a", modRevision: 6 }], [put])).succeeded).toBe(false);
  expect(await draft.get("/a")).toEqual(entry("/a", "1"));
  expect((await draft.transact([{ key: "/a", modRevision: 1 }], [put])).succeeded).toBe(true);
  expect((await draft.transact([{ key: "/a", modRevision: 1 }], [put])).succeeded).toBe(false);
});

it("goes by what it read first, so that who writes below meanwhile does not get in its way", async () => {
  let value = "1";
  const store = { ...below(), get: async (key: string) => entry(key, value) };
  const draft = createDraftStore(store);
  expect((await draft.get("/a"))?.value).toBe("1");
  value = "2";
  expect((await draft.get("/a"))?.value).toBe("1");
  // The control: another draft sees it.
  expect((await createDraftStore(store).get("/a"))?.value).toBe("2");
});
