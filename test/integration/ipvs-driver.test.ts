import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type DesiredPool, planOperations } from "../../src/dataplane/index.ts";
import {
  closeAll,
  connected,
  connectTimes,
  placesOf,
  poolIn,
  program,
  withMember,
} from "../contract/driver-world.ts";
import { ONE_FLOW } from "../lab/datagrams.ts";
import { CLIENT_IPV6, joinByIpv6, memberIpv6 } from "../lab/ipvs-ipv6.ts";
import { type IpvsWorld, missingForIpvs, missingForMasquerading, openIpvsWorld } from "../lab/ipvs-world.ts";
import { labProgram, linesOf, nextLine, startTraffic } from "../lab/traffic.ts";

const missing = missingForIpvs();
const canMasquerade = missingForMasquerading() === "";
const KILLS = Number(process.env["PARASAUS_IPVS_KILLS"] ?? 3);
const REQUESTS = Number(process.env["PARASAUS_IPVS_REQUESTS"] ?? 500);
const SETTINGS = "/proc/sys/net/ipv4";

describe.skipIf(missing)(`IPVS driver${missing}`, () => {
  let world: IpvsWorld;
  const poolOf = (count: number, change: Partial<DesiredPool> = {}) =>
    poolIn(world, count, { forwarding: "nat", ...change });
  const ask = (method: string) => world.host().call(method);
  const readSetting = (name: string) => world.topology.node.run("cat", `${SETTINGS}/${name}`).trim();
  beforeAll(async () => {
    world = await openIpvsWorld();
  });
  beforeEach(async () => {
    const driver = world.driver();
    const pools = await driver.observe();
    await driver.apply(pools.map(({ uid }) => ({ kind: "remove", uid })));
    await driver.maintain();
  });
  afterAll(() => world?.[Symbol.asyncDispose]());

  it("writes nothing when it is started again and nothing has changed, also after a kill", async () => {
    const pool = withMember(poolOf(3, { scheduler: "wrr" }), 0, { weight: 3 });
    await program(world, pool);
    expect(await ask("writeCount")).toBeGreaterThan(0);
    for (const restart of [world.restart, world.reopen]) {
      await restart();
      await program(world, pool);
      await world.driver().maintain();
      await world.driver().readCounters();
      expect(await ask("writeCount")).toBe(0);
    }
  });

  it("leaves a service alone that somebody else made, names it, and refuses the pool that wants its address", async () => {
    const foreign = world.topology.node.start(
      labProgram("ipvs-service.ts", world.nodeIp, "30001", "192.0.2.99"),
    );
    await nextLine(linesOf(foreign), foreign);
    const before = world.topology.node.run("cat", "/proc/net/ip_vs");
    await world.driver().observe();
    expect(await ask("foreignServices")).toEqual([`TCP ${world.nodeIp}:30001`]);
    const other = poolOf(1, {
      uid: "0b0e7a4c-0000-4000-8000-000000000002",
      addresses: [{ ip: "*", port: 30002, protocol: "TCP" }],
    });
    const failures = await world
      .driver()
      .apply(planOperations([poolOf(2), other], [], world.driver().nowMs()));
    expect(failures).toMatchObject([{ message: expect.stringContaining(`TCP ${world.nodeIp}:30001`) }]);
    await closeAll([await connected(world, 30002)]);
    await world.driver().apply([{ kind: "remove", uid: other.uid }]);
    expect(world.topology.node.run("cat", "/proc/net/ip_vs")).toBe(before);
    foreign.stdin?.end();
    await new Promise((resolve) => foreign.once("exit", resolve));
  });

  it("takes over a running service with its flows when the operator says so, and writes nothing for it", async () => {
    const { node } = world.topology;
    const place = `${world.nodeIp}:30001`;
    node.run("ipvsadm", "-A", "-t", place, "-s", "rr");
    for (const member of placesOf(world).slice(0, 2))
      node.run("ipvsadm", "-a", "-t", place, "-r", member, "-m", "-w", "1");
    const flows = await connectTimes(world, 4);
    const install = planOperations([poolOf(2)], [], world.driver().nowMs());
    expect(await world.driver().apply(install)).toMatchObject([
      { message: expect.stringMatching(/Parasaus did not make$/) },
    ]);
    const writes = await ask("writeCount");
    expect(await ask("allowAdoption")).toEqual([`TCP ${place}`]);
    expect(await world.driver().apply(install)).toEqual([]);
    expect([await ask("writeCount"), await ask("foreignServices")]).toEqual([writes, []]);
    for (const flow of flows) expect(await flow.exchange()).toBe(flow.member);
    await program(world, poolOf(3));
    for (const flow of flows) expect(await flow.exchange()).toBe(flow.member);
    await closeAll(flows);
  });

  it("serves an address that is none of the node's, without putting it on a device", async () => {
    const pool = poolOf(2, { addresses: [{ ip: "198.51.100.7", port: 80, protocol: "TCP" }] });
    const routes = () => world.topology.node.run("ip", "route", "show", "table", "local", "198.51.100.7");
    expect(routes()).toBe("");
    await program(world, pool);
    expect(routes()).toContain("198.51.100.7");
    const { client } = world.topology;
    const plan = { host: "198.51.100.7", port: 80, sources: world.clientIps };
    const report = await startTraffic(client, {
      ...plan,
      mode: "requests",
      total: 20,
      concurrency: 2,
    }).finished();
    expect([report.succeeded, report.failures]).toEqual([20, {}]);
    await world.driver().apply([{ kind: "remove", uid: pool.uid }]);
    expect(routes()).toBe("");
  });

  it("sets the kernel as its promises need it, and again when somebody changes that", async () => {
    await program(world, poolOf(2, { scheduler: "mh" }));
    const names = ["vs/expire_nodest_conn", "vs/conn_reuse_mode", "vs/sloppy_tcp", "ip_forward"];
    const values = () => names.map(readSetting);
    expect(values()).toEqual(["1", "1", "1", "1"]);
    for (const name of names) world.topology.node.run("sh", "-c", `echo 0 > ${SETTINGS}/${name}`);
    expect(values()).toEqual(["0", "0", "0", "0"]);
    await world.driver().observe();
    expect(values()).toEqual(["1", "1", "1", "1"]);
    await program(world, poolOf(2));
    expect(readSetting("vs/sloppy_tcp")).toBe("0");
  });

  it("repairs what a flush took away, and flows go on", async () => {
    const pool = poolOf(2);
    await program(world, pool);
    const flows = await connectTimes(world, 2);
    const flush = world.topology.node.start(labProgram("ipvs-service.ts", "flush"));
    await nextLine(linesOf(flush), flush);
    expect(await world.connect(30001)).toBe("reset");
    await program(world, pool);
    const later = await connectTimes(world, 2);
    expect(later.map(({ member }) => member).sort()).toEqual(placesOf(world).slice(0, 2));
    await closeAll([...flows, ...later]);
  });

  it.skipIf(canMasquerade)("refuses a pool with fullnat by name, and serves the others", async () => {
    const other = poolOf(1, {
      uid: "0b0e7a4c-0000-4000-8000-000000000002",
      addresses: [{ ip: "*", port: 30002, protocol: "TCP" }],
    });
    const wanted = [poolOf(2, { forwarding: "fullnat" }), other];
    const failures = await world.driver().apply(planOperations(wanted, [], world.driver().nowMs()));
    expect(failures).toMatchObject([
      { uid: poolOf(1).uid, code: "KernelUnsupported", message: expect.stringContaining("fullnat") },
    ]);
    expect(await world.connect(30001)).toBe("reset");
    await closeAll([await connected(world, 30002)]);
  });

  it("moves UDP flows of a member that leaves at once", async () => {
    const addresses = [{ ip: "*", port: 30005, protocol: "UDP" as const }];
    const members = poolOf(2).members.map((member) => ({ ...member, port: 8081 }));
    await program(world, poolOf(2, { addresses, members }));
    const ask = () =>
      world.topology.client.run(process.execPath, "-e", DATAGRAMS, world.nodeIp, "30005").trim().split(" ");
    const before = ask();
    expect([...new Set(before)].sort()).toEqual(["m1", "m2"]);
    await program(world, poolOf(2, { addresses, members: members.slice(1) }));
    await world.driver().maintain();
    expect([...new Set(ask())]).toEqual(["m2"]);
  });

  it("sends each datagram of a flow to another member with one-packet scheduling, and keeps none in mind", async () => {
    const addresses = [{ ip: "*", port: 30006, protocol: "UDP" as const }];
    const members = poolOf(2).members.map((member) => ({ ...member, port: 8081 }));
    const pool = poolOf(2, { addresses, members });
    const send = () =>
      countWords(world.topology.client.run(process.execPath, "-e", ONE_FLOW, world.nodeIp, "30006"));
    await program(world, pool);
    const together = send();
    expect(Object.values(together)).toEqual([20]);
    expect(Object.keys(together)[0]).toContain(`@${world.nodeIp}`);
    expect(await world.driver().listFlows(pool.uid, 100)).toHaveLength(1);
    await program(world, { ...pool, isOnePacket: true });
    const flowsBefore = await world.driver().listFlows(pool.uid, 100);
    const [first, second] = world.topology.members;
    // The kernel keeps nothing that would give an answer the address that was asked.
    expect(send()).toEqual({ [`m1@${first?.ip}`]: 10, [`m2@${second?.ip}`]: 10 });
    expect(await world.driver().listFlows(pool.uid, 100)).toHaveLength(flowsBefore.length);
    expect(await world.driver().observe()).toMatchObject([{ uid: pool.uid, isOnePacket: true }]);
  });

  it("balances SCTP associations, and leaves one alone whose member takes no new ones", async () => {
    const { client, members: machines } = world.topology;
    client.run("modprobe", "sctp");
    for (const { namespace, name, ip } of machines.slice(0, 2))
      namespace.start(["socat", `SCTP4-LISTEN:8082,bind=${ip},fork,reuseaddr`, `SYSTEM:${ANSWERS(name)}`]);
    for (const { namespace } of machines.slice(0, 2))
      await until(async () => namespace.run("cat", "/proc/net/sctp/eps").includes(" 8082 "));
    const addresses = [{ ip: "*", port: 30007, protocol: "SCTP" as const }];
    const members = poolOf(2).members.map((member) => ({ ...member, port: 8082 }));
    const pool = poolOf(2, { addresses, members });
    await program(world, pool);
    const associate = async () => {
      const source = `bind=${world.clientIps[0]}`;
      const child = client.start(["socat", "-t5", "-", `SCTP4-CONNECT:${world.nodeIp}:30007,${source}`]);
      const lines = linesOf(child);
      const exchange = async () => {
        child.stdin?.write("x\n");
        return await nextLine(lines, child);
      };
      return { child, exchange, member: await exchange() };
    };
    const first = await associate();
    const second = await associate();
    expect([first.member, second.member].sort()).toEqual(["m1", "m2"]);
    const flows = await world.driver().listFlows(pool.uid, 100);
    expect(flows.map(({ flow, state }) => `${flow.protocol} ${state}`)).toEqual([
      "SCTP established",
      "SCTP established",
    ]);
    const at = machines.findIndex(({ name }) => name === first.member);
    await program(world, withMember(pool, at, { disposition: "paused" }));
    const third = await associate();
    expect([third.member, await third.exchange()]).toEqual([second.member, second.member]);
    expect(await first.exchange()).toBe(first.member);
    for (const { child } of [first, second, third]) {
      child.stdin?.end();
      await new Promise((resolve) => child.once("exit", resolve));
    }
  });

  it(`costs none of ${REQUESTS} connections while it is killed ${KILLS} times and changes its pool under load`, async () => {
    await program(world, poolOf(3));
    const { client, clientIps: sources } = world.topology;
    const target = { host: world.nodeIp, port: 30001, sources };
    const requests = startTraffic(client, { ...target, mode: "requests", concurrency: 8 });
    const held = startTraffic(client, { ...target, mode: "hold", connections: 20 });
    await until(async () => (await held.mark()).opened === 20);
    for (let round = 0; round < KILLS; round += 1) {
      const before = (await requests.mark()).succeeded;
      await world.reopen();
      await program(world, poolOf(3 + (round % 2)));
      await program(world, withMember(poolOf(4), round % 4, { weight: 0 }));
      await program(world, withMember(poolOf(4), round % 4, { disposition: "paused" }));
      await world.driver().maintain();
      await until(async () => (await requests.mark()).succeeded > before + 10);
    }
    await until(async () => (await requests.mark()).started >= REQUESTS, 1_200_000);
    const report = await requests.stop();
    const kept = await held.mark();
    await held.stop();
    process.stdout.write(
      `ipvs: ${KILLS} kills, ${3 * KILLS} changes under load: n=${report.started} failures=${JSON.stringify(report.failures)}, ${kept.alive} of 20 held\n`,
    );
    expect(report.failures).toEqual({});
    expect(Object.keys(report.members).sort()).toEqual(["m1", "m2", "m3", "m4"]);
    expect([kept.alive, kept.moved, kept.resets, kept.timeouts]).toEqual([20, 0, 0, 0]);
  });

  it("control: requests fail when a service goes while they come", async () => {
    await program(world, poolOf(3));
    const { client, clientIps: sources } = world.topology;
    const target = { host: world.nodeIp, port: 30001, sources };
    const requests = startTraffic(client, { ...target, mode: "requests", concurrency: 4, paceMs: 5 });
    await until(async () => (await requests.mark()).succeeded > 20);
    await world.driver().apply([{ kind: "remove", uid: poolOf(1).uid }]);
    await until(async () => Object.keys((await requests.mark()).failures).length > 0);
    expect(Object.keys((await requests.stop()).failures)).toContain("ECONNREFUSED");
  });

  it("balances IPv6, on an address that is on no device, and keeps flows over a change", async () => {
    const { node, client, members: machines } = world.topology;
    const port = 8090;
    await joinByIpv6(world, port);
    const ip = "2001:db8:7::80";
    const members = poolOf(2).members.map((member, index) => ({
      ...member,
      ip: memberIpv6(index + 1),
      port,
    }));
    const pool = poolOf(2, { addresses: [{ ip, port: 80, protocol: "TCP" }], members, drainSeconds: 600 });
    const routes = () => node.run("ip", "-6", "route", "show", "table", "local", ip);
    const target = { host: ip, port: 80, sources: [CLIENT_IPV6] };
    const request = (total: number) =>
      startTraffic(client, { ...target, mode: "requests", total, concurrency: 1 }).finished();
    expect([routes(), (await request(1)).succeeded]).toEqual(["", 0]);
    await program(world, pool);
    expect(routes()).toContain(ip);
    const { succeeded, failures, members: answered } = await request(20);
    expect([succeeded, failures, answered]).toEqual([20, {}, { m1: 10, m2: 10 }]);
    const held = startTraffic(client, { ...target, mode: "hold", connections: 4 });
    await until(async () => (await held.mark()).opened === 4);
    const flows = (await world.driver().listFlows(pool.uid, 100)).filter(
      ({ state }) => state === "established",
    );
    expect(flows.map(({ flow }) => [flow.clientIp, flow.ip])).toEqual(
      Array.from({ length: 4 }, () => [CLIENT_IPV6, ip]),
    );
    await program(world, { ...pool, members: members.slice(1) });
    expect((await request(10)).members).toEqual({ m2: 10 });
    const kept = await held.mark();
    await held.stop();
    expect([kept.alive, kept.moved, kept.resets, kept.members]).toEqual([4, 0, 0, { m1: 2, m2: 2 }]);
    await world.reopen();
    await program(world, { ...pool, members: members.slice(1) });
    expect(await ask("writeCount")).toBe(0);
    await world.driver().apply([{ kind: "remove", uid: pool.uid }]);
    expect(routes()).toBe("");
    expect(machines.length).toBeGreaterThan(1);
  });

  it("takes out what it put there and nothing else, and sets the kernel back", async () => {
    await world.restart();
    await program(
      world,
      poolOf(2),
      poolOf(1, {
        uid: "0b0e7a4c-0000-4000-8000-000000000003",
        addresses: [{ ip: "198.51.100.8", port: 80, protocol: "TCP" }],
      }),
    );
    expect(await ask("uninstall")).toBe(true);
    expect(world.topology.node.run("cat", "/proc/net/ip_vs")).not.toContain("TCP");
    expect(world.topology.node.run("ip", "route", "show", "table", "local", "198.51.100.8")).toBe("");
    expect(readSetting("vs/expire_nodest_conn")).toBe("0");
    expect(await ask("uninstall")).toBe(false);
    await world.restart();
  });
});

/** A member that answers each line with its name. */
const ANSWERS = (name: string) => `while read -r line; do echo ${name}; done`;

function countWords(text: string): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const word of text.trim().split(" ")) counts[word] = (counts[word] ?? 0) + 1;
  return counts;
}

/** Asks from twenty ports and prints who answered. */
const DATAGRAMS = `
const dgram = require("dgram");
const [ip, port] = process.argv.slice(1);
const asked = Array.from({ length: 20 }, () => new Promise((resolve) => {
  const socket = dgram.createSocket("udp4");
  socket.on("message", (bytes) => { socket.close(); resolve(String(bytes).trim()); });
  socket.send("x", Number(port), ip);
  setTimeout(resolve, 5000, "silent");
}));
Promise.all(asked).then((names) => { console.log(names.join(" ")); process.exit(0); });`;

async function until(isTrue: () => Promise<boolean>, timeoutMs = 60_000): Promise<void> {
  const endMs = performance.now() + timeoutMs;
  while (!(await isTrue())) {
    if (performance.now() > endMs) throw new Error(`nothing came of it in ${timeoutMs / 1000} s`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
