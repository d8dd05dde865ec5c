/**
 * Opens the IPVS driver in its network namespace, programs many pools with two members each, and answers how long that
 * took: lines of JSON on standard input ask.
 *
 *     tsx ipvs-scale.ts '{"node":"n1"}'
 */
import { type DesiredPool, planOperations } from "../../../src/dataplane/index.ts";
import { type IpvsDriverOptions, openIpvsDriver } from "../../../src/dataplane/ipvs/index.ts";
import { silentLogger } from "../../../src/foundation/index.ts";
import { answerCalls } from "../answer-calls.ts";

/** As the agent does. */
const BATCH_SIZE = 500;
const options = JSON.parse(process.argv[2] ?? "{}") as IpvsDriverOptions;
const driver = await openIpvsDriver({ ...options, logger: silentLogger });

/** On the node's ports from 30000 on, or on port 80 of an address each. */
type Place = "ports" | "addresses";

function poolNumber(index: number, place: Place): DesiredPool {
  const [ip, port] =
    place === "ports"
      ? ["*", 30_000 + index]
      : [`198.${18 + (index >> 16)}.${(index >> 8) & 255}.${index & 255}`, 80];
  return {
    uid: `0b0e7a4c-0000-4000-9000-${index.toString(16).padStart(12, "0")}`,
    addresses: [{ ip, port, protocol: "TCP" }],
    scheduler: "rr",
    forwarding: "nat",
    affinitySeconds: 0,
    drainSeconds: 30,
    members: [1, 2].map((last) => ({
      ip: `10.${100 + (index >> 12)}.${(index >> 4) & 255}.${(index & 15) * 8 + last}`,
      port: 8080,
      weight: 1,
      disposition: "active",
      drainSeconds: 30,
    })),
  };
}

/** Brings the kernel to so many pools and says what that cost. */
async function bring(count: number, place: Place) {
  const [startMs, asks, writes] = [performance.now(), driver.askCount(), driver.writeCount()];
  const observed = await driver.observe();
  const observedMs = performance.now();
  const pools = Array.from({ length: count }, (_, index) => poolNumber(index, place));
  const operations = planOperations(pools, observed, driver.nowMs());
  const plannedMs = performance.now();
  let failureCount = 0;
  for (let at = 0; at < operations.length; at += BATCH_SIZE)
    failureCount += (await driver.apply(operations.slice(at, at + BATCH_SIZE))).length;
  return {
    observeMs: observedMs - startMs,
    applyMs: performance.now() - plannedMs,
    poolCount: observed.length,
    operationCount: operations.length,
    failureCount,
    askCount: driver.askCount() - asks,
    writeCount: driver.writeCount() - writes,
    residentMegabytes: process.memoryUsage().rss / 2 ** 20,
  };
}

answerCalls({
  setNodeAddresses: (addresses: string[]) => driver.setNodeAddresses(addresses),
  bring,
  async removeAll() {
    const pools = await driver.observe();
    const startMs = performance.now();
    await driver.apply(pools.map(({ uid }) => ({ kind: "remove", uid })));
    return performance.now() - startMs;
  },
});
