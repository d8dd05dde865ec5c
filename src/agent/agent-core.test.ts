import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { PoolOperation } from "../dataplane/index.ts";
import { MemoryKernel, openMemoryDriver } from "../dataplane/memory/index.ts";
import { FakeClock, ParasausError, silentLogger } from "../foundation/index.ts";
import type { KubeObject, MemberStatus, PoolMember } from "../model/index.ts";
import type { Resources } from "../resources/index.ts";
import { AgentCore } from "./agent-core.ts";

let directory: string;
let clock: FakeClock;
let kernel: MemoryKernel;

beforeEach(async () => {
  directory = await mkdtemp(path.join(tmpdir(), "parasaus-agent-"));
  clock = new FakeClock();
  kernel = new MemoryKernel({ clock });
});
afterEach(() => rm(directory, { recursive: true }));

/** An agent without its loops, over the kernel of the test. */
function agentOn(
  options: { readonly nodeName?: string; readonly applied?: PoolOperation[][] } = {},
): AgentCore {
  const memory = openMemoryDriver(kernel);
  return new AgentCore({
    resources: unreachable,
    driver: {
      ...memory,
      apply: (operations) => {
        options.applied?.push([...operations]);
        return memory.apply(operations);
      },
    },
    nodeName: options.nodeName ?? "n1",
    addresses: [],
    snapshotDirectory: directory,
    version: "0.1.0",
    clock,
    logger: silentLogger,
    signal: new AbortController().signal,
  });
}

const unreachable: Resources = new Proxy({} as Resources, {
  get() {
    throw new ParasausError("Unavailable", "Cannot reach a server: there is none in this test");
  },
});

function poolNumber(
  number: number,
  change: {
    readonly revision?: number;
    readonly members?: readonly Partial<PoolMember>[];
    readonly verdicts?: readonly MemberStatus["verdict"][];
    readonly drainSeconds?: number;
  } = {},
): KubeObject {
  const members = (change.members ?? [{}, {}]).map((member, index) => ({
    ip: `10.0.0.${index + 1}`,
    port: 80,
    weight: 1,
    state: "ready",
    ...member,
  }));
  const verdicts = change.verdicts ?? members.map(() => "up");
  return {
    apiVersion: "parasaus.io/v1",
    kind: "Pool",
    metadata: {
      name: `pool-${number}`,
      namespace: "default",
      uid: `00000000-0000-4000-8000-${String(number).padStart(12, "0")}`,
      resourceVersion: String(change.revision ?? number),
    },
    spec: {
      addressPool: "node-ports",
      protocol: "TCP",
      scheduler: "rr",
      forwarding: "fullnat",
      sessionAffinity: { type: "None", timeoutSeconds: 10_800 },
      drainSeconds: change.drainSeconds ?? 30,
      onMemberDown: "keep",
      failOpen: { threshold: 0 },
      healthCheck: { type: "tcp", initialState: "unchecked" },
      members,
    },
    status: {
      connectAddresses: [{ ip: "*", port: 30_000 + number, protocol: "TCP" }],
      members: members.map(({ ip, port }, index) => ({
        ip,
        port,
        verdict: verdicts[index] ?? "up",
        reason: "",
        since: "",
      })),
    },
  } as KubeObject;
}

function takeAll(agent: AgentCore, pools: readonly KubeObject[], revision: string): void {
  agent.takeAll(
    pools.map((pool) => agent.desired.translate(pool)),
    revision,
  );
}

async function kernelHolds(): Promise<string[]> {
  const pools = await openMemoryDriver(kernel).observe();
  return pools.map(({ addresses, members }) => {
    const ports = addresses.map(({ port, closingDeadlineMs }) =>
      closingDeadlineMs === undefined ? `${port}` : `closing ${port}`,
    );
    return `${ports.join(" ")}: ${members.map((member) => member.disposition).join(" ")}`;
  });
}

describe("agent: following", () => {
  it("programs what the server has, and one change at the cost of one pool", async () => {
    const applied: PoolOperation[][] = [];
    const agent = agentOn({ applied });
    await agent.start();
    takeAll(
      agent,
      [1, 2, 3].map((number) => poolNumber(number)),
      "10",
    );
    await agent.reconcile();
    expect(await kernelHolds()).toEqual([
      "30001: active active",
      "30002: active active",
      "30003: active active",
    ]);
    applied.length = 0;
    agent.takeChange({ type: "MODIFIED", object: poolNumber(2, { revision: 11, verdicts: ["down", "up"] }) });
    await agent.reconcile();
    expect(applied.map((operations) => operations.length)).toEqual([1]);
    expect(await kernelHolds()).toContain("30002: paused active");
    expect(agent.status()).toMatchObject({ appliedRevision: "11", poolCount: 3, source: "server" });
  });

  it("drains a deleted pool for its own drain time", async () => {
    const agent = agentOn();
    await agent.start();
    takeAll(agent, [poolNumber(1, { drainSeconds: 5 })], "10");
    await agent.reconcile();
    agent.takeChange({ type: "DELETED", object: poolNumber(1, { revision: 11 }) });
    await agent.reconcile();
    expect(await kernelHolds()).toEqual(["closing 30001: draining draining"]);
    await clock.advance(4_999);
    await agent.maintain();
    expect(await kernelHolds()).toHaveLength(1);
    await clock.advance(1);
    await agent.maintain();
    expect(await kernelHolds()).toEqual([]);
  });

  it("moves a running deadline when the operator gives a draining member more time, or less", async () => {
    const agent = agentOn();
    const drainFor = (seconds: number, revision: number) => {
      const members = [{ state: "drain", drainSeconds: seconds } as const, {}];
      return { type: "MODIFIED", object: poolNumber(1, { revision, members }) } as const;
    };
    const deadline = async () => {
      await agent.reconcile();
      return (await openMemoryDriver(kernel).observe())[0]?.members[0]?.deadlineMs;
    };
    await agent.start();
    takeAll(agent, [poolNumber(1)], "10");
    await agent.reconcile();
    agent.takeChange(drainFor(30, 11));
    expect(await deadline()).toBe(30_000);
    await clock.advance(10_000);
    agent.takeChange(drainFor(300, 12));
    expect(await deadline()).toBe(300_000);
    agent.takeChange({ type: "MODIFIED", object: { ...drainFor(300, 13).object } });
    expect(await deadline()).toBe(300_000);
    agent.takeChange(drainFor(20, 14));
    expect(await deadline()).toBe(20_000);
  });

  it("never applies an older revision over a newer one, and says how to do it on purpose", async () => {
    const agent = agentOn();
    await agent.start();
    takeAll(agent, [poolNumber(1)], "10");
    await agent.reconcile();
    expect(() => takeAll(agent, [], "9")).toThrow(/Cannot take over revision 9.*remove ".*last-good.jsonl"/);
    await agent.reconcile();
    expect(await kernelHolds()).toHaveLength(1);
  });

  it("notices that it does not hear the server any more", async () => {
    const agent = agentOn();
    await agent.start();
    takeAll(agent, [poolNumber(1)], "10");
    await clock.advance(30_000);
    expect(agent.silence).toBeUndefined();
    await clock.advance(1);
    expect(agent.silence).toBe("The watch of the pools brings nothing");
    agent.takeProgress("11");
    expect(agent.silence).toBeUndefined();
    agent.noteRefusal("Cannot take over revision 3");
    expect(agent.silence).toBe("Cannot take over revision 3");
  });

  it("keeps the last good state of a pool that cannot be understood, and goes on with the others", async () => {
    const agent = agentOn();
    await agent.start();
    takeAll(agent, [poolNumber(1), poolNumber(2)], "10");
    await agent.reconcile();
    const broken = { ...poolNumber(1, { revision: 11 }), spec: { members: "none" } } as KubeObject;
    takeAll(agent, [broken, poolNumber(2, { verdicts: ["up", "down"] }), poolNumber(3)], "12");
    await agent.reconcile();
    expect(await kernelHolds()).toEqual([
      "30001: active active",
      "30002: active paused",
      "30003: active active",
    ]);
    expect(agent.status().unreadablePoolCount).toBe(1);
  });

  it("names a pool that the kernel refuses, and programs it once there is room", async () => {
    kernel = new MemoryKernel({ clock, poolCapacityCount: 1 });
    const agent = agentOn();
    await agent.start();
    takeAll(agent, [poolNumber(1, { drainSeconds: 0 }), poolNumber(2)], "10");
    await agent.reconcile();
    expect(agent.reconciler.refusals.map((refusal) => refusal.code)).toEqual(["CapacityExceeded"]);
    agent.takeChange({ type: "DELETED", object: poolNumber(1, { revision: 11 }) });
    await agent.reconcile();
    await clock.advance(1_000);
    await agent.maintain();
    await agent.checkDrift();
    expect(await kernelHolds()).toEqual(["30002: active active"]);
    expect(agent.reconciler.refusals).toEqual([]);
  });
});

describe("agent: conflicts", () => {
  it("leaves an address to the pool that has it, names the other one, and gives it over when it is free", async () => {
    const agent = agentOn();
    await agent.start();
    const rival = { ...poolNumber(1), metadata: { ...poolNumber(7).metadata, resourceVersion: "11" } };
    takeAll(agent, [poolNumber(1, { drainSeconds: 0 })], "10");
    await agent.reconcile();
    agent.takeChange({ type: "ADDED", object: rival });
    await agent.reconcile();
    expect(await kernelHolds()).toEqual(["30001: active active"]);
    expect(agent.reconciler.refusals).toMatchObject([{ code: "AddressTaken", uid: rival.metadata.uid }]);
    agent.takeChange({ type: "DELETED", object: poolNumber(1, { revision: 12 }) });
    await agent.reconcile();
    await agent.maintain();
    const [holder] = await openMemoryDriver(kernel).observe();
    expect(holder?.uid).toBe(rival.metadata.uid);
    expect(agent.reconciler.refusals).toEqual([]);
  });
});

describe("agent: the kernel", () => {
  it("touches nothing before it knows what is wanted", async () => {
    const first = agentOn();
    await first.start();
    takeAll(first, [poolNumber(1)], "10");
    await first.reconcile();
    const writeCount = kernel.writeCount;
    const second = agentOn();
    await second.start();
    await second.maintain();
    await second.checkDrift();
    expect(kernel.writeCount).toBe(writeCount);
    expect(second.status()).toMatchObject({ source: "none", poolCount: 1 });
  });

  it("writes nothing when it starts again and nothing has changed", async () => {
    const first = agentOn();
    await first.start();
    takeAll(first, [poolNumber(1), poolNumber(2)], "10");
    await first.reconcile();
    await first.saveSnapshot();
    const writeCount = kernel.writeCount;
    const second = agentOn();
    await second.start();
    takeAll(second, [poolNumber(1), poolNumber(2)], "10");
    await second.reconcile();
    expect(kernel.writeCount).toBe(writeCount);
    expect(second.status().tableHash).toBe(first.status().tableHash);
  });

  it("repairs exactly the pool that somebody else changed, and counts it", async () => {
    const applied: PoolOperation[][] = [];
    const agent = agentOn({ applied });
    await agent.start();
    takeAll(
      agent,
      [1, 2, 3].map((number) => poolNumber(number)),
      "10",
    );
    await agent.reconcile();
    const [, second] = await openMemoryDriver(kernel).observe();
    if (second) kernel.install({ ...second, scheduler: "mh" });
    applied.length = 0;
    await agent.checkDrift();
    expect(applied.flat()).toEqual([{ kind: "install", pool: second }]);
    expect(agent.status().driftCount).toBe(1);
  });

  it("moves an address between pools without ever holding it twice", async () => {
    const agent = agentOn();
    await agent.start();
    takeAll(agent, [poolNumber(1)], "10");
    await agent.reconcile();
    const heir = { ...poolNumber(1), metadata: { ...poolNumber(7).metadata, resourceVersion: "12" } };
    agent.takeChange({ type: "DELETED", object: poolNumber(1, { revision: 11 }) });
    agent.takeChange({ type: "ADDED", object: heir });
    await agent.reconcile();
    expect(await kernelHolds()).toEqual([": draining draining", "30001: active active"]);
  });

  it("says what is wrong when the driver breaks down, and recovers by itself", async () => {
    const agent = agentOn();
    await agent.start();
    takeAll(agent, [poolNumber(1)], "10");
    const install = kernel.install.bind(kernel);
    kernel.install = () => {
      throw new ParasausError("KernelError", "Cannot write the map: no memory");
    };
    await agent.reconcile();
    expect(agent.trouble).toBe("Cannot write the map: no memory");
    expect(agent.appliedRevision).toBeUndefined();
    kernel.install = install;
    await agent.maintain();
    expect(agent.trouble).toBeUndefined();
    expect(await kernelHolds()).toEqual(["30001: active active"]);
    expect(agent.appliedRevision).toBe("10");
  });
});

describe("agent: last-known-good snapshot", () => {
  /** An agent that knew a pool, saved it, and lost its kernel in a reboot. */
  async function afterReboot(): Promise<string> {
    const agent = agentOn();
    await agent.start();
    takeAll(agent, [poolNumber(1)], "10");
    await agent.reconcile();
    expect(await agent.saveSnapshot()).toBe(true);
    expect(await agent.saveSnapshot()).toBe(false);
    kernel = new MemoryKernel({ clock });
    return path.join(directory, "last-good.jsonl");
  }

  it("forwards after a reboot without a server", async () => {
    await afterReboot();
    const agent = agentOn();
    await agent.start();
    expect(await kernelHolds()).toEqual(["30001: active active"]);
    expect(agent.status()).toMatchObject({ source: "snapshot", appliedRevision: "10" });
  });

  it("refuses a server that is behind the snapshot", async () => {
    await afterReboot();
    const agent = agentOn();
    await agent.start();
    expect(() => takeAll(agent, [], "9")).toThrow(ParasausError);
    expect(await kernelHolds()).toHaveLength(1);
  });

  const damages: readonly { readonly what: string; readonly damage: (text: string) => string }[] = [
    { what: "one digit changed", damage: (text) => text.replace("30001", "30002") },
    { what: "cut short", damage: (text) => text.slice(0, -40) },
    { what: "a line missing", damage: (text) => text.split("\n").toSpliced(1, 1).join("\n") },
    { what: "of a newer format", damage: (text) => text.replace('"version":1', '"version":2') },
    { what: "empty", damage: () => "" },
    { what: "something else", damage: () => "{}\n{}\n" },
  ];

  it.each(damages)(
    "refuses a snapshot that is $what, keeps it aside and leaves the kernel alone",
    async ({ damage }) => {
      const file = await afterReboot();
      await writeFile(file, damage(await readFile(file, "utf8")));
      const before = agentOn();
      takeAll(before, [poolNumber(5)], "3");
      await before.reconcile();
      const agent = agentOn();
      await agent.start();
      await agent.maintain();
      expect(await kernelHolds()).toEqual(["30005: active active"]);
      expect(agent.status().source).toBe("none");
      expect(await readFile(`${file}.refused`, "utf8")).not.toBeUndefined();
    },
  );

  it("refuses another node's snapshot", async () => {
    await afterReboot();
    const agent = agentOn({ nodeName: "n2" });
    await agent.start();
    expect(agent.status().source).toBe("none");
    expect(await kernelHolds()).toEqual([]);
  });
});
