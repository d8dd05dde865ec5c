import { afterAll, afterEach, beforeAll } from "vitest";
import { silentLogger, systemClock } from "../../src/foundation/index.ts";
import { openEtcdStore } from "../../src/store/etcd/index.ts";
import type { Store } from "../../src/store/index.ts";
import { type EtcdCluster, startEtcd } from "../lab/etcd.ts";
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
  const store = await openEtcdStore({
    endpoints,
    clock: systemClock,
    random: Math.random,
    logger: silentLogger,
  });
  stores.push(store);
  return store;
});
