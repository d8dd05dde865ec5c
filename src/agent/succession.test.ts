import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { FlowTuple, Predecessor } from "../dataplane/index.ts";
import { MemoryKernel, openMemoryDriver } from "../dataplane/memory/index.ts";
import type { NodeRequest } from "../model/index.ts";
import {
  agentOn,
  kernelHolds,
  makeMachine,
  poolNumber,
  type TestMachine,
  takeAll,
} from "./agent-core.fixture.ts";
import { answerRequest } from "./answer-request.ts";

const NODE_IP = "192.0.2.1";
let machine: TestMachine;
/** Of the driver before. */
let old: MemoryKernel;
let deeds: string[];

beforeEach(async () => {
  machine = await makeMachine();
  old = new MemoryKernel({ clock: machine.clock });
  deeds = [];
});
afterEach(() => machine[Symbol.asyncDispose]());

/** The memory driver over the old kernel, in the part of a driver that another one follows. */
function predecessor(): Predecessor {
  return {
    driver: { ...openMemoryDriver(old), name: "ipvs" },
    handOver: () => deeds.push("handed over"),
    remove: async () => {
      deeds.push("removed");
    },
    [Symbol.asyncDispose]: async () => undefined,
  };
}

const succeeding = (driverDrainSeconds = 0) =>
  agentOn(machine, { predecessor: predecessor(), driverDrainSeconds });

const tuple = (clientPort: number): FlowTuple => ({
  protocol: "TCP",
  ...{ clientIp: "198.51.100.1", clientPort, ip: NODE_IP, port: 30_001 },
});

/** An agent with the old driver forwarded pool 1, with one connection, and ended. */
async function forwardBefore(): Promise<void> {
  const kernel = machine.kernel;
  machine.kernel = old;
  const agent = agentOn(machine);
  await agent.setNodeAddresses([NODE_IP]);
  await agent.start();
  takeAll(agent, [poolNumber(1, { drainSeconds: 60 })], "10");
  await agent.reconcile();
  await agent.saveSnapshot();
  machine.kernel = kernel;
  expect(old.connect(tuple(1)).kind).toBe("delivered");
}

/** A round of maintenance in which it is looked at flows. */
async function look(agent: ReturnType<typeof agentOn>): Promise<void> {
  await machine.clock.advance(5_000);
  await agent.maintain();
}

describe("agent: another driver", () => {
  it("has every pool, and its addresses, before the driver before leaves anything to it", async () => {
    await forwardBefore();
    const agent = succeeding();
    await agent.start();
    expect(await kernelHolds(machine)).toEqual(["30001: active active"]);
    expect([deeds, agent.succession?.draining]).toEqual([[], { driver: "ipvs", lackingCount: 0 }]);
    await agent.setNodeAddresses([NODE_IP]);
    await agent.reconcile();
    expect(deeds).toEqual(["handed over"]);
    expect(agent.succession?.draining).toEqual({
      ...{ driver: "ipvs", lackingCount: 0 },
      since: "2026-01-01T00:00:00Z",
    });
  });

  it("leaves nothing to a driver that refuses a pool which is served, until that is gone", async () => {
    await forwardBefore();
    machine.kernel = new MemoryKernel({ clock: machine.clock, poolCapacityCount: 0 });
    const agent = succeeding();
    await agent.setNodeAddresses([NODE_IP]);
    await agent.start();
    await look(agent);
    expect([deeds, agent.succession?.draining.lackingCount]).toEqual([[], 1]);
    agent.takeChange({ type: "DELETED", object: poolNumber(1, { revision: 11 }) });
    await agent.reconcile();
    expect([deeds, agent.succession?.draining.lackingCount]).toEqual([["handed over"], 0]);
  });

  it("leaves the driver before as it is while nobody knows what is wanted", async () => {
    await forwardBefore();
    const agent = agentOn(
      { ...machine, kernel: machine.kernel, directory: `${machine.directory}/lost` },
      { predecessor: predecessor() },
    );
    await agent.setNodeAddresses([NODE_IP]);
    await agent.start();
    await agent.reconcile();
    await look(agent);
    expect(deeds).toEqual([]);
    takeAll(agent, [], "11");
    await agent.reconcile();
    expect(deeds).toEqual(["handed over"]);
  });

  it("takes the driver before out when no flow is left, and not earlier", async () => {
    await forwardBefore();
    const agent = succeeding();
    await agent.setNodeAddresses([NODE_IP]);
    await agent.start();
    await look(agent);
    expect(agent.succession?.draining.openCount).toBe(1);
    await machine.clock.advance(86_400_000);
    await agent.maintain();
    expect(deeds).not.toContain("removed");
    old.close(tuple(1));
    await look(agent);
    expect(deeds.at(-1)).toBe("removed");
    expect(agent.succession).toBeUndefined();
    await look(agent);
    expect(deeds.filter((deed) => deed === "removed")).toHaveLength(1);
  });

  it("ends what is left when its time is up, which goes on while no agent runs", async () => {
    await forwardBefore();
    const first = succeeding(100);
    await first.setNodeAddresses([NODE_IP]);
    await first.start();
    await machine.clock.advance(90_000);
    const second = succeeding(100);
    await second.setNodeAddresses([NODE_IP]);
    await second.start();
    await look(second);
    expect(second.succession?.draining).toMatchObject({
      since: "2026-01-01T00:00:00Z",
      until: "2026-01-01T00:01:40Z",
    });
    expect(deeds).not.toContain("removed");
    await look(second);
    expect(deeds.at(-1)).toBe("removed");
  });

  it("begins a new time with each change of the driver", async () => {
    await forwardBefore();
    const first = succeeding(100);
    await first.setNodeAddresses([NODE_IP]);
    await first.start();
    await machine.clock.advance(90_000);
    // Somebody has taken the old driver out meanwhile.
    await agentOn(machine).start();
    const later = succeeding(100);
    await later.setNodeAddresses([NODE_IP]);
    await later.start();
    expect(later.succession?.draining.since).toBe("2026-01-01T00:01:30Z");
  });

  it("keeps members of the old flows as they are wanted: one that is drained is cut at its deadline", async () => {
    await forwardBefore();
    const agent = succeeding();
    await agent.setNodeAddresses([NODE_IP]);
    await agent.start();
    expect(old.send(tuple(1)).kind).toBe("delivered");
    agent.takeChange({ type: "DELETED", object: poolNumber(1, { revision: 11, drainSeconds: 60 }) });
    await agent.reconcile();
    await machine.clock.advance(59_000);
    await agent.maintain();
    expect(old.send(tuple(1)).kind).toBe("delivered");
    await machine.clock.advance(1_000);
    await agent.maintain();
    expect(old.send(tuple(1)).kind).toBe("reset");
  });

  it("goes on when the driver before fails", async () => {
    await forwardBefore();
    const agent = succeeding();
    await agent.setNodeAddresses([NODE_IP]);
    old.install = () => {
      throw new Error("broken");
    };
    await agent.start();
    agent.takeChange({ type: "MODIFIED", object: poolNumber(1, { revision: 11, verdicts: ["down", "up"] }) });
    await agent.reconcile();
    expect(await kernelHolds(machine)).toEqual(["30001: paused active"]);
  });

  it("explains and lists flows of both drivers", async () => {
    await forwardBefore();
    const agent = succeeding();
    await agent.setNodeAddresses([NODE_IP]);
    await agent.start();
    machine.kernel.connect(tuple(2));
    const ask = async (request: NodeRequest) => {
      const answer = await answerRequest(request, {
        ask: (question) => agent.ask(question),
        predecessor: () => agent.succession?.driver,
        status: () => agent.status(),
        clock: machine.clock,
      });
      return answer.kind === "answered" ? answer.value : answer.message;
    };
    for (const port of [1, 2])
      expect(await ask({ kind: "explain", flow: tuple(port) })).toMatchObject({ flow: tuple(port) });
    expect(await ask({ kind: "explain", flow: tuple(3) })).toBeNull();
    const pool = poolNumber(1).metadata.uid ?? "";
    expect(await ask({ kind: "flows", pool, limitCount: 10 })).toHaveLength(2);
    expect(await ask({ kind: "flows", pool, limitCount: 1 })).toHaveLength(1);
  });
});
