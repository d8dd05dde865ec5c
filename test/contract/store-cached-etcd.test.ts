import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { silentLogger, systemClock } from "../../src/foundation/index.ts";
import { withWatchCache } from "../../src/store/cached/index.ts";
import { openEtcdStore } from "../../src/store/etcd/index.ts";
import type { Store } from "../../src/store/index.ts";
import { type EtcdCluster, startEtcd } from "../lab/etcd.ts";
import { describeStore, type StoreUnderTest } from "./store.ts";
import { describeStoreModel } from "./store-model.ts";
import { StrictClient } from "./strict-client.ts";

const CLIENTS = 254;
const common = { clock: systemClock, random: Math.random, logger: silentLogger };

let cluster: EtcdCluster;
beforeAll(async () => {
  cluster = await startEtcd();
});
afterAll(() => cluster[Symbol.asyncDispose]());

const stores: Store[] = [];
afterEach(async () => {
  for (const store of stores.splice(0)) await store[Symbol.asyncDispose]();
});

async function openStore(): Promise<Store> {
  const store = await openEtcdStore({ endpoints: cluster.endpoints, ...common });
  stores.push(store);
  return store;
}

async function openCache(): Promise<Store> {
  const store = await withWatchCache(await openStore(), { prefix: "/", ...common });
  // The cache before what is beneath it.
  stores.unshift(store);
  return store;
}

async function open(): Promise<StoreUnderTest> {
  cluster.wipe();
  let store = await openCache();
  return {
    store,
    leaseSeconds: 5,
    pass: (ms) => sleep(ms),
    reopen: async () => {
      await store[Symbol.asyncDispose]();
      store = await openCache();
      return store;
    },
  };
}

describeStore("watch cache over etcd", open);
describeStoreModel("watch cache over etcd", open);

describe("a watch cache over etcd", () => {
  const etcdWatchers = async (): Promise<number> => {
    const answer = await fetch(`http://${cluster.endpoints[0]}/metrics`);
    return Number(/^etcd_debugging_mvcc_watcher_total (\d+)$/m.exec(await answer.text())?.[1]);
  };
  const follow = (store: Store, signal: AbortSignal): StrictClient[] =>
    Array.from({ length: CLIENTS }, () => new StrictClient(store, "/p/", signal));

  it(`is one watcher in etcd for its ${CLIENTS} clients, who are all told the truth`, async () => {
    cluster.wipe();
    const stop = new AbortController();
    const clients = follow(await openCache(), stop.signal);
    const writer = await openStore();
    for (let index = 0; index < 50; index += 1) {
      await writer.transact([], [{ kind: "put", key: `/p/${index % 7}`, value: String(index) }]);
    }
    const { entries } = await writer.range("/p/");
    const expected = new Map(entries.map(({ key, value }) => [key, value]));
    for (const { view } of clients) await expect.poll(() => new Map([...view].sort())).toEqual(expected);
    expect(await etcdWatchers()).toBe(1);
    expect(clients.flatMap(({ complaints }) => complaints)).toEqual([]);
    // Control: without the cache each client is one.
    follow(writer, stop.signal);
    await expect.poll(etcdWatchers, { timeout: 20_000 }).toBe(1 + CLIENTS);
    stop.abort();
  });
});
