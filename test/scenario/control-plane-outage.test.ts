import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Pool } from "../../src/model/index.ts";
import { canMakeNamespaces, endProcess } from "../lab/namespaces.ts";
import { LAUNCHER, untilListens, waitUntil } from "../lab/product.ts";
import { type Fleet, type FleetServer, openFleet } from "../lab/server-fleet.ts";
import { MEMBER_PORT } from "../lab/stage.ts";
import { openTopology, type Topology } from "../lab/topology.ts";
import {
  labProgram,
  linesOf,
  nextLine,
  type RequestsPlan,
  startMember,
  startTraffic,
} from "../lab/traffic.ts";

const OUTAGE_SECONDS = Number(process.env["PARASAUS_OUTAGE_SECONDS"] ?? 20);
/** What a node that is created anew may take until it forwards. */
const MOST_BOOT_MS = 10_000;
/** Of the ports of its own loopback by which the node reaches the servers. */
const FIRST_PORT = 7_001;
const POOLS = "/apis/parasaus.io/v1/namespaces/default/pools";
const MERGE = "application/merge-patch+json";

/** A node whose agent is a process of its own, beside the servers. */
describe.skipIf(!canMakeNamespaces())("all servers and etcd are killed (needs root)", () => {
  let fleet: Fleet;
  let lab: Topology;
  let home: string;
  let agent: ReturnType<Topology["node"]["start"]> | undefined;
  const agentLines: string[] = [];
  beforeEach(async () => {
    home = mkdtempSync(path.join(tmpdir(), "parasaus-lab-"));
    lab = await openTopology({ memberCount: 2 });
    fleet = await openFleet(2, ["--lease-seconds=2", "--auto-create-namespaces=true"]);
    const gateway = fleet.network.attach(lab.node);
    for (const { namespace } of fleet.servers)
      namespace.run("ip", "route", "add", "10.78.0.0/16", "via", gateway);
    await Promise.all(lab.members.map((member) => startMember(member)));
    await Promise.all(fleet.servers.map(({ socketPath }, index) => relay(FIRST_PORT + index, socketPath)));
  });
  afterEach(async () => {
    if (agent) await endProcess(agent);
    uninstall();
    await fleet[Symbol.asyncDispose]();
    await lab[Symbol.asyncDispose]();
    rmSync(home, { recursive: true, force: true });
  });

  /** Has the node reach a server at a port of its own loopback. */
  async function relay(port: number, socketPath: string): Promise<void> {
    const child = lab.node.start(labProgram("relay.ts", String(port), socketPath));
    await nextLine(linesOf(child), child);
  }

  const first = (): FleetServer => {
    const [server] = fleet.servers;
    if (!server) throw new Error("there is no server");
    return server;
  };
  const log = () => agentLines.join("") + first().log();

  function startAgent(dataDirectory: string): void {
    const urls = fleet.servers.map((_, index) => `http://127.0.0.1:${FIRST_PORT + index}`).join(",");
    const names = ["--node-name", lab.node.id, "--address", lab.nodeIp, "--data-dir", dataDirectory];
    const command = [LAUNCHER, "agent", "--server", urls, ...names, "--metrics-listen", "127.0.0.1:0"];
    agent = lab.node.start(command, { stdio: ["ignore", "pipe", "pipe"] });
    for (const stream of [agent.stdout, agent.stderr])
      stream?.on("data", (bytes) => agentLines.push(String(bytes)));
  }

  async function killAgent(): Promise<void> {
    const pid = agent?.pid ?? 0;
    agent?.kill("SIGKILL");
    await waitUntil("the agent is gone", async () => !isAlive(pid));
  }

  /** As after a reboot: nothing of the node is in the kernel. */
  const uninstall = () => lab.node.run(LAUNCHER, "uninstall", "--node-name", lab.node.id, "--yes");

  const request = (port: number, plan: Partial<RequestsPlan> = {}) =>
    startTraffic(lab.client, {
      ...{ mode: "requests", host: lab.nodeIp, port, concurrency: 8, sources: lab.clientIps },
      ...plan,
    });

  /**
   * How long after `begin` a request succeeds, ms; undefined when none does in time. Requests are made before, too, in vain.
   */
  async function untilForwards(
    port: number,
    withinMs: number,
    begin: () => void = () => undefined,
  ): Promise<number | undefined> {
    const probe = request(port, { concurrency: 1, timeoutMs: 500, paceMs: 20 });
    await waitUntil("requests are made", async () => (await probe.mark()).started > 0, log);
    const { succeeded } = await probe.mark();
    const startMs = performance.now();
    begin();
    try {
      while (performance.now() - startMs < withinMs) {
        if ((await probe.mark()).succeeded > succeeded) return performance.now() - startMs;
        await sleep(20);
      }
      return undefined;
    } finally {
      await probe.stop();
    }
  }

  async function openPool(): Promise<number> {
    const members = lab.members.map(({ ip }) => ({ ip, port: MEMBER_PORT }));
    const healthCheck = { type: "tcp", interval: "1s", timeout: "500ms", rise: 1, fall: 2 };
    const metadata = { name: "web", namespace: "default" };
    const object = { apiVersion: "parasaus.io/v1", kind: "Pool", metadata, spec: { members, healthCheck } };
    expect((await first().call("POST", POOLS, object)).status).toBe(201);
    const read = async () => (await first().call("GET", `${POOLS}/web`)).body as Pool;
    const port = await untilListens("web", read, members.length, log);
    await waitUntil("the pool forwards", async () => (await untilForwards(port, 1_000)) !== undefined, log);
    return port;
  }

  /** SIGKILL for each, and the proof. @returns how many were killed */
  async function killEverything(): Promise<number> {
    const { members } = fleet.network;
    const pids = [...fleet.servers.map(({ pid }) => pid), ...members.map((member) => member.pid())];
    await Promise.all([...fleet.servers, ...members].map((each) => each.kill()));
    expect(pids.filter(isAlive)).toEqual([]);
    return pids.length;
  }

  async function startEverything(): Promise<void> {
    const { network, servers } = fleet;
    for (const member of network.members) member.start();
    const isHealthy = async () => network.ctl(["endpoint", "health"]) !== undefined;
    await waitUntil("etcd answers", isHealthy, log, undefined, 60_000);
    for (const server of servers) await server.start();
  }

  it(`for ${OUTAGE_SECONDS} s: no request fails, a node created anew forwards from its snapshot, and changes come later`, async () => {
    startAgent(path.join(home, "node"));
    const port = await openPool();
    const traffic = request(port);
    await waitUntil("requests flow", async () => (await traffic.mark()).succeeded > 200, log);
    const killedCount = await killEverything();
    const before = (await traffic.mark()).started;
    await sleep((OUTAGE_SECONDS * 1_000) / 2);
    await killAgent();
    startAgent(path.join(home, "node"));
    await sleep((OUTAGE_SECONDS * 1_000) / 2);
    const { started, succeeded, failures, members, longestMs } = await traffic.stop();
    process.stdout.write(
      `outage of ${OUTAGE_SECONDS} s, ${killedCount} processes killed: n=${started} (${started - before} during it) ` +
        `failures=${JSON.stringify(failures)} members=${JSON.stringify(members)} longest=${longestMs.toFixed(0)}ms\n`,
    );
    expect(failures).toEqual({});
    expect(succeeded).toBe(started);
    expect(started - before).toBeGreaterThan(OUTAGE_SECONDS * 50);
    for (const { name } of lab.members) expect(members[name]).toBeGreaterThan(started / 4);

    await killAgent();
    uninstall();
    // The control: nothing forwards, and without its snapshot the node does not learn to.
    const startWithout = () => startAgent(path.join(home, "empty"));
    expect(await untilForwards(port, MOST_BOOT_MS, startWithout)).toBeUndefined();
    await killAgent();
    uninstall();
    const bootMs = await untilForwards(port, MOST_BOOT_MS, () => startAgent(path.join(home, "node")));
    process.stdout.write(`created anew: forwards after ${bootMs?.toFixed(0)} ms\n`);
    expect(bootMs).toBeLessThan(MOST_BOOT_MS);

    await startEverything();
    const one = { spec: { members: [{ ip: lab.members[0]?.ip, port: MEMBER_PORT }] } };
    expect((await first().call("PATCH", `${POOLS}/web`, one, MERGE)).status).toBe(200);
    const served = async () => Object.keys((await request(port, { total: 20 }).finished()).members);
    await waitUntil(
      "the change arrives",
      async () => (await served()).join() === "m1",
      log,
      undefined,
      60_000,
    );
  });
});

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
