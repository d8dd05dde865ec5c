import { afterAll, afterEach, beforeAll, vi } from "vitest";
import { silentLogger, systemClock } from "../../src/foundation/index.ts";
import { withWatchCache } from "../../src/store/cached/index.ts";
import { openEtcdStore } from "../../src/store/etcd/index.ts";
import type { Store } from "../../src/store/index.ts";
import { type EtcdCluster, startEtcd } from "../lab/etcd.ts";
import { describeHolding } from "./holding.ts";
import { describeLeaders, type LeadersWorld } from "./leaders.ts";
import { describeShares } from "./shares.ts";

/** etcd's leases run on its own clock, so each change takes the time of one. */
const CHANGES = Number(process.env["PARASAUS_LEADER_CHANGES"] ?? "8");
vi.setConfig({ testTimeout: 120_000 + CHANGES * 6_000 });

let cluster: EtcdCluster;
beforeAll(async () => {
  cluster = await startEtcd();
});
afterAll(() => cluster[Symbol.asyncDispose]());

const stores: Store[] = [];
afterEach(async () => {
  for (const store of stores.splice(0)) await store[Symbol.asyncDispose]();
});

/** As servers use it: through the watch cache. */
async function open(): Promise<LeadersWorld> {
  cluster.wipe();
  const clock = systemClock;
  const common = { clock, random: Math.random, logger: silentLogger };
  const etcd = await openEtcdStore({ endpoints: cluster.endpoints, ...common });
  const store = await withWatchCache(etcd, { prefix: "/", ...common });
  stores.push(store);
  const pass = (ms: number) => clock.sleep(ms);
  // 2 s is the shortest lease of etcd, and it looks for leases that are over every half second.
  return { store, clock, pass, leaseSeconds: 2, slackMs: 1_500, changes: CHANGES };
}

describeHolding("etcd", open);
describeLeaders("etcd", open);
describeShares("etcd", open);
