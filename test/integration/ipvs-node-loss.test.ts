import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type DesiredPool, type Driver, planOperations } from "../../src/dataplane/index.ts";
import { formatIpv4 } from "../../src/foundation/index.ts";
import type { IpvsDaemon } from "../../src/linux/index.ts";
import { closeAll, connected, poolIn, type TestFlow } from "../contract/driver-world.ts";
import type { NodeMachine } from "../lab/direct-topology.ts";
import { DIRECT_PORT, type DirectWorld, openDirectWorld } from "../lab/direct-world.ts";
import { type IpvsWorldOptions, missingForIpvs } from "../lab/ipvs-world.ts";
import { seeded } from "../lab/random.ts";
import { type Remote, remoteDriver, startRemote } from "../lab/remote.ts";

const missing = missingForIpvs();
const FLOW_COUNT = Number(process.env["PARASAUS_IPVS_FLOWS"] ?? 160);
/** So many must have gone through the node that dies. */
const LEAST_COUNT = 60;
const SEED = Number(process.env["PARASAUS_IPVS_SEED"] ?? 20261126);

/** Nine processes start, in a guest of one CPU. */
const SET_UP_MS = 300_000;
const SYNC = { device: "wire", id: 7, group: "224.0.1.81", port: 8848, ttl: 1 };

/** What became of the flows of the node that died, and of the others. */
interface Loss {
  readonly orphanCount: number;
  readonly lostCount: number;
  readonly otherCount: number;
  readonly otherLostCount: number;
}

describe.skipIf(missing)(`IPVS, two nodes with dsr, one of them dies${missing}`, () => {
  let world: DirectWorld;
  let host: Remote;
  let second: Driver;
  beforeAll(async () => {
    world = await openDirectWorld("dsr", { memberCount: 4, nodeCount: 2 });
    [host, second] = await openSecond(world);
  }, SET_UP_MS);
  afterAll(async () => {
    await host?.end();
    await world?.[Symbol.asyncDispose]();
  });

  const nodesOf = () => world.topology.nodes.map(({ namespace }) => namespace);
  const setSloppy = (value: "0" | "1") => {
    for (const node of nodesOf()) node.run("sh", "-c", `echo ${value} > /proc/sys/net/ipv4/vs/sloppy_tcp`);
  };

  /** Opens both drivers again, with connections synchronised. */
  async function synchronise(): Promise<void> {
    await world.restart([], { sync: SYNC });
    await host.end();
    [host, second] = await openSecond(world, { sync: SYNC });
  }

  async function programBoth(desired: readonly DesiredPool[]): Promise<void> {
    for (const driver of [world.driver(), second]) {
      const failures = await driver.apply(planOperations(desired, await driver.observe(), driver.nowMs()));
      expect(failures).toEqual([]);
    }
  }

  /** Opens flows over both nodes, takes the first one off the wire, and asks every flow for its member. */
  async function lose(
    scheduler: DesiredPool["scheduler"],
    prepare: () => Promise<void> = async () => undefined,
  ): Promise<Loss> {
    const pool = poolIn(world, 4, { scheduler });
    await programBoth([pool]);
    const flows: TestFlow[] = [];
    // Steps of 13 through the client's addresses, so that no order of theirs is one of members.
    for (let made = 0; made < FLOW_COUNT; made += 1)
      flows.push(await connected(world, DIRECT_PORT, world.clientIps[(made * 13) % world.clientIps.length]));
    await prepare();
    const [died, alive] = world.topology.nodes;
    if (!died || !alive) throw new Error("there are no two nodes");
    const orphans = new Set(connectionsOf(died, "LOCAL"));
    died.namespace.run("ip", "link", "set", "wire", "down");
    world.topology.routeThrough([alive]);
    try {
      const [orphaned, others] = [flows.filter(isOrphan), flows.filter((flow) => !isOrphan(flow))];
      const loss = {
        orphanCount: orphaned.length,
        lostCount: await countLost(orphaned),
        otherCount: others.length,
        otherLostCount: await countLost(others),
      };
      process.stdout.write(
        `ipvs ${scheduler} seed=${SEED}: ${loss.lostCount} of n=${loss.orphanCount} flows of the dead node lost, ${loss.otherLostCount} of n=${loss.otherCount} of the other\n`,
      );
      expect(loss.orphanCount).toBeGreaterThanOrEqual(LEAST_COUNT);
      expect(loss.otherCount).toBeGreaterThan(0);
      expect(loss.otherLostCount).toBe(0);
      return loss;
    } finally {
      died.namespace.run("ip", "link", "set", "wire", "up");
      died.namespace.run("ip", "route", "replace", "default", "via", "10.91.0.1");
      world.topology.routeThrough(world.topology.nodes);
      await closeAll(flows);
      for (const driver of [world.driver(), second]) {
        await driver.apply([{ kind: "remove", uid: pool.uid }]);
        await driver.maintain();
      }
    }

    function isOrphan({ tuple }: TestFlow): boolean {
      return orphans.has(`${tuple.clientIp}:${tuple.clientPort}`);
    }
  }

  it("with mh the other node takes over every flow", async () => {
    expect(await lose("mh")).toMatchObject({ lostCount: 0 });
  });

  it("with sh the other node takes over every flow", async () => {
    expect(await lose("sh")).toMatchObject({ lostCount: 0 });
  });

  it("control: with rr the other node asks members that do not know the flows", async () => {
    const { lostCount, orphanCount } = await lose("rr", async () => setSloppy("1"));
    expect(lostCount / orphanCount).toBeGreaterThan(0.3);
  });

  it("control: without sloppy_tcp the other node takes over none", async () => {
    const { lostCount, orphanCount } = await lose("mh", async () => setSloppy("0"));
    expect(lostCount / orphanCount).toBeGreaterThan(0.3);
  });

  it("control: with wlc the other node knows no flow", async () => {
    const { lostCount, orphanCount } = await lose("wlc");
    expect(lostCount / orphanCount).toBeGreaterThan(0.3);
  });

  it("with wlc and synchronised connections the other node takes over every flow", async () => {
    await synchronise();
    const [died, alive] = world.topology.nodes;
    const loss = await lose("wlc", () =>
      until(() => {
        const known = new Set(alive ? connectionsOf(alive, "SYNC") : []);
        const local = died ? connectionsOf(died, "LOCAL") : [];
        return local.length > 0 && local.every((client) => known.has(client));
      }),
    );
    expect(loss).toMatchObject({ lostCount: 0 });
  });

  it("starts the kernel's daemons anew where somebody stopped one, and uninstall ends them", async () => {
    const table = await startRemote(world.topology.node, "ipvs-host.ts");
    const states = async () =>
      ((await table.call("daemons")) as IpvsDaemon[]).map(({ state, syncId }) => `${state} ${syncId}`).sort();
    expect(await states()).toEqual(["backup 7", "master 7"]);
    await table.call("stopDaemon", "backup");
    expect(await states()).toEqual(["master 7"]);
    await world.driver().observe();
    expect(await states()).toEqual(["backup 7", "master 7"]);
    expect(await world.host().call("uninstall")).toBe(true);
    expect(await states()).toEqual([]);
    await table.end();
  });
});

async function openSecond(
  world: DirectWorld,
  change: Partial<IpvsWorldOptions> = {},
): Promise<[Remote, Driver]> {
  const [, machine] = world.topology.nodes;
  if (!machine) throw new Error("there is no second node");
  const options = { ...world.options, ...change, node: `${world.options.node}-second` };
  const host = await startRemote(machine.namespace, "driver-host.ts", [JSON.stringify(options)]);
  const driver = await remoteDriver(host);
  await driver.setNodeAddresses([world.nodeIp]);
  return [host, driver];
}

/** Clients whose connections a node has seen the start of (LOCAL), or been told of (SYNC). */
function connectionsOf({ namespace }: NodeMachine, origin: "LOCAL" | "SYNC"): readonly string[] {
  const lines = namespace.run("cat", "/proc/net/ip_vs_conn_sync").split("\n");
  return lines.flatMap((line) => {
    const [protocol, ip = "", port = "", , , , , , from] = line.trim().split(/\s+/);
    if (protocol !== "TCP" || from !== origin) return [];
    return [`${formatIpv4(Number.parseInt(ip, 16))}:${Number.parseInt(port, 16)}`];
  });
}

/** Those that do not hear from their member any more. */
/** In an order of its own: in that in which they came, rr would begin anew with the right member one time in four. */
async function countLost(flows: readonly TestFlow[]): Promise<number> {
  let lostCount = 0;
  for (const flow of seeded(SEED).shuffle(flows)) if ((await flow.exchange()) !== flow.member) lostCount += 1;
  return lostCount;
}

async function until(isTrue: () => boolean): Promise<void> {
  const endMs = performance.now() + 60_000;
  while (!isTrue()) {
    if (performance.now() > endMs) throw new Error("nothing came of it in a minute");
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}
