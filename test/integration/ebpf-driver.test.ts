import { execFileSync } from "node:child_process";
import { mkdirSync, rmdirSync } from "node:fs";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { uninstallEbpf } from "../../src/dataplane/ebpf/index.ts";
import { LAYOUT, MEMBER_STATE } from "../../src/dataplane/ebpf/layout.ts";
import { findCgroup2Root, openPinnedMap } from "../../src/linux/index.ts";
import {
  closeAll,
  connected,
  connectTimes,
  placesOf,
  poolIn,
  program,
  withMember,
} from "../contract/driver-world.ts";
import { type EbpfWorld, missingForEbpf, openEbpfWorld } from "../lab/ebpf-world.ts";
import { connectFlow } from "../lab/forwarding-world.ts";
import { startRemote } from "../lab/remote.ts";
import { startMember } from "../lab/traffic.ts";

const missing = missingForEbpf();

describe.skipIf(missing)(`eBPF driver over real packets${missing}`, () => {
  let world: EbpfWorld;
  const cgroup = `${findCgroup2Root()}/paratest-${process.pid}`;
  beforeAll(async () => {
    mkdirSync(cgroup, { recursive: true });
    world = await openEbpfWorld({ localClients: "host", cgroupRoot: cgroup });
  });
  beforeEach(async () => {
    const driver = world.driver();
    await driver.apply((await driver.observe()).map(({ uid }) => ({ kind: "remove", uid })));
    await driver.maintain();
  });
  afterAll(async () => {
    await world?.[Symbol.asyncDispose]();
    rmdirSync(cgroup);
  });

  it("resets both ends of a cut flow without waiting for a packet of theirs", async () => {
    const pool = poolIn(world, 1);
    await program(world, pool);
    const flows = await connectTimes(world, 3);
    const [machine] = world.topology.members;
    const established = (name: "client" | "member") =>
      (name === "client" ? world.topology.client : machine?.namespace)
        ?.run("ss", "-Htn", "state", "established")
        .split("\n")
        .filter((line) => line.includes(name === "client" ? ":30001" : ":8080")).length;
    expect([established("client"), established("member")]).toEqual([3, 3]);
    await program(world, withMember(pool, 0, { disposition: "cut" }));
    expect((await world.driver().maintain()).cutCount).toBe(3);
    expect([established("client"), established("member")]).toEqual([0, 0]);
    for (const flow of flows) expect(await flow.exchange()).toBe("reset");
  });

  it("keeps the client's address with nat, and hides it with fullnat", async () => {
    for (const forwarding of ["nat", "fullnat"] as const) {
      await program(world, poolIn(world, 2, { forwarding }));
      const flow = await connected(world);
      const explained = await world.driver().explain(flow.tuple);
      expect(explained?.state).toBe("established");
      expect(explained?.translatedSource === undefined).toBe(forwarding === "nat");
      await flow.close();
    }
  });

  it("forwards UDP by flow", async () => {
    const members = placesOf(world).map((place) => ({
      ip: place.split(":")[0] ?? "",
      port: 8081,
      weight: 1,
      disposition: "active" as const,
      drainSeconds: 0,
    }));
    for (const forwarding of ["nat", "fullnat"] as const) {
      const addresses = [{ ip: "*", port: 30053, protocol: "UDP" as const }];
      await program(world, poolIn(world, 4, { addresses, members, forwarding }));
      const answers = ask(world, 30053, 8);
      expect(answers.map((lines) => new Set(lines).size)).toEqual(Array.from({ length: 8 }, () => 1));
      expect(new Set(answers.flat()).size).toBe(4);
    }
  });

  it("serves a device that appears later", async () => {
    await program(world, poolIn(world, 2));
    await using extra = makeLateClient(world);
    await world.driver().setNodeAddresses([world.nodeIp, "10.79.0.1"]);
    const client = await startRemote(extra.namespace, "flow-client.ts");
    let flow = await connectFlow(client, "10.79.0.1", 30001, undefined, String);
    for (let tries = 0; flow === "reset" && tries < 20; tries += 1) {
      await world.wait(50);
      flow = await connectFlow(client, "10.79.0.1", 30001, undefined, String);
    }
    expect(flow).toMatchObject({ member: expect.stringMatching(/^m[12]$/) });
  });

  it("serves a member on the node itself", async () => {
    const node = { namespace: world.topology.node, ip: "10.78.1.1", name: "own" };
    await startMember(node, 8090, 8091);
    const pool = poolIn(world, 1);
    const own = { ip: node.ip, port: 8090, weight: 1, disposition: "active" as const, drainSeconds: 0 };
    for (const forwarding of ["fullnat", "nat"] as const) {
      await program(world, { ...pool, forwarding, members: [own] });
      const flow = await connected(world);
      expect(flow.member).toBe("own");
      await program(world, { ...pool, forwarding, members: [{ ...own, disposition: "cut" }] });
      await world.driver().maintain();
      expect(await flow.exchange()).toBe("reset");
      const left = world.topology.node.run("ss", "-Htn", "state", "established", "sport", "=", ":8090");
      expect(left.trim()).toBe("");
    }
  });

  it("connects clients on the node straight to a member, and cuts them with it", async () => {
    const pool = poolIn(world, 2);
    await program(world, pool);
    const join = ["sh", "-c", `echo $$ > ${cgroup}/cgroup.procs; exec "$@"`, "sh"];
    const local = await startRemote(world.topology.node, "flow-client.ts", [], join);
    const names = new Map(world.topology.members.map(({ name, ip }) => [name, `${ip}:8080`]));
    const dial = (ip: string) =>
      connectFlow(local, ip, 30001, undefined, (answer) => names.get(String(answer)) ?? String(answer));
    const flows = [await dial("127.0.0.1"), await dial("127.0.0.1"), await dial(world.nodeIp)];
    const open = flows.flatMap((flow) => (flow === "reset" ? [] : [flow]));
    expect(new Set(open.map((flow) => flow.member))).toEqual(new Set(placesOf(world).slice(0, 2)));
    const counters = await world.driver().readCounters();
    expect(counters.members.map(({ activeConnections }) => activeConnections).sort()).toEqual([1, 2]);
    for (const { tuple, member } of open) {
      const explained = await world.driver().explain(tuple);
      expect(explained).toMatchObject({ state: "local", poolUid: pool.uid, flow: tuple });
      expect(`${explained?.memberIp}:${explained?.memberPort}`).toBe(member);
    }
    await program(world, withMember(pool, 0, { disposition: "cut" }));
    await world.driver().maintain();
    const [cut] = placesOf(world);
    for (const flow of open) expect(await flow.exchange()).toBe(flow.member === cut ? "reset" : flow.member);
    await closeAll(open);
    const after = await world.driver().readCounters();
    expect(after.members.map(({ activeConnections }) => activeConnections)).toEqual([0, 0]);
    await local.end();
  });

  it("refuses what does not fit by name, and programs the rest", async () => {
    const members = Array.from({ length: 1025 }, (_, index) => ({
      ip: `10.200.${index >> 8}.${index & 255}`,
      port: 80,
      weight: 1,
      disposition: "active" as const,
    }));
    const small = `${world.options.node}-small`;
    await world.restart([], {
      node: small,
      capacities: { memberCount: 8, poolCount: 3, slotCount: 300 },
    });
    const pools = ["sh", "rr", "rr", "rr", "rr", "rr"].map((scheduler, index) => ({
      uid: `0b0e7a4c-0000-4000-8000-00000000010${index}`,
      addresses: [{ ip: "*", port: 31000 + index, protocol: "TCP" as const }],
      scheduler: scheduler as "sh" | "rr",
      forwarding: "fullnat" as const,
      affinitySeconds: 0,
      members: members.slice(index * 3, index * 3 + 3),
    }));
    const failures = await world.driver().apply(pools.map((pool) => ({ kind: "install", pool })));
    expect(failures.map(({ code }) => code)).toEqual(failures.map(() => "CapacityExceeded"));
    const held = await world.driver().observe();
    expect(held.filter(({ addresses }) => addresses.length > 0).length + failures.length).toBe(6);
    expect(failures.length).toBeGreaterThan(0);
    await world.host().end();
    uninstallEbpf({ node: small });
    await world.restart();
  });

  it("counts loads exactly, and repairs one that drifted", async () => {
    await program(world, poolIn(world, 2));
    await closeAll(await connectTimes(world, 50));
    const loads = async () =>
      (await world.driver().readCounters()).members.map(({ activeConnections }) => activeConnections);
    expect(await loads()).toEqual([0, 0]);
    addToLoads(world, 7);
    await world.restart();
    expect(await loads()).toEqual([7, 7]);
    expect((await world.driver().maintain()).loadDriftCount).toBe(0);
    await world.wait(5200);
    expect((await world.driver().maintain()).loadDriftCount).toBe(14);
    expect(await loads()).toEqual([0, 0]);
  });

  it("ends idle flows after their time, and answers what comes later with a reset", async () => {
    await world.restart([], { timeouts: { establishedMs: 300, closedMs: 300 } });
    await program(world, poolIn(world, 1));
    const flow = await connected(world);
    await world.wait(1200);
    const { expiredCount } = await world.driver().maintain();
    expect(expiredCount).toBeGreaterThanOrEqual(1);
    expect(await world.driver().explain(flow.tuple)).toBeUndefined();
    expect(await flow.exchange()).toBe("reset");
    await world.restart();
  });

  it("looks next hops up again when the network has changed while no agent ran", async () => {
    await program(world, poolIn(world, 1));
    const flow = await connected(world);
    await world.host().end();
    const [machine] = world.topology.members;
    machine?.namespace.run("ip", "link", "set", "node", "address", "02:00:00:00:99:01");
    world.topology.node.run("ip", "neigh", "flush", "dev", "m1");
    world.topology.node.run("ip", "route", "add", "10.201.0.0/24", "via", machine?.ip ?? "");
    await world.reopen();
    expect(await flow.exchange()).toBe(flow.member);
    machine?.namespace.run("ip", "link", "set", "node", "address", "02:00:00:00:99:02");
    // The member asks for the node's address, and by that tells its new one.
    machine?.namespace.run("ip", "neigh", "flush", "dev", "node");
    machine?.namespace.run("bash", "-c", "echo > /dev/udp/10.78.1.1/9");
    await world.wait(250);
    expect(await flow.exchange()).toBe(flow.member);
    await flow.close();
  });
});

/** Damages the load of every member of the node. */
function addToLoads(world: EbpfWorld, count: number): void {
  const map = openPinnedMap(`/sys/fs/bpf/parasaus/${world.options.node}/v1/member`);
  const key = Buffer.alloc(4);
  const row = Buffer.alloc(LAYOUT.member.size);
  for (let index = 0; map && index < 64; index += 1) {
    key.writeUInt32LE(index);
    map.lookup(key, row);
    if (row[LAYOUT.member.state] !== MEMBER_STATE.active) continue;
    row.writeBigInt64LE(BigInt(count), LAYOUT.member.load);
    map.update(key, row);
  }
  map?.close();
}

/** Sends three datagrams from each of `count` ports of the client. @returns what came back, port by port */
function ask(world: EbpfWorld, port: number, count: number): string[][] {
  const script = `
    const { createSocket } = require("node:dgram");
    Promise.all(Array.from({ length: ${count} }, () => new Promise((resolve) => {
      const lines = [];
      const socket = createSocket("udp4", (message) => {
        lines.push(String(message).trim());
        if (lines.length === 3) { socket.close(); resolve(lines); } else socket.send("x", ${port}, "${world.nodeIp}");
      });
      socket.send("x", ${port}, "${world.nodeIp}");
      setTimeout(() => resolve(lines), 3000).unref();
    }))).then((all) => { console.log(JSON.stringify(all)); process.exit(); });`;
  return JSON.parse(world.topology.client.run("node", "-e", script));
}

/** One more client on a device that the node has not had before. */
function makeLateClient(world: EbpfWorld) {
  const { node, client } = world.topology;
  node.run("ip", "link", "add", "late", "type", "veth", "peer", "name", "node2", "netns", client.id);
  node.run("ip", "address", "add", "10.79.0.1/30", "dev", "late");
  client.run("ip", "address", "add", "10.79.0.2/30", "dev", "node2");
  node.run("ip", "link", "set", "late", "up");
  client.run("ip", "link", "set", "node2", "up");
  return {
    namespace: client,
    async [Symbol.asyncDispose]() {
      execFileSync("nsenter", [`--net=/run/netns/${node.id}`, "ip", "link", "delete", "late"]);
    },
  };
}
