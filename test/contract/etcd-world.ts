import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, afterEach, beforeAll } from "vitest";
import type { Store } from "../../src/store/index.ts";
import { type EtcdCluster, startEtcd } from "../lab/etcd.ts";
import { openLabStore } from "../lab/open-lab-store.ts";
import type { StoreUnderTest } from "./store.ts";

/** A cluster for the tests of a file: gives an empty store on it, as the contract wants it. */
export function etcdWorld(memberCount: 1 | 3): () => Promise<StoreUnderTest> {
  let cluster: EtcdCluster;
  const stores: Store[] = [];
  beforeAll(async () => {
    cluster = await startEtcd({ memberCount });
  });
  afterEach(async () => {
    for (const store of stores.splice(0)) await store[Symbol.asyncDispose]();
  });
  afterAll(() => cluster[Symbol.asyncDispose]());

  const openAgain = async (): Promise<Store> => {
    const store = await openLabStore(cluster.endpoints);
    stores.push(store);
    return store;
  };
  return async () => {
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
  };
}
