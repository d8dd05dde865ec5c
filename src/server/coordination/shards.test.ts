import { describe, expect, it } from "vitest";
import { preferredServer, SHARD_COUNT, shardOfPool } from "./shards.ts";

const SHARDS = Array.from({ length: SHARD_COUNT }, (_, shard) => shard);
const MANY = Array.from({ length: 20_000 }, (_, shard) => shard);
const ids = (count: number) => Array.from({ length: count }, (_, index) => `node-${index}-${7919 * index}`);

function sharesOf(shards: readonly number[], servers: readonly string[]): number[] {
  const counts = new Map(servers.map((id) => [id, 0]));
  for (const shard of shards) {
    const winner = preferredServer(shard, servers) ?? "nobody";
    counts.set(winner, (counts.get(winner) ?? 0) + 1);
  }
  return [...counts.values()];
}

describe("the shard of a pool", () => {
  it("is the same for ever, on every server", () => {
    expect(["default/web", "shop/web", "shop/web-1", "商店/网"].map(shardOfPool)).toEqual([36, 62, 20, 52]);
  });

  it("spreads 35,000 pools evenly: each shard is within a fifth of the mean", () => {
    const counts = new Array<number>(SHARD_COUNT).fill(0);
    for (let index = 0; index < 35_000; index += 1) {
      const shard = shardOfPool(`default/pool-${index}`);
      counts[shard] = (counts[shard] ?? 0) + 1;
    }
    const mean = 35_000 / SHARD_COUNT;
    expect(Math.max(...counts)).toBeLessThan(1.2 * mean);
    expect(Math.min(...counts)).toBeGreaterThan(0.8 * mean);
  });
});

describe("the preferred server", () => {
  it("is nobody without servers, the only one with one, and does not depend on their order", () => {
    expect(preferredServer(1, [])).toBeUndefined();
    expect(new Set(SHARDS.map((shard) => preferredServer(shard, ["a"])))).toEqual(new Set(["a"]));
    const servers = ids(9);
    for (const shard of SHARDS) {
      expect(preferredServer(shard, [...servers].reverse())).toBe(preferredServer(shard, servers));
    }
  });

  it.each([2, 3, 5, 8])("gives each of %i servers the same share within 5 %", (count) => {
    const shares = sharesOf(MANY, ids(count)).map((share) => (share * count) / MANY.length);
    expect(Math.max(...shares)).toBeLessThan(1.05);
    expect(Math.min(...shares)).toBeGreaterThan(0.95);
  });

  it("leaves no server without a shard, with 64 of them and up to 8 servers, whatever they are called", () => {
    for (let round = 0; round < 200; round += 1) {
      for (const count of [2, 3, 8]) {
        const servers = ids(count).map((id) => `${id}-${round}`);
        expect(Math.min(...sharesOf(SHARDS, servers))).toBeGreaterThan(0);
      }
    }
  });

  it.each([2, 4, 9])(
    "moves only the shards of a server that goes, and only to one that comes, with %i servers",
    (count) => {
      const servers = ids(count);
      const [gone = "", ...left] = servers;
      let moved = 0;
      for (const shard of MANY) {
        const [before, after] = [preferredServer(shard, servers), preferredServer(shard, left)];
        if (before !== after) moved += 1;
        expect(before === after || before === gone).toBe(true);
      }
      expect(moved).toBe(sharesOf(MANY, servers)[0]);
    },
  );
});
