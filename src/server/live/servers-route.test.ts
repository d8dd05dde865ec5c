import { expect, it } from "vitest";
import type { Store, StoreEntry } from "../../store/index.ts";
import { surveyServers } from "./servers-route.ts";

function storeOf(holders: Readonly<Record<string, string>>): Pick<Store, "range"> {
  const entries = Object.entries(holders).map(
    ([key, holder]): StoreEntry => ({
      key,
      value: JSON.stringify({ holder }),
      createRevision: 1,
      modRevision: 1,
    }),
  );
  return {
    range: async (prefix) => {
      const found = entries.filter(({ key }) => key.startsWith(prefix));
      return { entries: found, revision: 1, more: false, count: found.length };
    },
  };
}

it("says what each server does, and what nobody does", async () => {
  const shards = Array.from({ length: 60 }, (_, shard) => [
    `/parasaus/shards/healthcheck/${shard}`,
    shard < 24 ? "a" : "b",
  ]);
  const store = storeOf({
    "/parasaus/servers/a": "a",
    "/parasaus/servers/b": "b",
    "/parasaus/servers/c": "c",
    "/parasaus/leaders/allocator": "a",
    "/parasaus/leaders/circle-watch": "b",
    "/parasaus/leaders/garbage-collector": "a",
    ...Object.fromEntries(shards),
  });
  expect(await surveyServers(store)).toEqual({
    servers: [
      { id: "a", leads: ["allocator", "garbage-collector"], shardCount: 24 },
      { id: "b", leads: ["circle-watch"], shardCount: 36 },
      { id: "c", leads: [], shardCount: 0 },
    ],
    unled: ["confirmations", "node-silence", "operation-trimmer"],
    freeShardCount: 4,
  });
});
