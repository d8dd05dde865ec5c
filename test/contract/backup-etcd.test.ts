import { afterAll, afterEach, beforeAll } from "vitest";
import type { Store } from "../../src/store/index.ts";
import { type EtcdCluster, startEtcd } from "../lab/etcd.ts";
import { openLabStore } from "../lab/open-lab-store.ts";
import { describeBackup } from "./backup.ts";

let cluster: EtcdCluster;
beforeAll(async () => {
  cluster = await startEtcd();
});
afterAll(() => cluster[Symbol.asyncDispose]());

const stores: Store[] = [];
afterEach(async () => {
  for (const store of stores.splice(0)) await store[Symbol.asyncDispose]();
});

describeBackup("etcd, one member", async () => {
  cluster.wipe();
  const { endpoints } = cluster;
  const store = await openLabStore(endpoints);
  stores.push(store);
  return store;
});
