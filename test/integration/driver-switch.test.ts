import type { ChildProcess } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { encodeSnapshot } from "../../src/agent/snapshot-format.ts";
import type { DesiredPool } from "../../src/dataplane/index.ts";
import { missingForEbpf } from "../lab/ebpf-world.ts";
import { IPVS_RECORDS, missingForIpvs } from "../lab/ipvs-world.ts";
import { openMap, pinnedMapPath, readKernel } from "../lab/kernel.ts";
import { endProcess } from "../lab/namespaces.ts";
import { LAUNCHER, waitUntil } from "../lab/product.ts";
import { openTopology, type Topology } from "../lab/topology.ts";
import { type HoldReport, startMember, startTraffic, type TrafficClient } from "../lab/traffic.ts";

/** Connections that are open while the driver changes. */
const CONNECTIONS = Number(process.env["PARASAUS_SWITCH_CONNECTIONS"] ?? 1_000);
/** Those that are opened afterwards. */
const LATER = 40;
const MEMBER_PORT = 8080;
const PORT = 30_080;
/** The guest has one CPU, which programs that start use for seconds. */
const PATIENCE_MS = 300_000;
const TEST_MS = 4 * PATIENCE_MS;
/** Each connection exchanges a byte so often. */
const EXCHANGE_MS = Math.max(1_000, 10 * CONNECTIONS);
/** Where `other_driver` stands in the row of `config`, and that the other one has connections. */
const OTHER_DRIVER_AT = 63;
const OTHER_DRAINS = 1;
const missing = missingForEbpf() || missingForIpvs();

type DriverName = "ebpf" | "ipvs";
type Held = TrafficClient<HoldReport>;

describe.skipIf(missing)(`a node whose driver changes under load${missing}`, () => {
  let lab: Topology;
  let directory: string;
  let agent: ChildProcess | undefined;
  let log = "";
  beforeAll(async () => {
    lab = await openTopology({ memberCount: 2 });
    directory = mkdtempSync(path.join(tmpdir(), "paratest-switch-"));
    writeSnapshot(directory, lab);
    await Promise.all(lab.members.map((member) => startMember(member, MEMBER_PORT)));
    await run("ebpf");
  }, TEST_MS);
  afterAll(async () => {
    await stop();
    if (lab) uninstall();
    await lab?.[Symbol.asyncDispose]();
    rmSync(directory, { recursive: true, force: true });
  }, TEST_MS);

  it.each([
    ["ebpf", "ipvs"],
    ["ipvs", "ebpf"],
  ] as const)(
    `from %s to %s: ${CONNECTIONS} connections stay, new ones take the new driver`,
    async (from, to) => {
      const { client } = lab;
      const plan = { ...target(), mode: "requests", concurrency: 2, paceMs: 50, timeoutMs: 60_000 } as const;
      const held = await hold(CONNECTIONS);
      const requests = startTraffic(client, plan);
      expect(await allAnswer(held)).toBe(CONNECTIONS);
      expect([openAt(from) >= CONNECTIONS, openAt(to)]).toEqual([true, 0]);

      const before = await requests.mark();
      await stop();
      await run(to);
      await says("new flows take the new driver");
      const during = await requests.mark();
      expect(await allAnswer(held)).toBe(CONNECTIONS);
      const later = await hold(LATER);
      // Another start, in the middle of it, changes nothing.
      await stop();
      await run(to);
      expect(await allAnswer(held)).toBe(CONNECTIONS);
      const after = await requests.stop();
      expect(await allAnswer(later)).toBe(LATER);
      const kept = await held.mark();
      const [openBefore, openNow] = [openAt(from), openAt(to)];
      process.stdout.write(
        `${from} to ${to}: n=${kept.opened} held, ${kept.resets} reset, ${kept.exchanged} exchanges, ${openBefore} at ${from}, ${openNow} at ${to}; ` +
          `n=${after.started} requests, failed ${JSON.stringify(after.failures)}, ${during.started - before.started} while it changed\n`,
      );
      expect([kept.alive, kept.resets, kept.ends, kept.timeouts, kept.moved]).toEqual([
        CONNECTIONS,
        0,
        0,
        0,
        0,
      ]);
      expect(after.failures).toEqual({});
      expect(during.started).toBeGreaterThan(before.started);
      expect(openBefore, "the old driver keeps its own and gets no other").toBe(CONNECTIONS);
      expect(openNow, "the new driver has the later ones").toBeGreaterThanOrEqual(LATER);

      await held.stop();
      await says("driver before taken out of the kernel");
      expect(isInstalled(from)).toBe(false);
      expect(await allAnswer(later)).toBe(LATER);
      const last = await later.stop();
      expect([last.resets, last.ends, last.timeouts]).toEqual([0, 0, 0]);
      await until("the last connection has ended", () => openAt(to) === 0);
    },
    TEST_MS,
  );

  it("control: connections are reset when the old driver is taken out before the new one starts", {
    timeout: TEST_MS,
  }, async () => {
    const held = await hold(LATER);
    expect(openAt("ebpf")).toBe(LATER);
    // The client ends by itself when it has lost every connection.
    const lost = held.finished();
    await stop();
    uninstall();
    await run("ipvs");
    expect((await lost).resets).toBe(LATER);
  });

  it("control: connections of ipvs are reset when their packets are not passed on", {
    timeout: TEST_MS,
  }, async () => {
    const held = await hold(LATER);
    expect(openAt("ipvs")).toBe(LATER);
    await stop();
    await run("ebpf");
    await says("new flows take the new driver");
    expect((await held.mark()).resets).toBe(0);
    const lost = held.finished();
    keepEverything();
    expect((await lost).resets).toBe(LATER);
  });

  /** Starts the program, and waits until it serves: it has no server, and begins with the snapshot. */
  async function run(driver: DriverName): Promise<void> {
    const flags = [
      ...["--driver", driver, "--server", "http://127.0.0.1:1", "--snapshot", directory],
      ...["--node-name", lab.node.id, "--address", lab.nodeIp, "--local-clients", "off"],
      ...["--metrics-listen", "127.0.0.1:0", "--log-format", "json"],
      "--flow-timeouts=established=7800,half-open=15,closing=5,closed=5,udp=120",
    ];
    log = "";
    agent = lab.node.start([LAUNCHER, "agent", ...flags], { stdio: ["ignore", "pipe", "pipe"] });
    for (const stream of [agent.stdout, agent.stderr]) stream?.on("data", (bytes) => (log += String(bytes)));
    await says('"agent started"');
  }

  async function stop(): Promise<void> {
    if (agent) await endProcess(agent);
    agent = undefined;
  }

  function uninstall(): void {
    lab.node.run(LAUNCHER, "uninstall", "--node-name", lab.node.id, "--yes");
  }

  /** Waits until the agent's log has these words. */
  function says(words: string): Promise<void> {
    return until(`the agent says ${words}`, () => log.includes(words));
  }

  function until(what: string, condition: () => boolean | Promise<boolean>): Promise<void> {
    return waitUntil(
      what,
      async () => condition(),
      () => log,
      agent,
      PATIENCE_MS,
    );
  }

  function target() {
    return { host: lab.nodeIp, port: PORT, sources: lab.clientIps };
  }

  async function hold(connections: number): Promise<Held> {
    const plan = {
      ...target(),
      mode: "hold",
      connections,
      intervalMs: EXCHANGE_MS,
      timeoutMs: 60_000,
    } as const;
    const held = startTraffic(lab.client, plan);
    await until("all are open", async () => (await held.mark()).opened === connections);
    return held;
  }

  /** How many connections had an answer within one interval, or a later one where the guest was busy. */
  async function allAnswer(held: Held): Promise<number> {
    const { alive } = await held.mark();
    let answered = 0;
    for (let round = 0; round < 10 && answered < alive; round += 1) {
      await new Promise((resolve) => setTimeout(resolve, EXCHANGE_MS + 1_000));
      answered = (await held.mark()).answered;
    }
    return answered;
  }

  /** Open connections that the kernel holds for a driver, read past the product. */
  function openAt(driver: DriverName): number {
    if (driver === "ebpf") return isInstalled(driver) ? readKernel(lab.node.id).countedFlows : 0;
    const lines = lab.node.run("cat", "/proc/net/ip_vs_conn").split("\n");
    return lines.filter((line) => line.includes("ESTABLISHED")).length;
  }

  function isInstalled(driver: DriverName): boolean {
    const file = path.join(IPVS_RECORDS, `${lab.node.id}.jsonl`);
    return existsSync(driver === "ebpf" ? pinnedMapPath(lab.node.id, "flow") : file);
  }

  /** Has the programs answer what they do not know, as if no other driver had connections. */
  function keepEverything(): void {
    const config = openMap(lab.node.id, "config");
    const [key, row] = [Buffer.alloc(4), Buffer.alloc(config.valueBytes)];
    config.lookup(key, row);
    expect(row[OTHER_DRIVER_AT]).toBe(OTHER_DRAINS);
    row[OTHER_DRIVER_AT] = 0;
    config.update(key, row);
    config.close();
  }
});

/** One pool with every member. */
function writeSnapshot(directory: string, { node, members }: Topology): void {
  const header = { nodeName: node.id, agentVersion: "0.1.0", epoch: 1, revision: "1" };
  const desired: DesiredPool = {
    uid: "0b0e7a4c-0000-4000-8000-000000000001",
    addresses: [{ ip: "*", port: PORT, protocol: "TCP" }],
    ...{ scheduler: "rr", forwarding: "nat", affinitySeconds: 0, drainSeconds: 30 },
    members: members.map(({ ip }) => {
      return { ip, port: MEMBER_PORT, weight: 1, disposition: "active", drainSeconds: 30 };
    }),
  };
  mkdirSync(directory, { recursive: true });
  const lines = [...encodeSnapshot(header, [{ desired, isFailingOpen: false }])];
  writeFileSync(path.join(directory, "last-good.jsonl"), lines.join(""));
}
