import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { DesiredPool } from "../../src/dataplane/index.ts";
import { closeAll, connected, poolIn, program } from "../contract/driver-world.ts";
import { ONE_DATAGRAM } from "../lab/datagrams.ts";
import { type IpvsWorld, missingForMasquerading, openIpvsWorld } from "../lab/ipvs-world.ts";

const missing = missingForMasquerading();
const OTHERS = "add table ip others; add chain ip others c { type nat hook postrouting priority 110; }";
const CONNTRACK = "/proc/sys/net/ipv4/vs/conntrack";
/** 10.78.1.1, the node, and 10.77.16.1, the first client, as the kernel prints them. */
const NODE = "01014E0A";
const CLIENT = "01104D0A";

describe.skipIf(missing)(`IPVS driver with fullnat${missing}`, () => {
  let world: IpvsWorld;
  const ask = (method: string) => world.host().call(method);
  const nft = (...words: readonly string[]) => world.topology.node.run("nft", ...words);
  const ownTables = () => nft("list", "tables").match(/parasaus_\w+/g) ?? [];
  const poolOf = (change: Partial<DesiredPool> = {}) => poolIn(world, 1, change);
  /** Whom members have connections with, as the kernel prints it. */
  const peers = () =>
    world.topology.members.flatMap(({ namespace }) => {
      const listed = namespace.run("cat", "/proc/net/tcp").matchAll(/ ([0-9A-F]{8}:[0-9A-F]{4}) 01 /g);
      return [...listed].map(([, peer = ""]) => peer);
    });
  /** Which address a new flow comes from. */
  const sourceOf = async () => {
    const before = new Set(peers());
    const flow = await connected(world);
    const fresh = peers().filter((peer) => !before.has(peer));
    await closeAll([flow]);
    return fresh.map((peer) => peer.split(":")[0]);
  };
  beforeAll(async () => {
    world = await openIpvsWorld();
    nft(OTHERS);
  });
  beforeEach(async () => {
    const pools = await world.driver().observe();
    await world.driver().apply(pools.map(({ uid }) => ({ kind: "remove", uid })));
    await world.driver().maintain();
  });
  afterAll(() => world?.[Symbol.asyncDispose]());

  it("has members see the node's address, and with nat the client's", async () => {
    await program(world, poolOf());
    expect(await sourceOf()).toEqual([NODE]);
    await program(world, poolOf({ forwarding: "nat" }));
    expect(await sourceOf()).toEqual([CLIENT]);
  });

  it("takes flows to members that have no route to clients, over TCP and UDP", async () => {
    const [member] = world.topology.members;
    if (!member) throw new Error("there is no member");
    const addresses = [
      { ip: "*", port: 30001, protocol: "TCP" as const },
      { ip: "*", port: 8081, protocol: "UDP" as const },
    ];
    const udp = {
      uid: "0b0e7a4c-0000-4000-8000-000000000002",
      addresses: addresses.slice(1),
      members: poolOf().members.map((each) => ({ ...each, port: 8081 })),
    };
    const tcp = { addresses: addresses.slice(0, 1) };
    const datagram = () =>
      world.topology.client.run(process.execPath, "-e", ONE_DATAGRAM, world.nodeIp, "8081").trim();
    member.namespace.run("ip", "route", "delete", "default");
    try {
      await program(world, poolOf(tcp), poolOf(udp));
      const flow = await connected(world);
      expect(await flow.exchange()).toBe(flow.member);
      await closeAll([flow]);
      expect(datagram()).toBe("m1");
      await program(world, poolOf({ ...tcp, forwarding: "nat" }), poolOf({ ...udp, forwarding: "nat" }));
      expect(await world.connect(30001), "control: nat needs the route").toBe("reset");
      expect(datagram(), "control: nat needs the route").toBe("silent");
    } finally {
      member.namespace.run("ip", "route", "add", "default", "via", "10.78.1.1");
    }
  });

  it("writes nothing when it is started again and nothing has changed, also after a kill", async () => {
    await program(world, poolOf());
    expect(await ask("writeCount")).toBeGreaterThan(0);
    for (const restart of [world.restart, world.reopen]) {
      await restart();
      await program(world, poolOf());
      await world.driver().maintain();
      expect(await ask("writeCount")).toBe(0);
    }
    expect(await sourceOf()).toEqual([NODE]);
  });

  it("repairs its table and the connection tracking when somebody takes them away", async () => {
    await program(world, poolOf());
    const held = await connected(world);
    for (const fault of [
      () => nft("delete", "table", "ip", ownTables()[0] ?? ""),
      () => nft("flush", "chain", "ip", ownTables()[0] ?? "", "postrouting"),
      () => nft("flush", "set", "ip", ownTables()[0] ?? "", "services"),
      () => world.topology.node.run("sh", "-c", `echo 0 > ${CONNTRACK}`),
    ]) {
      fault();
      expect(await sourceOf(), "the fault happened").toEqual([CLIENT]);
      await world.driver().observe();
      expect(await sourceOf()).toEqual([NODE]);
      expect(await held.exchange()).toBe(held.member);
    }
    await closeAll([held]);
  });

  it("leaves no table and no setting behind, and nobody else's table changed", async () => {
    // A driver that has not seen this kernel, so that what was before is what it finds.
    expect(await ask("uninstall")).toBe(true);
    expect(world.topology.node.run("cat", CONNTRACK).trim()).toBe("0");
    const before = nft("list", "ruleset");
    const others = nft("list", "table", "ip", "others");
    await world.restart();
    expect(nft("list", "ruleset"), "a driver without such pools makes no table").toBe(before);
    await program(world, poolOf());
    expect(ownTables()).toHaveLength(1);
    expect(world.topology.node.run("cat", CONNTRACK).trim()).toBe("1");
    expect(nft("list", "table", "ip", "others")).toBe(others);
    expect(await ask("uninstall")).toBe(true);
    expect(nft("list", "ruleset")).toBe(before);
    expect(world.topology.node.run("cat", CONNTRACK).trim()).toBe("0");
    await world.restart();
  });
});
