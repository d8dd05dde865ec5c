import { appendFileSync, copyFileSync, mkdtempSync, readdirSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { LAYOUT } from "../../src/dataplane/ebpf/layout.ts";
import { type DesiredPool, type PoolOperation, planOperations } from "../../src/dataplane/index.ts";
import { type BpfMap, openPinnedMap } from "../../src/linux/index.ts";
import {
  closeAll,
  connected,
  connectTimes,
  placesOf,
  poolIn,
  program,
  withMember,
} from "../contract/driver-world.ts";
import { BPF_OBJECT, type EbpfWorld, missingForEbpf, openEbpfWorld } from "../lab/ebpf-world.ts";
import { attachTrace, isBpfWrite, traceBpf } from "../lab/syscall-trace.ts";
import { startTraffic } from "../lab/traffic.ts";

const missing = missingForEbpf();

describe.skipIf(missing)(`eBPF driver, started again${missing}`, () => {
  let world: EbpfWorld;
  const pins = () => `/sys/fs/bpf/parasaus/${world.options.node}/v1`;
  beforeAll(async () => {
    world = await openEbpfWorld();
  });
  beforeEach(async () => {
    const driver = world.driver();
    const pools = await driver.observe();
    await driver.apply(pools.map(({ uid }) => ({ kind: "remove", uid })));
  });
  afterAll(() => world?.[Symbol.asyncDispose]());

  it("loads nothing and writes nothing, and flows go on", async () => {
    const pool = withMember(poolIn(world, 4, { scheduler: "wrr" }), 0, { weight: 3 });
    await program(world, pool);
    const flow = await connected(world);
    // The first maintenance after the removal in between tests has work to do.
    await world.driver().maintain();
    const trace = traceBpf();
    await world.restart(trace.prefix);
    const observed = await world.driver().observe();
    await world.driver().maintain();
    await world.driver().readCounters();
    expect(planOperations([pool], observed, world.driver().nowMs())).toEqual([]);
    expect(trace.calls().length).toBeGreaterThan(20);
    expect(trace.writes()).toEqual([]);
    expect(await flow.exchange()).toBe(flow.member);
    await flow.close();
  });

  it("rewrites exactly the row that somebody damaged", async () => {
    const pool = poolIn(world, 3, { affinitySeconds: 60 });
    await program(world, pool);
    const trace = traceBpf();
    await world.restart(trace.prefix);
    await program(world, pool);
    const rows = rowsInUse(pins());
    for (const [table, offset] of [
      ["slot", 0],
      ["member", 28],
      ["member", 18],
      ["member", 3],
      ["service", 36],
      ["service", 20],
      ["service", 2],
      ["pool", 1],
    ] as const) {
      flipBit(`${pins()}/${table}`, rows[table], offset);
      const before = trace.writes().length;
      await program(world, pool);
      await program(world, pool);
      expect([table, offset, trace.writes().length - before]).toEqual([table, offset, 1]);
    }
    await closeAll(await connectTimes(world, 4));
  });

  it("takes another build of the object without losing a flow, and removes the old programs", async () => {
    await program(world, poolIn(world, 2));
    const flow = await connected(world);
    const folders = () => readdirSync(pins()).filter((name) => name.startsWith("programs-"));
    const before = folders();
    const rebuilt = path.join(mkdtempSync(path.join(tmpdir(), "paratest-")), "parasaus.bpf.o");
    copyFileSync(BPF_OBJECT, rebuilt);
    appendFileSync(rebuilt, "another build");
    await world.restart([], { objectFile: rebuilt });
    expect(folders()).toHaveLength(1);
    expect(folders()).not.toEqual(before);
    expect(await flow.exchange()).toBe(flow.member);
    await closeAll([flow, ...(await connectTimes(world, 2))]);
  });

  it("costs no connection while it is killed, rebuilt and changes its pool under load", async () => {
    await program(world, poolIn(world, 4));
    const { client, clientIps: sources } = world.topology;
    const target = { host: world.nodeIp, port: 30001, sources };
    const requests = startTraffic(client, { ...target, mode: "requests", concurrency: 8, paceMs: 5 });
    const held = startTraffic(client, { ...target, mode: "hold", connections: 40 });
    await until(async () => (await held.mark()).opened === 40);
    const rebuilt = path.join(mkdtempSync(path.join(tmpdir(), "paratest-")), "parasaus.bpf.o");
    copyFileSync(BPF_OBJECT, rebuilt);
    for (const [round, scheduler] of (["wrr", "lc", "mh", "sh"] as const).entries()) {
      const before = (await requests.mark()).succeeded;
      await world.reopen();
      await program(world, withMember(poolIn(world, 4, { scheduler }), round, { weight: 0 }));
      appendFileSync(rebuilt, "another build");
      await world.restart([], { objectFile: rebuilt });
      await program(
        world,
        withMember(poolIn(world, 4, { scheduler: "rr" }), round, { disposition: "paused" }),
      );
      await world.driver().maintain();
      await until(async () => (await requests.mark()).succeeded > before + 50);
    }
    const report = await requests.stop();
    expect(report.failures).toEqual({});
    expect(Object.keys(report.members)).toHaveLength(4);
    const { alive, moved, resets, ends, timeouts } = await held.mark();
    expect({ alive, moved, resets, ends, timeouts }).toEqual({
      alive: 40,
      moved: 0,
      resets: 0,
      ends: 0,
      timeouts: 0,
    });
    await held.stop();
    await world.restart();
  });

  it("killed between any two writes, it leaves every connect address old or new, and the next start repairs", async () => {
    const places = placesOf(world);
    const writes = await writesOf(await prepare(0));
    expect(writes.length).toBeGreaterThanOrEqual(5);
    for (const [round, killAt] of writes.entries()) {
      const { operations, after } = await prepare(round + 1);
      await using _trace = await attachTrace(world.host().process.pid ?? 0, killAt);
      await expect(world.driver().apply(operations)).rejects.toThrow("ended before it answered");
      const members = (await connectTimes(world, 4)).map(({ member }) => member);
      expect([places.slice(0, 2), places.slice(2)]).toContainEqual([...new Set(members)].sort());
      await world.reopen();
      await program(world, after);
      const later = await connectTimes(world, 4);
      expect([...new Set(later.map(({ member }) => member))].sort()).toEqual(places.slice(2));
      const observed = await world.driver().observe();
      expect(planOperations([after], observed, world.driver().nowMs())).toEqual([]);
    }
  });

  /** A change of every member and of the scheduler, about to be applied; each round on a pool of its own. */
  async function prepare(round: number): Promise<{ operations: PoolOperation[]; after: DesiredPool }> {
    const pools = await world.driver().observe();
    await world.driver().apply(pools.map(({ uid }) => ({ kind: "remove", uid })));
    const uid = `0b0e7a4c-0000-4000-8000-0000000002${String(round).padStart(2, "0")}`;
    await program(world, poolIn(world, 2, { uid }));
    const members = poolIn(world, 4).members.slice(2);
    const after = poolIn(world, 4, { uid, members, scheduler: "wrr" });
    const observed = await world.driver().observe();
    return { operations: planOperations([after], observed, world.driver().nowMs()), after };
  }

  /** Which `bpf` calls of that change are writes, counted from 1. */
  async function writesOf({ operations }: { readonly operations: PoolOperation[] }): Promise<number[]> {
    await using trace = await attachTrace(world.host().process.pid ?? 0);
    await world.driver().apply(operations);
    return trace.calls().flatMap((call, index) => (isBpfWrite(call) ? [index + 1] : []));
  }
});

async function until(isSo: () => Promise<boolean>): Promise<void> {
  while (!(await isSo())) await new Promise((resolve) => setTimeout(resolve, 50));
}

/** A row of each table that the only pool uses. */
function rowsInUse(pins: string) {
  const service = openMap(`${pins}/service`);
  const key = Buffer.alloc(service.keyBytes);
  const row = Buffer.alloc(service.valueBytes);
  service.nextKey(undefined, key);
  service.lookup(key, row);
  const { pool, sequence_at } = LAYOUT.service;
  const slotKey = row.subarray(sequence_at, sequence_at + 4);
  const slot = openMap(`${pins}/slot`);
  const slotRow = Buffer.alloc(slot.valueBytes);
  slot.lookup(slotKey, slotRow);
  for (const map of [service, slot]) map.close();
  return { service: key, slot: slotKey, pool: row.subarray(pool, pool + 4), member: slotRow.subarray(0, 4) };
}

function openMap(file: string): BpfMap {
  const map = openPinnedMap(file);
  if (!map) throw new Error(`no map at ${file}`);
  return map;
}

function flipBit(file: string, key: Buffer, offset: number): void {
  const map = openMap(file);
  const row = Buffer.alloc(map.valueBytes);
  map.lookup(key, row);
  row[offset] = (row[offset] ?? 0) ^ 1;
  map.update(key, row);
  map.close();
}
