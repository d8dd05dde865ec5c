import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { uninstallEbpf } from "../../src/dataplane/ebpf/index.ts";
import { type DesiredPool, type Driver, planOperations } from "../../src/dataplane/index.ts";
import { BPF_OBJECT, missingForEbpf } from "../lab/ebpf-world.ts";
import { makeNamespace, type Namespace } from "../lab/namespaces.ts";
import { type Remote, remoteDriver, startRemote } from "../lab/remote.ts";

const POOL_COUNT = 35_000;
const CHANGE_COUNT = 200;
const missing = missingForEbpf();

/** Every connect address of `node-ports`, two members each. */
describe.skipIf(missing)(`eBPF driver with 35,000 pools${missing}`, () => {
  const options = { node: `paratest-${process.pid}-scale`, objectFile: BPF_OBJECT, localClients: "off" };
  let namespace: Namespace;
  let host: Remote;
  let driver: Driver;
  const pools = Array.from({ length: POOL_COUNT }, (_, index) => poolNumber(index));
  const open = async () => {
    host = await startRemote(namespace, "driver-host.ts", [JSON.stringify(options)]);
    driver = await remoteDriver(host);
  };
  beforeAll(async () => {
    namespace = makeNamespace("scale");
    await open();
  });
  afterAll(async () => {
    await namespace?.[Symbol.asyncDispose]();
    uninstallEbpf(options);
  });

  it("programs them all, and reads them back", async () => {
    const startMs = processorMs(host);
    expect(await driver.apply(planOperations(pools, [], driver.nowMs()))).toEqual([]);
    const appliedMs = processorMs(host);
    const observed = await driver.observe();
    const observedMs = processorMs(host);
    expect(planOperations(pools, observed, driver.nowMs())).toEqual([]);
    // Processor time, because tests share the machine; with reading and writing this program's JSON.
    expect(appliedMs - startMs).toBeLessThan(20_000);
    expect(observedMs - appliedMs).toBeLessThan(6000);
    expect(residentMegabytes(host)).toBeLessThan(600);
  });

  it("has one change in the kernel within 100 ms, 99 times of 100", async () => {
    const durations: number[] = [];
    for (let change = 0; change < CHANGE_COUNT; change += 1) {
      const index = (change * 7919) % POOL_COUNT;
      const before = poolNumber(index);
      const [first, second] = before.members;
      const members = [
        ...(first ? [first] : []),
        ...(second ? [{ ...second, ip: `10.250.${change}.9` }] : []),
      ];
      const after = { ...before, members };
      pools[index] = after;
      const held = planOperations([before], [], driver.nowMs()).flatMap((operation) =>
        operation.kind === "install" ? [operation.pool] : [],
      );
      const operations = planOperations([after], held, driver.nowMs());
      durations.push(await timed(async () => expect(await driver.apply(operations)).toEqual([])));
    }
    durations.sort((a, b) => a - b);
    expect(durations[Math.floor(CHANGE_COUNT * 0.99)]).toBeLessThan(100);
  });

  it("finds them after a restart, with nothing to do but the drains", async () => {
    const before = await driver.observe();
    await host.kill();
    await open();
    const after = await driver.observe();
    expect(after.length).toBe(POOL_COUNT);
    expect(after).toEqual(before);
  });
});

function poolNumber(index: number): DesiredPool {
  const number = index.toString(16).padStart(12, "0");
  return {
    uid: `0b0e7a4c-0000-4000-9000-${number}`,
    addresses: [{ ip: "*", port: 30_000 + index, protocol: "TCP" }],
    scheduler: "rr",
    forwarding: "fullnat",
    affinitySeconds: 0,
    drainSeconds: 3600,
    members: [1, 2].map((last) => ({
      ip: `10.${100 + (index >> 12)}.${(index >> 4) & 255}.${(index & 15) * 8 + last}`,
      port: 8080,
      weight: 1,
      disposition: "active",
      drainSeconds: 3600,
    })),
  };
}

async function timed(work: () => Promise<void>): Promise<number> {
  const startMs = performance.now();
  await work();
  return performance.now() - startMs;
}

function residentMegabytes(remote: Remote): number {
  const status = readFileSync(`/proc/${remote.process.pid}/status`, "utf8");
  return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1024;
}

/** User and system time so far, in ticks of 10 ms. */
function processorMs(remote: Remote): number {
  const fields = readFileSync(`/proc/${remote.process.pid}/stat`, "utf8").split(") ")[1]?.split(" ") ?? [];
  return (Number(fields[11]) + Number(fields[12])) * 10;
}
