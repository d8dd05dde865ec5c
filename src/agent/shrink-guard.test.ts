import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { FakeClock, silentLogger } from "../foundation/index.ts";
import type { KubeObject } from "../model/index.ts";
import {
  agentOn,
  kernelHolds,
  makeMachine,
  poolNumber,
  type TestMachine,
  takeAll,
} from "./agent-core.fixture.ts";
import type { AgentCore } from "./agent-core.ts";
import { ShrinkGuard } from "./shrink-guard.ts";

const numbers = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, index) => from + index);
const pools = (from: number, to: number) => numbers(from, to).map((number) => poolNumber(number));
const leavingOf = (uids: readonly string[]) => new Map(uids.map((uid) => [uid, uid]));

describe("shrink guard", () => {
  it("holds back exactly what is more than 30 % and more than 10 pools in less than 10 s (n=2000)", () => {
    const steps = fc.array(fc.record({ goneCount: fc.nat(40), waitMs: fc.nat(12_000) }), { maxLength: 8 });
    fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 200 }), steps, async (poolCount, plan) => {
        const clock = new FakeClock();
        const guard = new ShrinkGuard<string>(clock, silentLogger);
        let serving = numbers(1, poolCount).map(String);
        let gone: { readonly atMs: number; readonly uids: readonly string[] }[] = [];
        for (const { goneCount, waitMs } of plan) {
          await clock.advance(waitMs);
          const leaving = serving.slice(0, goneCount);
          if (leaving.length === 0) continue;
          gone = gone.filter(({ atMs }) => clock.monotonicMs() - atMs < 10_000);
          const recent = gone.flatMap(({ uids }) => uids);
          const count = leaving.length + recent.length;
          const isTooMany = count > 10 && count / (serving.length + recent.length) > 0.3;
          const { mayGo, back } = guard.judge(leavingOf(leaving), serving.length);
          expect(mayGo).toBe(!isTooMany);
          if (isTooMany) {
            expect([...back.keys()].sort()).toEqual([...recent].sort());
            expect(guard.shrink).toMatchObject({
              poolCount: count,
              ofPoolCount: serving.length + recent.length,
            });
            return;
          }
          expect(guard.shrink).toBeUndefined();
          serving = serving.slice(goneCount);
          gone.push({ atMs: clock.monotonicMs(), uids: leaving });
        }
      }),
      { numRuns: 2_000 },
    );
  });

  it("lets exactly 10 of 10 go, and exactly 30 % of 100, and holds one more of either", () => {
    const judged = (goneCount: number, poolCount: number) => {
      const guard = new ShrinkGuard<string>(new FakeClock(), silentLogger);
      return guard.judge(leavingOf(numbers(1, goneCount).map(String)), poolCount).mayGo;
    };
    expect([judged(10, 10), judged(11, 11)]).toEqual([true, false]);
    expect([judged(30, 100), judged(31, 100)]).toEqual([true, false]);
  });

  it("takes no confirmation for anything but what is held now", () => {
    const guard = new ShrinkGuard<string>(new FakeClock(), silentLogger);
    guard.judge(leavingOf(numbers(1, 20).map(String)), 40);
    const first = guard.shrink?.id ?? "";
    guard.judge(leavingOf(["21"]), 40);
    expect(guard.shrink).toMatchObject({ poolCount: 21, ofPoolCount: 40 });
    expect(guard.confirm(first)).toEqual([]);
    expect(guard.shrink?.poolCount).toBe(21);
    expect(guard.confirm(guard.shrink?.id ?? "")).toHaveLength(21);
    expect(guard.shrink).toBeUndefined();
  });
});

describe("agent: pools that go without a word", () => {
  let machine: TestMachine;
  let agent: AgentCore;
  beforeEach(async () => {
    machine = await makeMachine();
    agent = agentOn(machine);
    await agent.start();
  });
  afterEach(() => machine[Symbol.asyncDispose]());

  const served = async () =>
    (await kernelHolds(machine)).filter((line) => !line.startsWith("closing") && !line.startsWith(":"))
      .length;
  const takes = async (listed: readonly KubeObject[], revision: string, epoch = 1) => {
    takeAll(agent, listed, revision, epoch);
    await agent.reconcile();
    return served();
  };
  const changes = async (type: "MODIFIED" | "DELETED", objects: readonly KubeObject[]) => {
    for (const object of objects) agent.takeChange({ type, object });
    await agent.reconcile();
    return served();
  };
  const marked = (object: KubeObject): KubeObject => ({
    ...object,
    metadata: { ...object.metadata, deletionTimestamp: "2026-01-01T00:00:00Z" },
  });

  it("goes on forwarding all of them when a list lacks too many, and lets them go when that is confirmed", async () => {
    await takes(pools(1, 40), "100");
    expect(await takes(pools(1, 25), "101")).toBe(40);
    expect(agent.guard.shrink).toMatchObject({ poolCount: 15, ofPoolCount: 40 });
    expect(agent.status().heldPoolCount).toBe(15);
    agent.confirmShrink("something else");
    await agent.reconcile();
    expect(await served()).toBe(40);
    agent.confirmShrink(agent.guard.shrink?.id ?? "");
    await agent.reconcile();
    expect(await served()).toBe(25);
    expect(agent.status().heldPoolCount).toBe(0);
  });

  it("lets go at once what a list lacks when it is no more than 30 %, or no more than 10 pools", async () => {
    await takes(pools(1, 100), "100");
    expect(await takes(pools(31, 100), "101")).toBe(70);
    await machine.clock.advance(10_000);
    await takes(pools(31, 40), "102");
    expect(await served()).toBe(70);
  });

  it("withdraws nothing when everything is missing, and everything is there again afterwards", async () => {
    await takes(pools(1, 20), "100");
    const { writeCount } = machine.kernel;
    expect(await takes([], "101")).toBe(20);
    expect(machine.kernel.writeCount).toBe(writeCount);
    expect(await takes(pools(1, 20), "102")).toBe(20);
    expect(agent.guard.shrink).toBeUndefined();
    expect(machine.kernel.writeCount).toBe(writeCount);
  });

  it("follows an operator who deletes everything, and a namespace that goes with its contents", async () => {
    await takes(pools(1, 40), "100");
    expect(await changes("MODIFIED", pools(1, 40).map(marked))).toBe(0);
    await changes("DELETED", pools(1, 40));
    expect(agent.guard.shrink).toBeUndefined();
  });

  it("follows a list in which the pools are marked for deletion, or that an operator's delete emptied", async () => {
    await takes(pools(1, 40), "100");
    expect(await takes([...pools(1, 20).map(marked), ...pools(21, 40)], "101")).toBe(20);
    expect(agent.guard.shrink).toBeUndefined();
  });

  it("brings back what somebody deleted from the store behind the API's back, one by one", async () => {
    await takes(pools(1, 40), "100");
    expect(await changes("DELETED", pools(1, 12))).toBe(28);
    expect(await changes("DELETED", pools(13, 13))).toBe(40);
    expect(agent.guard.shrink).toMatchObject({ poolCount: 13, ofPoolCount: 40 });
    expect((await kernelHolds(machine)).every((line) => /^\d+: active active$/.test(line))).toBe(true);
  });

  it("holds pools whose connect addresses vanish without a word, as in a half written answer", async () => {
    await takes(pools(1, 40), "100");
    const bare = pools(1, 40).map((pool) => ({ ...pool, status: {} }) as KubeObject);
    expect(await takes(bare, "101")).toBe(40);
    expect(agent.guard.shrink?.poolCount).toBe(40);
  });

  it("holds a restore that lacks too many, although its epoch is higher", async () => {
    await takes(pools(1, 40), "100");
    expect(await takes(pools(1, 5), "7", 2)).toBe(40);
    expect(agent.status()).toMatchObject({ epoch: 2, heldPoolCount: 35 });
  });

  it("gives the address of a held pool to the pool that the server has given it to", async () => {
    await takes(pools(1, 40), "100");
    const heir = { ...poolNumber(1), metadata: { ...poolNumber(99).metadata, resourceVersion: "101" } };
    expect(await takes([heir], "101")).toBe(40);
    expect(agent.guard.shrink?.poolCount).toBe(39);
    const late = { ...poolNumber(2), metadata: { ...poolNumber(98).metadata, resourceVersion: "102" } };
    agent.takeChange({ type: "ADDED", object: late });
    await agent.reconcile();
    expect(await served()).toBe(40);
    expect(agent.guard.shrink?.poolCount).toBe(38);
    expect(agent.reconciler.refusals).toEqual([]);
  });

  it("goes on holding after a restart, whatever is missing by then", async () => {
    await takes(pools(1, 40), "100");
    await takes(pools(1, 25), "101");
    await agent.saveSnapshot();
    const { shrink } = agent.guard;
    agent = agentOn(machine);
    await agent.start();
    expect(agent.guard.shrink).toEqual(shrink);
    expect(await takes(pools(1, 35), "102")).toBe(40);
    expect(agent.guard.shrink?.poolCount).toBe(5);
  });

  it("withdraws nothing that the kernel serves because the snapshot is lost, or a moment too old", async () => {
    await takes(pools(1, 20), "100");
    await agent.saveSnapshot();
    await takes(pools(1, 40), "101");
    const { writeCount } = machine.kernel;
    const late = agentOn(machine);
    await late.start();
    expect(late.status()).toMatchObject({ source: "snapshot", poolCount: 40 });
    expect(machine.kernel.writeCount).toBe(writeCount);
    const blind = agentOn(machine, { nodeName: "n2" });
    await blind.start();
    takeAll(blind, [], "500");
    await blind.reconcile();
    expect(await served()).toBe(40);
    expect(blind.guard.shrink).toMatchObject({ poolCount: 40, ofPoolCount: 40 });
    expect(machine.kernel.writeCount).toBe(writeCount);
  });

  it("lets a deleted pool go although nobody can read it any more", async () => {
    await takes(pools(1, 2), "100");
    const broken = { ...poolNumber(1), spec: { members: "none" } } as KubeObject;
    expect(await changes("MODIFIED", [broken])).toBe(2);
    expect(await changes("MODIFIED", [marked(broken)])).toBe(1);
  });
});
