import { vi } from "vitest";
import { systemClock } from "../../src/foundation/index.ts";
import { etcdWorld } from "./etcd-world.ts";
import { describeHolding } from "./holding.ts";
import { describeLeaders, type LeadersWorld } from "./leaders.ts";
import { describeShares } from "./shares.ts";

/** etcd's leases run on its own clock, so each change takes the time of one. */
const CHANGES = Number(process.env["PARASAUS_LEADER_CHANGES"] ?? "8");
vi.setConfig({ testTimeout: 120_000 + CHANGES * 6_000 });

const world = etcdWorld();

/** As servers use it: through the watch cache. */
async function open(): Promise<LeadersWorld> {
  world.cluster().wipe();
  const store = await world.openCached();
  const clock = systemClock;
  const pass = (ms: number) => clock.sleep(ms);
  // 2 s is the shortest lease of etcd, and it looks for leases that are over every half second.
  return { store, clock, pass, leaseSeconds: 2, slackMs: 1_500, changes: CHANGES };
}

describeHolding("etcd", open);
describeLeaders("etcd", open);
describeShares("etcd", open);
