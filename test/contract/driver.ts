import { readFileSync, writeFileSync } from "node:fs";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { planOperations, tableHash } from "../../src/dataplane/index.ts";
import { describeSchedulers } from "./driver-schedulers.ts";
import { columnOf, DRIVERS_PAGE, withColumn } from "./driver-table.ts";
import {
  closeAll,
  connected,
  connectTimes,
  type DriverWorld,
  placesOf,
  poolIn,
  program,
  type TestFlow,
  withMember,
} from "./driver-world.ts";

/** What every driver must hold, whatever it programs: DESIGN section 6, rules 1 to 7. */
export function describeDriver(name: string, open: () => Promise<DriverWorld>): void {
  describe(`driver ${name}`, () => {
    let world: DriverWorld;
    const opened = new Set<TestFlow>();
    const current = () => world;
    beforeAll(async () => {
      world = remembering(await open(), opened);
    });
    beforeEach(() => clear(world, opened));
    afterAll(() => world?.[Symbol.asyncDispose]());
    describeChanges(current);
    describeLeaving(current);
    describeReopening(current);
    describeTelling(current);
    describeSchedulers(current);
    describePage(name, current);
  });
}

/** Holds the documentation to what the driver says of itself and to what became of the tests above; last of them. */
function describePage(name: string, world: () => DriverWorld): void {
  const outcomes = new Map<string, string>();
  afterEach(({ task }) => {
    outcomes.set(task.name, task.result?.state === "fail" ? "no" : "yes");
  });

  it("is as docs/reference/drivers.md says", () => {
    const page = readFileSync(DRIVERS_PAGE, "utf8");
    const column = columnOf(world().driver().capabilities, outcomes);
    const wanted = withColumn(page, name, column);
    if (process.env["PARASAUS_REWRITE"]) writeFileSync(DRIVERS_PAGE, wanted);
    else expect(page, "PARASAUS_REWRITE=1 with this test file writes the table anew").toBe(wanted);
  });
}

/** The world, with every flow that is dialled put into `opened`. */
function remembering(world: DriverWorld, opened: Set<TestFlow>): DriverWorld {
  return {
    ...world,
    async connect(port, clientIp) {
      const flow = await world.connect(port, clientIp);
      if (flow !== "reset") opened.add(flow);
      return flow;
    },
  };
}

/**
 * Every flow closed and every pool gone at once, so that each test begins with an empty kernel. Flows are closed first:
 * IPVS drops those of a deleted member an instant later (ip_vs_expire_nodest_conn_flush), and where the next test has added
 * the member again by then, they are its open connections.
 */
async function clear(world: DriverWorld, opened: Set<TestFlow>): Promise<void> {
  await closeAll([...opened]);
  opened.clear();
  const driver = world.driver();
  const pools = await driver.observe();
  await driver.apply(pools.map((pool) => ({ kind: "remove", uid: pool.uid })));
  await driver.maintain();
}

function describeChanges(world: () => DriverWorld): void {
  it("keeps an established flow at its member whatever is changed around it", async () => {
    const pool = poolIn(world(), 3);
    await program(world(), pool);
    const flows = await connectTimes(world(), 6);
    const other = { ...poolIn(world(), 1), uid: "0b0e7a4c-0000-4000-8000-000000000002" };
    const elsewhere = { ...other, addresses: [{ ip: "*", port: 30002, protocol: "TCP" as const }] };
    for (const changed of [
      [poolIn(world(), 4)],
      [withMember(poolIn(world(), 4, { scheduler: "wrr" }), 0, { weight: 7 })],
      [poolIn(world(), 2, { scheduler: "mh" }), elsewhere],
      [withMember(pool, 0, { disposition: "paused" })],
      [{ ...pool, members: [] }],
      [pool],
    ]) {
      await program(world(), ...changed);
      for (const flow of flows) expect(await flow.exchange()).toBe(flow.member);
    }
    await closeAll(flows);
  });

  it("shows new flows the old pool or the new one, never a mixture and never none", async () => {
    const all = poolIn(world(), 4);
    const halves = [all.members.slice(0, 2), all.members.slice(2)];
    const places = placesOf(world());
    await program(world(), all);
    for (let round = 0; round < 20; round += 1) {
      await program(world(), { ...all, members: halves[round % 2] ?? [] });
      const flows = await connectTimes(world(), 4);
      const expected = places.slice((round % 2) * 2, (round % 2) * 2 + 2);
      expect([...new Set(flows.map((flow) => flow.member))].sort()).toEqual([...expected].sort());
      await closeAll(flows);
    }
  });

  it("refuses no connection while pools, members, weights and schedulers change", async () => {
    const { changesSchedulerWithoutGap } = world().driver().capabilities;
    const schedulers = changesSchedulerWithoutGap
      ? (["rr", "wrr", "lc", "wlc", "sh", "mh"] as const)
      : (["rr"] as const);
    await program(world(), poolIn(world(), 2));
    let isDone = false;
    const client = (async () => {
      let count = 0;
      while (!isDone) {
        await closeAll([await connected(world())]);
        count += 1;
      }
      return count;
    })();
    for (let round = 0; round < 60; round += 1) {
      const scheduler = schedulers[round % schedulers.length] ?? "rr";
      const changed = poolIn(world(), 1 + (round % 4), { scheduler });
      await program(world(), withMember(changed, 0, { weight: 1 + (round % 5) }));
    }
    isDone = true;
    expect(await client).toBeGreaterThan(10);
  });

  it("answers for every address of the node, and for no other pool's port", async () => {
    await program(world(), poolIn(world(), 1));
    expect(await world().connect(30001)).not.toBe("reset");
    expect(await world().connect(30009)).toBe("reset");
  });

  it("gives an address that moves to another pool to that one's members", async () => {
    const first = poolIn(world(), 1);
    await program(world(), first);
    const old = await connected(world());
    const second = {
      ...first,
      uid: "0b0e7a4c-0000-4000-8000-000000000002",
      members: poolIn(world(), 2).members.slice(1),
    };
    await program(world(), second);
    expect((await connected(world())).member).toBe(placesOf(world())[1]);
    expect(await old.exchange()).toBe(old.member);
  });
}

function describeLeaving(world: () => DriverWorld): void {
  it("lets flows of a draining member go on until the deadline, and resets them then", async () => {
    const pool = poolIn(world(), 2);
    await program(world(), pool);
    const flows = await connectTimes(world(), 4);
    await program(world(), withMember(pool, 0, { disposition: "draining", drainSeconds: 2 }));
    const [drained, kept] = placesOf(world());
    const later = await connectTimes(world(), 4);
    expect(later.every((flow) => flow.member === kept)).toBe(true);
    for (const flow of flows) expect(await flow.exchange()).toBe(flow.member);
    await world().wait(2100);
    const { cutCount } = await world().driver().maintain();
    expect(cutCount).toBe(2);
    for (const flow of flows) {
      expect(await flow.exchange()).toBe(flow.member === drained ? "reset" : flow.member);
    }
    await closeAll([...flows, ...later]);
  });

  it("keeps the flows of a member that is wanted again before its deadline", async () => {
    const pool = poolIn(world(), 2, { drainSeconds: 1 });
    await program(world(), pool);
    const flows = await connectTimes(world(), 4);
    await program(world(), { ...pool, members: pool.members.slice(1) });
    await program(world(), pool);
    await world().wait(1100);
    await world().driver().maintain();
    for (const flow of flows) expect(await flow.exchange()).toBe(flow.member);
    await closeAll(flows);
  });

  it("resets the flows of a member that is cut at once, and nobody else's", async () => {
    const pool = poolIn(world(), 2);
    await program(world(), pool);
    const flows = await connectTimes(world(), 4);
    await program(world(), withMember(pool, 1, { disposition: "cut" }));
    await world().driver().maintain();
    const cut = placesOf(world())[1];
    for (const flow of flows) expect(await flow.exchange()).toBe(flow.member === cut ? "reset" : flow.member);
    await closeAll(flows);
  });

  it("refuses new flows of a pool that is gone at once, and resets old ones at the deadline", async () => {
    const pool = poolIn(world(), 2, { drainSeconds: 2 });
    await program(world(), pool);
    const flow = await connected(world());
    await program(world(), { ...pool, addresses: [], members: [] });
    expect(await world().connect(30001)).toBe("reset");
    expect(await flow.exchange()).toBe(flow.member);
    await world().wait(2100);
    await program(world());
    await world().driver().maintain();
    expect(await flow.exchange()).toBe("reset");
    expect(await world().driver().observe()).toEqual([]);
  });
}

function describeReopening(world: () => DriverWorld): void {
  it("finds after a crash what the kernel holds, and has nothing to write", async () => {
    const pool = poolIn(world(), 3);
    const draining = withMember(pool, 2, { disposition: "draining" });
    await program(world(), pool);
    const flows = await connectTimes(world(), 3);
    await program(world(), draining);
    const before = await world().driver().observe();
    await world().reopen();
    const after = await world().driver().observe();
    expect(after).toEqual(before);
    expect(tableHash(after)).toBe(tableHash(before));
    expect(planOperations([draining], after, world().driver().nowMs())).toEqual([]);
    for (const flow of flows) expect(await flow.exchange()).toBe(flow.member);
    const active = await connectTimes(world(), 4);
    expect(new Set(active.map((flow) => flow.member)).size).toBe(2);
    await closeAll([...flows, ...active]);
  });

  it("can be changed after a crash as before", async () => {
    await program(world(), poolIn(world(), 2));
    const flow = await connected(world());
    await world().reopen();
    await program(world(), { ...poolIn(world(), 4), members: poolIn(world(), 4).members.slice(2) });
    expect(placesOf(world()).slice(2)).toContain((await connected(world())).member);
    expect(await flow.exchange()).toBe(flow.member);
  });
}

function describeTelling(world: () => DriverWorld): void {
  it("observes what was applied", async () => {
    const pool = withMember(poolIn(world(), 3, { scheduler: "wlc", affinitySeconds: 60 }), 1, {
      weight: 0,
      disposition: "paused",
    });
    await program(world(), pool);
    const [observed] = await world().driver().observe();
    expect(observed).toMatchObject({
      uid: pool.uid,
      addresses: pool.addresses,
      scheduler: "wlc",
      forwarding: pool.forwarding,
      affinitySeconds: 60,
    });
    expect(observed?.members.map(({ weight, disposition }) => [weight, disposition])).toEqual(
      pool.members.map(({ weight, disposition }) => [weight, disposition]),
    );
  });

  it("refuses a connection, by name where it can, when no member takes new flows", async () => {
    const { countsRefusals } = world().driver().capabilities;
    const dropsOf = async (reason: string) => (await world().driver().readCounters()).drops[reason] ?? 0;
    const counted = (count: number) => (countsRefusals ? count : 0);
    const before = await dropsOf("no_member");
    await program(world(), poolIn(world(), 0));
    expect(await world().connect(30001)).toBe("reset");
    await program(world(), withMember(poolIn(world(), 1), 0, { disposition: "paused" }));
    expect(await world().connect(30001)).toBe("reset");
    expect(await dropsOf("no_member")).toBe(before + counted(2));
    const closing = await dropsOf("closing_address");
    await program(world());
    expect(await world().connect(30001)).toBe("reset");
    expect(await dropsOf("closing_address")).toBe(closing + counted(1));
  });

  it("explains and lists a flow from the kernel's own entry", async () => {
    const pool = poolIn(world(), 2);
    await program(world(), pool);
    const flow = await connected(world());
    const explained = await world().driver().explain(flow.tuple);
    expect(explained).toMatchObject({ flow: flow.tuple, poolUid: pool.uid, why: "scheduled" });
    expect(`${explained?.memberIp}:${explained?.memberPort}`).toBe(flow.member);
    const listed = await world().driver().listFlows(pool.uid, 10);
    expect(listed.map((entry) => entry.flow)).toContainEqual(flow.tuple);
    expect(
      await world()
        .driver()
        .explain({ ...flow.tuple, clientPort: 1 }),
    ).toBeUndefined();
    await flow.close();
  });

  it("counts the connections of each member, and none when all are closed", async () => {
    const pool = poolIn(world(), 2);
    await program(world(), pool);
    const { counterDelayMs } = world().driver().capabilities;
    const totals = async () => {
      await world().wait(counterDelayMs);
      return (await world().driver().readCounters()).members.map((member) => member.totalConnections);
    };
    const before = await totals();
    // A kernel whose counters lag may count late what came before a member was removed and added again.
    if (counterDelayMs === 0) expect(before).toEqual([0, 0]);
    const flows = await connectTimes(world(), 6);
    expect((await totals()).map((count, index) => count - (before[index] ?? 0))).toEqual([3, 3]);
    const open = await world().driver().readCounters();
    expect(open.members.map((member) => member.activeConnections)).toEqual([3, 3]);
    const { countsReplies = true } = world();
    for (const { packetsIn, bytesOut } of open.members)
      expect([packetsIn > 0, bytesOut > 0]).toEqual([true, countsReplies]);
    const alone = await world().driver().readCounters([pool.uid]);
    expect(alone.members.map((member) => member.activeConnections)).toEqual([3, 3]);
    expect((await world().driver().readCounters([])).members).toEqual([]);
    await closeAll(flows);
    const closed = await world().driver().readCounters();
    expect(closed.members.map((member) => member.activeConnections)).toEqual([0, 0]);
  });
}
