import { silentLogger, systemClock } from "../../src/foundation/index.ts";
import { openEtcdStore } from "../../src/store/etcd/index.ts";
import type { Store } from "../../src/store/index.ts";

/** The etcd store as servers open it, without their logs. */
export function openLabStore(endpoints: readonly string[]): Promise<Store> {
  return openEtcdStore({ endpoints, clock: systemClock, random: Math.random, logger: silentLogger });
}
