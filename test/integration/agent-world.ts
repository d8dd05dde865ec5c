import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { httpNodeRequests, runAgent } from "../../src/agent/index.ts";
import {
  createHttpServer,
  createKubeApi,
  createNodeRequests,
  type HttpServer,
  type NodeRequests,
} from "../../src/api/index.ts";
import type { ProgrammedPool } from "../../src/dataplane/index.ts";
import { MemoryKernel, openMemoryDriver } from "../../src/dataplane/memory/index.ts";
import { type Clock, silentLogger, systemClock } from "../../src/foundation/index.ts";
import { type AgentStatus, DEFINITIONS, type Pool, poolDefinition } from "../../src/model/index.ts";
import type { Resources } from "../../src/resources/index.ts";
import { createLocalResources, ensureBuiltins } from "../../src/resources/local/index.ts";
import { createNodeTransport, createRemoteResources } from "../../src/resources/remote/index.ts";
import { openEmbeddedStore } from "../../src/store/embedded/index.ts";
import type { Store } from "../../src/store/index.ts";

const common = { clock: systemClock, logger: silentLogger };

/** A server over a store on disk, which can go and come back on the same port. */
export interface TestServer extends AsyncDisposable {
  readonly url: string;
  readonly store: Store;
  readonly resources: Resources;
  readonly requests: NodeRequests;
}

/** Starts a server. */
export async function startServer(directory: string, port = 0): Promise<TestServer> {
  const store = await openEmbeddedStore({ directory: path.join(directory, "store"), ...common });
  const resources = createLocalResources({ store, ...common, autoCreateNamespaces: true });
  await ensureBuiltins(resources);
  const requests = createNodeRequests({ clock: systemClock });
  const kube = createKubeApi({ resources, definitions: DEFINITIONS, clock: systemClock, version: "0.0.0" });
  const http: HttpServer = await createHttpServer(
    {
      logger: silentLogger,
      version: "0.0.0",
      health: { live: [], ready: [] },
      metrics: async () => ({ contentType: "text/plain", body: "" }),
      routes: [kube, requests.routes],
    },
    { host: "127.0.0.1", port },
  );
  return {
    url: http.url,
    store,
    resources,
    requests,
    async [Symbol.asyncDispose]() {
      await http[Symbol.asyncDispose]();
      await store[Symbol.asyncDispose]();
    },
  };
}

/** An agent over a memory kernel. */
export interface TestAgent extends AsyncDisposable {
  readonly kernel: MemoryKernel;
  status(): AgentStatus | undefined;
}

/** Starts an agent of servers, joined by commas; `kernel` is one that an earlier agent left behind. */
export function startAgent(
  directory: string,
  url: string,
  kernel = new MemoryKernel({ clock: systemClock }),
  clock: Clock = systemClock,
): TestAgent {
  const stop = new AbortController();
  let read: (() => AgentStatus) | undefined;
  const servers = url.split(",");
  const transport = createNodeTransport({ servers });
  const running = runAgent({
    resources: createRemoteResources({ transport, clock }),
    driver: openMemoryDriver(kernel),
    nodeName: "n1",
    addresses: ["192.0.2.1"],
    snapshotDirectory: path.join(directory, "node"),
    version: "0.0.0",
    server: url,
    leaveServer: transport.leaveServer,
    requests: httpNodeRequests({ servers }),
    listListeners: async () => [],
    onStatus: (status) => {
      read = status;
    },
    clock,
    logger: silentLogger,
    signal: stop.signal,
  });
  return {
    kernel,
    status: () => read?.(),
    async [Symbol.asyncDispose]() {
      stop.abort();
      await running;
      transport[Symbol.dispose]();
    },
  };
}

/** A directory of its own, which goes with it. */
export function makeDirectory(): Disposable & { readonly path: string } {
  const made = mkdtempSync(path.join(tmpdir(), "parasaus-run-agent-"));
  return { path: made, [Symbol.dispose]: () => rmSync(made, { recursive: true }) };
}

/** Creates a pool with an address and verdicts, as the allocator and circle-healthcheck would. */
export async function createPool(resources: Resources, name: string, port: number): Promise<Pool> {
  const members = ["10.0.0.1", "10.0.0.2"].map((ip) => ({ ip, port: 80 }));
  await resources.create(
    poolDefinition,
    { metadata: { name, namespace: "shop" }, spec: { members } },
    { operator: "ann" },
  );
  return setVerdicts(resources, name, port, ["up", "up"]);
}

/** Writes the pool's status. */
export async function setVerdicts(
  resources: Resources,
  name: string,
  port: number,
  verdicts: readonly string[],
): Promise<Pool> {
  const reference = { definition: poolDefinition, namespace: "shop", name };
  const status = {
    connectAddresses: [{ ip: "*", port, protocol: "TCP" }],
    members: verdicts.map((verdict, index) => ({
      ip: `10.0.0.${index + 1}`,
      port: 80,
      verdict,
      reason: "L4OK",
      since: "2026-01-01T00:00:00Z",
    })),
  };
  const writer = { operator: "system:test", subresource: "status" } as const;
  return (await resources.patch(reference, { type: "merge", body: { status } }, writer)) as Pool;
}

/** `30001 active paused`, one string a pool. */
export function holdings(kernel: MemoryKernel): string[] {
  return [...kernel.pools.values()].map(({ programmed }) => describe(programmed)).sort();
}

function describe({ addresses, members }: ProgrammedPool): string {
  const ports = addresses.map(({ port, closingDeadlineMs }) =>
    closingDeadlineMs === undefined ? `${port}` : `closing ${port}`,
  );
  return [...ports, ...members.map((member) => member.disposition)].join(" ");
}
