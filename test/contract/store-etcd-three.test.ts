import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, afterEach, beforeAll } from "vitest";
import { silentLogger, systemClock } from "../../src/foundation/index.ts";
import { openEtcdStore } from "../../src/store/etcd/index.ts";
import type { Store } from "../../src/store/index.ts";
import { type EtcdCluster, startEtcd } from "../lab/etcd.ts";
import { describeStore, type StoreUnderTest } from "./store.ts";

let cluster: EtcdCluster;
beforeAll(async () => {
  cluster = await startEtcd({ memberCount: 3 });
});
afterAll(() => cluster[Symbol.asyncDispose]());

const stores: Store[] = [];
afterEach(async () => {
  for (const store of stores.splice(0)) await store[Symbol.asyncDispose]();
});

async function open(): Promise<StoreUnderTest> {
  cluster.wipe();
  let store = await openAgain();
  return {
    store,
    leaseSeconds: 5,
    // etcd's leases run on its own clock: the time has to pass.
    pass: (ms) => sleep(ms),
    reopen: async () => {
      await store[Symbol.asyncDispose]();
      store = await openAgain();
      return store;
    },
  };
}

async function openAgain(): Promise<Store> {
  const store = await openEtcdStore({
    endpoints: cluster.endpoints,
    clock: systemClock,
    random: Math.random,
    logger: silentLogger,
  });
  stores.push(store);
  return store;
}

describeStore("etcd, three members", open);
