import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { PoolOperation } from "../dataplane/index.ts";
import { MemoryKernel, openMemoryDriver } from "../dataplane/memory/index.ts";
import { type Logger, ParasausError, silentLogger } from "../foundation/index.ts";
import type { KubeObject } from "../model/index.ts";
import {
  agentOn,
  kernelHolds,
  makeMachine,
  poolNumber,
  type TestMachine,
  takeAll,
} from "./agent-core.fixture.ts";

let machine: TestMachine;

beforeEach(async () => {
  machine = await makeMachine();
});
afterEach(() => machine[Symbol.asyncDispose]());

describe("agent: following", () => {
  it("programs what the server has, and one change at the cost of one pool", async () => {
    const applied: PoolOperation[][] = [];
    const agent = agentOn(machine, { applied });
    await agent.start();
    takeAll(
      agent,
      [1, 2, 3].map((number) => poolNumber(number)),
      "10",
    );
    await agent.reconcile();
    expect(await kernelHolds(machine)).toEqual([
      "30001: active active",
      "30002: active active",
      "30003: active active",
    ]);
    applied.length = 0;
    agent.takeChange({ type: "MODIFIED", object: poolNumber(2, { revision: 11, verdicts: ["down", "up"] }) });
    await agent.reconcile();
    expect(applied.map((operations) => operations.length)).toEqual([1]);
    expect(await kernelHolds(machine)).toContain("30002: paused active");
    expect(agent.status()).toMatchObject({ appliedRevision: "11", poolCount: 3, source: "server" });
  });

  it("tells its table hash only together with the revision that it is of", async () => {
    const agent = agentOn(machine);
    await agent.start();
    takeAll(agent, [poolNumber(1), poolNumber(2)], "10");
    await agent.reconcile();
    const { tableHash } = agent.status();
    const install = machine.kernel.install.bind(machine.kernel);
    machine.kernel.install = (pool) => {
      machine.kernel.install = install;
      install(pool);
      agent.takeChange({
        type: "MODIFIED",
        object: poolNumber(1, { revision: 12, verdicts: ["up", "down"] }),
      });
    };
    agent.takeChange({ type: "MODIFIED", object: poolNumber(2, { revision: 11, verdicts: ["up", "down"] }) });
    await agent.reconcile();
    expect(agent.status()).toMatchObject({ appliedRevision: "11", tableRevision: "10", tableHash });
    await agent.reconcile();
    expect(agent.status()).toMatchObject({ appliedRevision: "12", tableRevision: "12" });
    expect(agent.status().tableHash).not.toBe(tableHash);
  });

  it("drains a deleted pool for its own drain time", async () => {
    const agent = agentOn(machine);
    await agent.start();
    takeAll(agent, [poolNumber(1, { drainSeconds: 5 })], "10");
    await agent.reconcile();
    agent.takeChange({ type: "DELETED", object: poolNumber(1, { revision: 11 }) });
    await agent.reconcile();
    expect(await kernelHolds(machine)).toEqual(["closing 30001: draining draining"]);
    await machine.clock.advance(4_999);
    await agent.maintain();
    expect(await kernelHolds(machine)).toHaveLength(1);
    await machine.clock.advance(1);
    await agent.maintain();
    expect(await kernelHolds(machine)).toEqual([]);
  });

  it("moves a running deadline when the operator gives a draining member more time, or less", async () => {
    const agent = agentOn(machine);
    const drainFor = (seconds: number, revision: number) => {
      const members = [{ state: "drain", drainSeconds: seconds } as const, {}];
      return { type: "MODIFIED", object: poolNumber(1, { revision, members }) } as const;
    };
    const deadline = async () => {
      await agent.reconcile();
      return (await openMemoryDriver(machine.kernel).observe())[0]?.members[0]?.deadlineMs;
    };
    await agent.start();
    takeAll(agent, [poolNumber(1)], "10");
    await agent.reconcile();
    agent.takeChange(drainFor(30, 11));
    expect(await deadline()).toBe(30_000);
    await machine.clock.advance(10_000);
    agent.takeChange(drainFor(300, 12));
    expect(await deadline()).toBe(300_000);
    agent.takeChange({ type: "MODIFIED", object: { ...drainFor(300, 13).object } });
    expect(await deadline()).toBe(300_000);
    agent.takeChange(drainFor(20, 14));
    expect(await deadline()).toBe(20_000);
  });

  it.each([
    ["an older revision", 2, "9", "OlderRevision"],
    ["an older epoch, however high its revision", 1, "99", "OlderEpoch"],
  ])("never applies %s, and says what would help", async (_what, epoch, revision, reason) => {
    const agent = agentOn(machine);
    await agent.start();
    takeAll(agent, [poolNumber(1)], "10", 2);
    await agent.reconcile();
    expect(() => takeAll(agent, [], revision, epoch)).toThrow(
      /^Cannot take over a list .* epoch 2 at revision 10 was .* a store that was restored needs a higher epoch$/,
    );
    await agent.reconcile();
    expect(await kernelHolds(machine)).toHaveLength(1);
    expect(agent.hearing.silence?.reason).toBe(reason);
    expect(agent.status()).toMatchObject({ refusedAnswerCount: 1, epoch: 2, appliedRevision: "10" });
  });

  it("takes over a higher epoch at any revision, and nothing older of it afterwards", async () => {
    const agent = agentOn(machine);
    await agent.start();
    takeAll(agent, [poolNumber(1)], "10");
    await agent.reconcile();
    takeAll(agent, [poolNumber(1), poolNumber(2)], "3", 2);
    await agent.reconcile();
    expect(await kernelHolds(machine)).toHaveLength(2);
    expect(agent.status()).toMatchObject({ epoch: 2, appliedRevision: "3" });
    expect(() => takeAll(agent, [], "500", 1)).toThrow(ParasausError);
    await agent.saveSnapshot();
    const again = agentOn(machine);
    await again.start();
    expect(() => takeAll(again, [], "500", 1)).toThrow(ParasausError);
    expect(() => takeAll(again, [], "2", 2)).toThrow(ParasausError);
    expect(again.status()).toMatchObject({ epoch: 2, appliedRevision: "3" });
  });

  it("never takes another store's pools for its own, however new they are", async () => {
    const agent = agentOn(machine);
    await agent.start();
    const pool = agent.desired.translate(poolNumber(1));
    agent.takeAll([pool], { epoch: 1, revision: "10" }, "store-a");
    await agent.reconcile();
    await agent.saveSnapshot();
    const later = { epoch: 2, revision: "500" };
    expect(() => agent.takeAll([], later, "store-b")).toThrow(
      /Cannot take over the pools of store store-b.*remove ".*last-good.jsonl"/,
    );
    const again = agentOn(machine);
    await again.start();
    expect(() => again.takeAll([], later, "store-b")).toThrow(ParasausError);
    await again.reconcile();
    expect(await kernelHolds(machine)).toEqual(["30001: active active"]);
  });

  it("notices that it does not hear the server any more", async () => {
    const agent = agentOn(machine);
    await agent.start();
    takeAll(agent, [poolNumber(1)], "10");
    await machine.clock.advance(30_000);
    expect(agent.hearing.silence).toBeUndefined();
    await machine.clock.advance(1);
    expect(agent.hearing.silence?.message).toBe("The watch of the pools brings nothing");
    agent.takeProgress("11");
    expect(agent.hearing.silence).toBeUndefined();
    expect(() => takeAll(agent, [], "3")).toThrow(ParasausError);
    expect(agent.hearing.silence?.reason).toBe("OlderRevision");
    agent.takeProgress("12");
    expect(agent.hearing.silence).toBeUndefined();
  });

  it("keeps the last good state of a pool that cannot be understood, and goes on with the others", async () => {
    const agent = agentOn(machine);
    await agent.start();
    takeAll(agent, [poolNumber(1), poolNumber(2)], "10");
    await agent.reconcile();
    const broken = { ...poolNumber(1, { revision: 11 }), spec: { members: "none" } } as KubeObject;
    takeAll(agent, [broken, poolNumber(2, { verdicts: ["up", "down"] }), poolNumber(3)], "12");
    await agent.reconcile();
    expect(await kernelHolds(machine)).toEqual([
      "30001: active active",
      "30002: active paused",
      "30003: active active",
    ]);
    expect(agent.status().unreadablePoolCount).toBe(1);
  });

  it("names a pool that the kernel refuses, and programs it once there is room", async () => {
    machine.kernel = new MemoryKernel({ clock: machine.clock, poolCapacityCount: 1 });
    const agent = agentOn(machine);
    await agent.start();
    takeAll(agent, [poolNumber(1, { drainSeconds: 0 }), poolNumber(2)], "10");
    await agent.reconcile();
    expect(agent.reconciler.refusals.map((refusal) => refusal.code)).toEqual(["CapacityExceeded"]);
    agent.takeChange({ type: "DELETED", object: poolNumber(1, { revision: 11 }) });
    await agent.reconcile();
    await machine.clock.advance(1_000);
    await agent.maintain();
    await agent.checkDrift();
    expect(await kernelHolds(machine)).toEqual(["30002: active active"]);
    expect(agent.reconciler.refusals).toEqual([]);
  });
});

describe("agent: conflicts", () => {
  it("leaves an address to the pool that has it, names the other one, and gives it over when it is free", async () => {
    const agent = agentOn(machine);
    await agent.start();
    const rival = { ...poolNumber(1), metadata: { ...poolNumber(7).metadata, resourceVersion: "11" } };
    takeAll(agent, [poolNumber(1, { drainSeconds: 0 })], "10");
    await agent.reconcile();
    agent.takeChange({ type: "ADDED", object: rival });
    await agent.reconcile();
    expect(await kernelHolds(machine)).toEqual(["30001: active active"]);
    expect(agent.reconciler.refusals).toMatchObject([{ code: "AddressTaken", uid: rival.metadata.uid }]);
    agent.takeChange({ type: "DELETED", object: poolNumber(1, { revision: 12 }) });
    await agent.reconcile();
    await agent.maintain();
    const [holder] = await openMemoryDriver(machine.kernel).observe();
    expect(holder?.uid).toBe(rival.metadata.uid);
    expect(agent.reconciler.refusals).toEqual([]);
  });

  it("complains of no address that a pool was given while the kernel was being written", async () => {
    const complaints: string[] = [];
    const logger: Logger = {
      ...silentLogger,
      error: (event) => void complaints.push(event),
      child: () => logger,
    };
    const late = poolNumber(2, { revision: 11 });
    const agent = agentOn(machine, {
      logger,
      whileApplying: () => agent.takeChange({ type: "MODIFIED", object: late }),
    });
    await agent.start();
    const early = { ...poolNumber(2), status: { connectAddresses: [], members: [] } };
    takeAll(agent, [poolNumber(1), early], "10");
    await agent.reconcile();
    expect(await kernelHolds(machine)).toEqual(["30001: active active", "30002: active active"]);
    expect(complaints).toEqual([]);
  });
});

describe("agent: the kernel", () => {
  it("touches nothing before it knows what is wanted", async () => {
    const first = agentOn(machine);
    await first.start();
    takeAll(first, [poolNumber(1)], "10");
    await first.reconcile();
    const writeCount = machine.kernel.writeCount;
    const second = agentOn(machine);
    await second.start();
    await second.maintain();
    await second.checkDrift();
    expect(machine.kernel.writeCount).toBe(writeCount);
    expect(second.status()).toMatchObject({ source: "none", poolCount: 1 });
  });

  it("writes nothing when it starts again and nothing has changed", async () => {
    const first = agentOn(machine);
    await first.start();
    takeAll(first, [poolNumber(1), poolNumber(2)], "10");
    await first.reconcile();
    await first.saveSnapshot();
    const writeCount = machine.kernel.writeCount;
    const second = agentOn(machine);
    await second.start();
    takeAll(second, [poolNumber(1), poolNumber(2)], "10");
    await second.reconcile();
    expect(machine.kernel.writeCount).toBe(writeCount);
    expect(second.status().tableHash).toBe(first.status().tableHash);
  });

  it("repairs exactly the pool that somebody else changed, and counts it", async () => {
    const applied: PoolOperation[][] = [];
    const agent = agentOn(machine, { applied });
    await agent.start();
    takeAll(
      agent,
      [1, 2, 3].map((number) => poolNumber(number)),
      "10",
    );
    await agent.reconcile();
    const [, second] = await openMemoryDriver(machine.kernel).observe();
    if (second) machine.kernel.install({ ...second, scheduler: "mh" });
    applied.length = 0;
    await agent.checkDrift();
    expect(applied.flat()).toEqual([{ kind: "install", pool: second }]);
    expect(agent.status().driftCount).toBe(1);
  });

  it("moves an address between pools without ever holding it twice", async () => {
    const agent = agentOn(machine);
    await agent.start();
    takeAll(agent, [poolNumber(1)], "10");
    await agent.reconcile();
    const heir = { ...poolNumber(1), metadata: { ...poolNumber(7).metadata, resourceVersion: "12" } };
    agent.takeChange({ type: "DELETED", object: poolNumber(1, { revision: 11 }) });
    agent.takeChange({ type: "ADDED", object: heir });
    await agent.reconcile();
    expect(await kernelHolds(machine)).toEqual([": draining draining", "30001: active active"]);
  });

  it("says what is wrong when the driver breaks down, and recovers by itself", async () => {
    const agent = agentOn(machine);
    await agent.start();
    takeAll(agent, [poolNumber(1)], "10");
    const install = machine.kernel.install.bind(machine.kernel);
    machine.kernel.install = () => {
      throw new ParasausError("KernelError", "Cannot write the map: no memory");
    };
    await agent.reconcile();
    expect(agent.trouble).toBe("Cannot write the map: no memory");
    expect(agent.appliedRevision).toBeUndefined();
    machine.kernel.install = install;
    await agent.maintain();
    expect(agent.trouble).toBeUndefined();
    expect(await kernelHolds(machine)).toEqual(["30001: active active"]);
    expect(agent.appliedRevision).toBe("10");
  });
});
