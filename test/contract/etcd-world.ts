import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, afterEach, beforeAll } from "vitest";
import { silentLogger, systemClock } from "../../src/foundation/index.ts";
import { withWatchCache } from "../../src/store/cached/index.ts";
import type { Store } from "../../src/store/index.ts";
import { type EtcdCluster, startEtcd } from "../lab/etcd.ts";
import { openLabStore } from "../lab/open-lab-store.ts";
import type { StoreUnderTest } from "./store.ts";

/** A cluster for the tests of a file. */
export interface EtcdWorld {
  readonly cluster: () => EtcdCluster;
  /** A store on it, which ends with the test. */
  readonly openStore: () => Promise<Store>;
  /** The same as servers use it: through the watch cache. */
  readonly openCached: () => Promise<Store>;
}

/** Starts it before the tests, and ends it after them. */
export function etcdWorld(memberCount: 1 | 3 = 1): EtcdWorld {
  let cluster: EtcdCluster;
  const stores: Store[] = [];
  beforeAll(async () => {
    cluster = await startEtcd({ memberCount });
  });
  afterEach(async () => {
    for (const store of stores.splice(0)) await store[Symbol.asyncDispose]();
  });
  afterAll(() => cluster[Symbol.asyncDispose]());
  /** What was opened last, a cache before what is beneath it, ends first. */
  const keep = (store: Store): Store => {
    stores.unshift(store);
    return store;
  };
  const openStore = async () => keep(await openLabStore(cluster.endpoints));
  const common = { clock: systemClock, random: Math.random, logger: silentLogger };
  return {
    cluster: () => cluster,
    openStore,
    openCached: async () => keep(await withWatchCache(await openStore(), { prefix: "/", ...common })),
  };
}

/** An empty store, as the contract wants it. */
export async function emptyStore(world: EtcdWorld, open: () => Promise<Store>): Promise<StoreUnderTest> {
  world.cluster().wipe();
  let store = await open();
  return {
    store,
    leaseSeconds: 5,
    // etcd's leases run on its own clock: the time has to pass.
    pass: (ms) => sleep(ms),
    reopen: async () => {
      await store[Symbol.asyncDispose]();
      store = await open();
      return store;
    },
  };
}
