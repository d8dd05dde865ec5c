import path from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { loadConfiguration } from "../../src/configuration/index.ts";
import { type Clock, silentLogger, systemClock } from "../../src/foundation/index.ts";
import { type Node, nodeDefinition, withReadyUnknown } from "../../src/model/index.ts";
import { createNodeTransport, createRemoteResources } from "../../src/resources/remote/index.ts";
import { type ControlPlane, startControlPlane } from "../../src/server/control-plane.ts";
import { makeDirectory, startAgent, type TestAgent } from "./agent-world.ts";

const PATIENCE = { timeout: 30_000, interval: 50 };

let aheadMs = 0;
const clock: Clock = {
  now: () => new Date(Date.now() + aheadMs),
  monotonicMs: () => systemClock.monotonicMs(),
  sleep: (ms, signal) => systemClock.sleep(ms, signal),
};
const directory = makeDirectory();
let server: ControlPlane;
let agent: TestAgent;

beforeAll(async () => {
  const { values } = loadConfiguration({
    flags: { dataDir: path.join(directory.path, "data"), listen: "127.0.0.1:0", noAuth: "true" },
    environment: {},
    around: { program: "server", isRoot: false, homeDirectory: directory.path, hostname: "test" },
  });
  const options = { configuration: values, log: silentLogger, clock, random: Math.random };
  server = await startControlPlane(options, new AbortController().signal);
  agent = startAgent(directory.path, server.url);
});
afterAll(async () => {
  await agent[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
  directory[Symbol.dispose]();
});

async function readNode(): Promise<Node | undefined> {
  using transport = createNodeTransport({ servers: [server.url] });
  const resources = createRemoteResources({ transport, clock: systemClock });
  return (await resources.list(nodeDefinition)).items[0] as Node | undefined;
}

async function ready(): Promise<string | undefined> {
  const condition = (await readNode())?.status?.conditions?.find(({ type }) => type === "Ready");
  return condition && `${condition.status} ${condition.reason}`;
}

/** What `Ready` says in the Node as it is stored, each time that a watch brings it. */
function watchReady(signal: AbortSignal): readonly string[] {
  const seen: string[] = [];
  const follow = async () => {
    using transport = createNodeTransport({ servers: [server.url] });
    const resources = createRemoteResources({ transport, clock: systemClock });
    const { resourceVersion } = await resources.list(nodeDefinition);
    for await (const event of resources.watch(nodeDefinition, { resourceVersion, signal })) {
      if (event.type === "BOOKMARK") continue;
      const conditions = (event.object as Node).status?.conditions ?? [];
      const found = conditions.find(({ type }) => type === "Ready");
      seen.push(`${found?.status} ${found?.reason}`);
    }
  };
  void follow().catch((failure: unknown) => void (signal.aborted || seen.push(String(failure))));
  return seen;
}

it("tells of a node's heartbeats and load without writing the node, and that it is silent", async () => {
  await expect.poll(ready, PATIENCE).toBe("True Forwarding");
  // Twice the same version: what the agent writes while it starts is over.
  let before = await readNode();
  await expect
    .poll(async () => {
      const { metadata: last } = before ?? { metadata: undefined };
      before = await readNode();
      return before?.metadata.resourceVersion === last?.resourceVersion && before?.status?.flowEntryCount;
    }, PATIENCE)
    .toBe(0);
  const heartbeat = async () => (await readNode())?.status?.heartbeat;
  await expect.poll(heartbeat, PATIENCE).not.toBe(before?.status?.heartbeat);
  const after = await readNode();
  expect(after?.metadata.resourceVersion).toBe(before?.metadata.resourceVersion);
  expect(after?.status?.lagRevisions).toBe(0);

  await agent[Symbol.asyncDispose]();
  expect(await ready()).toBe("True Forwarding");
  aheadMs += 31_000;
  expect(await ready()).toBe("Unknown NodeStatusUnknown");
});

it("shows a watch that a node is silent, once, and that it is back", async () => {
  const stop = new AbortController();
  agent = startAgent(directory.path, server.url);
  aheadMs = 0;
  await expect.poll(ready, PATIENCE).toBe("True Forwarding");
  const seen = watchReady(stop.signal);
  const startedMs = performance.now();
  await agent[Symbol.asyncDispose]();
  await expect.poll(() => seen.at(-1), { timeout: 90_000, interval: 200 }).toBe("Unknown NodeStatusUnknown");
  expect(performance.now() - startedMs).toBeGreaterThan(30_000);
  // Nothing more is written while it stays silent.
  const count = seen.length;
  await new Promise((resolve) => setTimeout(resolve, 12_000));
  expect(seen.length).toBe(count);
  agent = startAgent(directory.path, server.url);
  await expect.poll(() => seen.at(-1), PATIENCE).toBe("True Forwarding");
  stop.abort();
});

it("is contradicted by an agent that lives", async () => {
  await expect.poll(ready, PATIENCE).toBe("True Forwarding");
  const stop = new AbortController();
  const seen = watchReady(stop.signal);
  using transport = createNodeTransport({ servers: [server.url] });
  const resources = createRemoteResources({ transport, clock: systemClock });
  const node = await readNode();
  const conditions = withReadyUnknown(node?.status?.conditions ?? [], 0, new Date());
  await expect
    .poll(async () => {
      const patch = { type: "merge", body: { status: { conditions } } } as const;
      const reference = { definition: nodeDefinition, name: node?.metadata.name ?? "" };
      await resources.patch(reference, patch, { operator: "test", subresource: "status" });
      return seen.at(-1);
    }, PATIENCE)
    .toBe("Unknown NodeStatusUnknown");
  await expect.poll(() => seen.at(-1), PATIENCE).toBe("True Forwarding");
  stop.abort();
});
