import { rmSync } from "node:fs";
import path from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { runCli } from "../../src/cli/index.ts";
import {
  type Node,
  nodeDefinition,
  type Operation,
  operationDefinition,
  poolDefinition,
} from "../../src/model/index.ts";
import {
  createPool,
  holdings,
  makeDirectory,
  setVerdicts,
  startAgent,
  startServer,
  type TestAgent,
  type TestServer,
} from "./agent-world.ts";

const n1 = { definition: nodeDefinition, name: "n1" };
const patience = { timeout: 20_000, interval: 20 };

let directory: ReturnType<typeof makeDirectory>;
let server: TestServer;
let agent: TestAgent;

beforeEach(async () => {
  directory = makeDirectory();
  server = await startServer(directory.path);
  agent = startAgent(directory.path, server.url);
});
afterEach(async () => {
  await agent[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
  directory[Symbol.dispose]();
});

/** What the command line prints. */
async function cli(...words: readonly string[]): Promise<string> {
  const printed: string[] = [];
  const output = { isTerminal: false, write: (text: string) => void printed.push(text) };
  const terminal = {
    ...{ arguments: [...words, "--server", server.url], environment: { USER: "ann" } },
    ...{ stdout: output, stderr: output, readStdin: async () => "", readSecret: async () => "" },
    self: ["parasaus"] as const,
    ...{ isRoot: false, homeDirectory: directory.path, hostname: "n1" },
    signal: new AbortController().signal,
  };
  await runCli(terminal, () => Promise.reject(new Error("no program was asked for")));
  return printed.join("");
}

async function untilHolds(...expected: readonly string[]): Promise<void> {
  await expect.poll(() => holdings(agent.kernel), patience).toEqual(expected);
}

it("follows pools from their creation to the end of their drain, and tells so in its Node", async () => {
  await createPool(server.resources, "web", 30_001);
  await untilHolds("30001 active active");
  const changed = await setVerdicts(server.resources, "web", 30_001, ["up", "down"]);
  await untilHolds("30001 active paused");
  expect(BigInt(agent.status()?.appliedRevision ?? 0)).toBeGreaterThanOrEqual(
    BigInt(changed.metadata.resourceVersion ?? 0),
  );
  const node = () => server.resources.get(n1) as Promise<Node>;
  await expect.poll(async () => (await node()).status?.conditions?.[0]?.reason, patience).toBe("Forwarding");
  expect((await node()).status).toMatchObject({
    addresses: ["192.0.2.1"],
    driver: "memory",
    server: server.url,
  });
  const web = { definition: poolDefinition, namespace: "shop", name: "web" };
  await server.resources.delete(web, { operator: "ann" });
  await untilHolds("closing 30001 draining draining");
});

it("answers what servers ask, from the kernel", async () => {
  const pool = await createPool(server.resources, "web", 30_001);
  await untilHolds("30001 active active");
  const flow = {
    protocol: "TCP",
    clientIp: "198.51.100.1",
    clientPort: 4,
    ip: "192.0.2.1",
    port: 30_001,
  } as const;
  expect(agent.kernel.connect(flow).kind).toBe("delivered");
  await expect.poll(() => server.requests.connectedNodes(), patience).toEqual(["n1"]);
  const explained = await server.requests.askAll({ kind: "explain", flow });
  expect(explained.answers[0]).toMatchObject({ node: "n1", value: { poolUid: pool.metadata.uid } });
  const counted = await server.requests.ask("n1", { kind: "counters", pools: [pool.metadata.uid ?? ""] });
  expect(counted).toMatchObject({ kind: "answered", value: { flowEntryCount: 1 } });
  const nobody = await server.requests.ask("n1", { kind: "probe", ip: "127.0.0.1", port: 1 });
  expect(nobody).toMatchObject({ value: { isConnected: false, reason: "ECONNREFUSED" } });
  expect(await server.requests.ask("n1", { kind: "status" })).toMatchObject({ value: { source: "server" } });
});

it("keeps the kernel as it is while no server answers, and goes on where it was", async () => {
  await createPool(server.resources, "web", 30_001);
  await untilHolds("30001 active active");
  const { port } = new URL(server.url);
  const writeCount = agent.kernel.writeCount;
  await server[Symbol.asyncDispose]();
  await expect.poll(() => (agent.status()?.watchAgeMs ?? 0) > 2_000, patience).toBe(true);
  expect(agent.kernel.writeCount).toBe(writeCount);
  server = await startServer(directory.path, Number(port));
  await createPool(server.resources, "dns", 30_002);
  await untilHolds("30001 active active", "30002 active active");
  expect(agent.kernel.writeCount).toBe(writeCount + 1);
});

it("starts without a server from its snapshot, and writes nothing to a kernel that is right", async () => {
  await createPool(server.resources, "web", 30_001);
  await untilHolds("30001 active active");
  const { kernel } = agent;
  await agent[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
  const writeCount = kernel.writeCount;
  agent = startAgent(directory.path, server.url, kernel);
  await expect.poll(() => agent.status()?.source, patience).toBe("snapshot");
  expect(kernel.writeCount).toBe(writeCount);
  await agent[Symbol.asyncDispose]();
  agent = startAgent(directory.path, server.url);
  await untilHolds("30001 active active");
  server = await startServer(directory.path);
});

it("refuses a server whose store was lost, says so, and goes on forwarding", async () => {
  for (const number of [1, 2, 3, 4]) await createPool(server.resources, `web-${number}`, 30_000 + number);
  const pools = [1, 2, 3, 4].map((number) => `3000${number} active active`);
  await untilHolds(...pools);
  const { kernel } = agent;
  await agent[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
  rmSync(path.join(directory.path, "store"), { recursive: true });
  server = await startServer(directory.path);
  agent = startAgent(directory.path, server.url, kernel);
  const synced = async () => {
    const node = (await server.resources.get(n1).catch(() => undefined)) as Node | undefined;
    return node?.status?.conditions?.find((condition) => condition.type === "Synced")?.message;
  };
  await expect.poll(synced, patience).toMatch(/^Cannot take over the pools of store /);
  expect(holdings(kernel)).toEqual(pools);
});

it("holds pools that vanish from the store until `parasaus node confirm`, which is recorded", async () => {
  for (let number = 1; number <= 12; number += 1)
    await createPool(server.resources, `web-${number}`, 30_000 + number);
  await expect.poll(() => holdings(agent.kernel).length, patience).toBe(12);
  const prefix = "/parasaus/registry/parasaus.io/pools/";
  const { entries } = await server.store.range(prefix);
  await server.store.transact(
    [],
    entries.map(({ key }) => ({ kind: "delete", key })),
  );
  const held = async () => ((await server.resources.get(n1)) as Node).status?.heldShrink;
  await expect.poll(held, patience).toMatchObject({ poolCount: 12, ofPoolCount: 12 });
  expect(holdings(agent.kernel).every((line) => line.endsWith("active active"))).toBe(true);
  expect((await server.store.range(prefix)).entries).toEqual([]);
  expect(await cli("node", "confirm", "n1", "--reason", "moved")).toBe(
    "node.parasaus.io/n1 confirmed: 12 of 12 pools may go\n",
  );
  await expect
    .poll(() => holdings(agent.kernel).filter((line) => line.startsWith("closing")).length, patience)
    .toBe(12);
  await expect.poll(held, patience).toBeUndefined();
  const operations = (await server.resources.list(operationDefinition)).items as readonly Operation[];
  expect(operations.at(-1)?.spec).toMatchObject({
    operator: "ann",
    reason: "moved",
    object: { kind: "Node", name: "n1" },
    after: { spec: { confirmedShrink: expect.stringMatching(/^[0-9a-f]{12}$/) } },
  });
  expect(await cli("node", "confirm", "n1")).toBe('Error: Cannot confirm for node "n1": it holds no pools\n');
});

it("writes its Node again when somebody deletes it", async () => {
  await expect.poll(() => server.resources.get(n1).catch(() => undefined), patience).toBeDefined();
  await server.resources.delete(n1, { operator: "ann" });
  const heartbeat = async () =>
    ((await server.resources.get(n1).catch(() => undefined)) as Node)?.status?.heartbeat;
  await expect.poll(heartbeat, patience).toBeDefined();
});

it("brings one change to the kernel in well under 100 ms", async () => {
  await createPool(server.resources, "web", 30_001);
  await untilHolds("30001 active active");
  const times: number[] = [];
  for (let change = 0; change < 50; change += 1) {
    const verdicts = change % 2 === 0 ? ["up", "down"] : ["up", "up"];
    const startMs = performance.now();
    await setVerdicts(server.resources, "web", 30_001, verdicts);
    const wanted = change % 2 === 0 ? "30001 active paused" : "30001 active active";
    while (holdings(agent.kernel)[0] !== wanted) await new Promise((resolve) => setImmediate(resolve));
    times.push(performance.now() - startMs);
  }
  times.sort((a, b) => a - b);
  process.stdout.write(
    `change-to-kernel (n=50): median ${times[25]?.toFixed(1)} ms, worst ${times[49]?.toFixed(1)} ms\n`,
  );
  expect(times[25]).toBeLessThan(100);
});
