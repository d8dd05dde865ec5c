import { beforeEach, expect, it } from "vitest";
import type { ShardTenure } from "../runtime/authority.ts";
import { HeldShards } from "./held-shards.ts";

const tenure = (shard: number, resourceVersion: string) => ({ shard, resourceVersion }) as ShardTenure;

let asked: string[];
let settled: number[][];
let answer: (isCurrent: boolean) => void;
let shards: HeldShards;
beforeEach(() => {
  asked = [];
  settled = [];
  shards = new HeldShards({
    catchUp: (resourceVersion) => {
      asked.push(resourceVersion);
      return new Promise((resolve) => {
        answer = resolve;
      });
    },
    onSettled: (tenures) => settled.push([...tenures].map(({ shard }) => shard)),
  });
});
const turn = () => new Promise((resolve) => setImmediate(resolve));
const answered = async (isCurrent = true) => {
  answer(isCurrent);
  await turn();
};

it("works on nothing before everything is known that former holders wrote, and asks once for those of one moment", async () => {
  shards.add(tenure(1, "9"));
  shards.add(tenure(2, "10"));
  await turn();
  expect([asked, settled, shards.tenureOf(1)]).toEqual([["10"], [], undefined]);
  await answered();
  expect([settled, shards.tenureOf(1)?.resourceVersion]).toEqual([[[1, 2]], "9"]);
});

it("settles what comes meanwhile in the next round", async () => {
  shards.add(tenure(1, "9"));
  await turn();
  shards.add(tenure(2, "12"));
  await answered();
  expect([asked, settled]).toEqual([["9", "12"], [[1]]]);
  await answered();
  expect(settled).toEqual([[1], [2]]);
});

it("does not take up a shard that went while it was being settled, not even when it has come back", async () => {
  shards.add(tenure(1, "9"));
  await turn();
  expect(shards.remove(1)).toBeUndefined();
  shards.add(tenure(1, "15"));
  await answered();
  expect([asked, settled, shards.tenureOf(1)]).toEqual([["9", "15"], [[]], undefined]);
  await answered();
  expect(shards.remove(1)?.resourceVersion).toBe("15");
  expect(shards.tenureOf(1)).toBeUndefined();
});

it("takes up nothing at the end", async () => {
  shards.add(tenure(1, "9"));
  await turn();
  await answered(false);
  expect([settled, shards.tenureOf(1)]).toEqual([[], undefined]);
});
