import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { DesiredPool } from "../../src/dataplane/index.ts";
import { closeAll, connected, connectTimes, poolIn, program } from "../contract/driver-world.ts";
import { ONE_FLOW } from "../lab/datagrams.ts";
import { DIRECT_IPV6_PORT, type DirectIpv6, joinDirectByIpv6 } from "../lab/direct-ipv6.ts";
import { DIRECT_PORT, type DirectWorld, openDirectWorld } from "../lab/direct-world.ts";
import { missingForIpvs } from "../lab/ipvs-world.ts";
import { linesOf, nextLine, startTraffic } from "../lab/traffic.ts";

const missing = missingForIpvs();
const GUE_PORT = 6080;

/** Members that take packets as they are, in IPIP, and in GUE: one world for all. */
describe.skipIf(missing)(`IPVS past the node, in every way${missing}`, () => {
  let world: DirectWorld;
  beforeAll(async () => {
    world = await openDirectWorld("tunnel", { memberCount: 2 });
  });
  beforeEach(async () => {
    const driver = world.driver();
    const pools = await driver.observe();
    await driver.apply(pools.map(({ uid }) => ({ kind: "remove", uid })));
    await driver.maintain();
  });
  afterAll(() => world?.[Symbol.asyncDispose]());

  const members = () => world.topology.members.map(({ namespace }) => namespace);
  const poolOf = (change: Partial<DesiredPool>) => poolIn(world, 2, change);
  /** Datagrams that each member has taken so far. */
  const datagramsIn = () =>
    members().map((namespace) => {
      const [, line = ""] = /^Udp: (\d.*)$/m.exec(namespace.run("cat", "/proc/net/snmp")) ?? [];
      return Number(line.split(" ")[0]);
    });

  it("wraps packets in GUE to the port that the pool names, and changes from IPIP and back", async () => {
    world.topology.client.run("modprobe", "fou");
    for (const namespace of members()) namespace.run("ip", "fou", "add", "port", String(GUE_PORT), "gue");
    const addresses = [{ ip: "*", port: DIRECT_PORT, protocol: "TCP" as const }];
    const pools = [undefined, GUE_PORT, undefined].map((guePort) =>
      poolOf({ forwarding: "tunnel", addresses, ...(guePort === undefined ? {} : { guePort }) }),
    );
    const received: number[] = [];
    for (const pool of pools) {
      await program(world, pool);
      const before = datagramsIn();
      const flows = await connectTimes(world, 4);
      for (const flow of flows) expect(await flow.exchange()).toBe(flow.member);
      expect(new Set(flows.map(({ member }) => member)).size).toBe(2);
      await closeAll(flows);
      received.push(...datagramsIn().map((count, index) => count - (before[index] ?? 0)));
    }
    const [, , one, other] = received;
    expect(received).toEqual([0, 0, one, other, 0, 0]);
    // SYN, ACK, two questions and their ACKs, FIN, of two connections each.
    expect(Math.min(one ?? 0, other ?? 0)).toBeGreaterThanOrEqual(10);
  });

  it("finds a GUE tunnel again after a kill, and repairs one that somebody made another", async () => {
    const pool = poolOf({ forwarding: "tunnel", guePort: GUE_PORT });
    await program(world, pool);
    await world.reopen();
    await program(world, pool);
    expect(await world.host().call("writeCount")).toBe(0);
    const table = () => world.topology.node.run("ipvsadm", "-Ln", "--tun-info");
    expect(table().match(/gue/g)).toHaveLength(2);
    const [member] = pool.members;
    const place = [`${world.nodeIp}:${DIRECT_PORT}`, `${member?.ip}:${DIRECT_PORT}`];
    world.topology.node.run("ipvsadm", "-e", "-t", place[0] ?? "", "-r", place[1] ?? "", "-i");
    expect(table().match(/gue/g), "the fault happened").toHaveLength(1);
    // The kernel's listing does not tell the kind of a tunnel: a new process reads everything.
    await world.reopen();
    await program(world, pool);
    expect(table().match(/gue/g)).toHaveLength(2);
  });

  for (const mode of ["dsr", "tunnel"] as const) {
    it(`passes SCTP on with ${mode}`, async () => {
      const { client, members: machines } = world.topology;
      client.run("modprobe", "sctp");
      const port = mode === "dsr" ? 8092 : 8093;
      for (const { namespace, name } of machines)
        namespace.start([
          "socat",
          `SCTP4-LISTEN:${port},bind=${world.nodeIp},fork,reuseaddr`,
          `SYSTEM:while read -r line; do echo ${name}; done`,
        ]);
      for (const { namespace } of machines)
        await until(async () => namespace.run("cat", "/proc/net/sctp/eps").includes(` ${port} `));
      const addresses = [{ ip: "*", port, protocol: "SCTP" as const }];
      const own = poolOf({}).members.map((member) => ({ ...member, port }));
      await program(world, poolOf({ forwarding: mode, addresses, members: own }));
      const names: string[] = [];
      for (const _turn of [1, 2]) {
        const source = `bind=${world.clientIps[0]}`;
        const child = client.start(["socat", "-t5", "-", `SCTP4-CONNECT:${world.nodeIp}:${port},${source}`]);
        const lines = linesOf(child);
        child.stdin?.write("x\n");
        names.push(await nextLine(lines, child));
        child.stdin?.end();
        await new Promise((resolve) => child.once("exit", resolve));
      }
      expect(names.sort()).toEqual(["m1", "m2"]);
    });

    it(`schedules datagrams one by one with ${mode}, and their answers come from the connect address`, async () => {
      const addresses = [{ ip: "*", port: DIRECT_PORT, protocol: "UDP" as const }];
      const askTwentyTimes = () =>
        world.topology.client.run(process.execPath, "-e", ONE_FLOW, world.nodeIp, String(DIRECT_PORT));
      await program(world, poolOf({ forwarding: mode, addresses, isOnePacket: true }));
      const spread = askTwentyTimes().trim().split(" ");
      expect(spread).toHaveLength(20);
      expect(new Set(spread)).toEqual(new Set([`m1@${world.nodeIp}`, `m2@${world.nodeIp}`]));
      await program(world, poolOf({ forwarding: mode, addresses }));
      const together = new Set(askTwentyTimes().trim().split(" "));
      expect(together.size, "control: a flow stays together").toBe(1);
    });
  }

  describe("over IPv6", () => {
    let ipv6: DirectIpv6;
    beforeAll(async () => {
      ipv6 = await joinDirectByIpv6(world.topology);
    });

    it.each<Partial<DesiredPool>>([
      { forwarding: "dsr" },
      { forwarding: "tunnel" },
      { forwarding: "tunnel", guePort: GUE_PORT },
    ])("brings packets to members that answer past the node: %o", async (mode) => {
      const { node, client } = world.topology;
      client.run("modprobe", "fou6");
      if (mode.guePort !== undefined)
        for (const namespace of members())
          namespace.run("ip", "-6", "fou", "add", "port", String(GUE_PORT), "gue");
      const { serviceIp, clientIp, memberIps } = ipv6;
      const target = { host: serviceIp, port: DIRECT_IPV6_PORT, sources: [clientIp] };
      const request = (total: number) =>
        startTraffic(client, { ...target, mode: "requests", total, concurrency: 1 }).finished();
      const pool = poolOf({
        ...mode,
        addresses: [{ ip: serviceIp, port: DIRECT_IPV6_PORT, protocol: "TCP" }],
        members: poolOf({}).members.map((member, index) => ({
          ...member,
          ip: memberIps[index] ?? "",
          port: DIRECT_IPV6_PORT,
        })),
      });
      await program(world, pool);
      // Whatever the node would pass on that members sent from the service's address goes nowhere.
      node.run("ip", "-6", "rule", "add", "pref", "10", "from", serviceIp, "blackhole");
      try {
        const { succeeded, failures, members: answered } = await request(10);
        expect([succeeded, failures, answered]).toEqual([10, {}, { m1: 5, m2: 5 }]);
      } finally {
        node.run("ip", "-6", "rule", "del", "pref", "10");
      }
      await world.driver().apply([{ kind: "remove", uid: pool.uid }]);
      await world.driver().maintain();
      expect((await request(1)).succeeded, "control: without the pool").toBe(0);
    });
  });

  it("control: a pool of another member's kind of tunnel is not heard", async () => {
    const pool = poolOf({ forwarding: "tunnel", guePort: GUE_PORT + 1 });
    await program(world, pool);
    const before = datagramsIn();
    const flow = await world.connect(DIRECT_PORT);
    expect(flow).toBe("reset");
    expect(datagramsIn()).toEqual(before);
    await program(world, poolOf({ forwarding: "tunnel", guePort: GUE_PORT }));
    await closeAll([await connected(world, DIRECT_PORT)]);
  });
});

async function until(isTrue: () => Promise<boolean>, timeoutMs = 60_000): Promise<void> {
  const endMs = performance.now() + timeoutMs;
  while (!(await isTrue())) {
    if (performance.now() > endMs) throw new Error(`nothing came of it in ${timeoutMs / 1000} s`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
