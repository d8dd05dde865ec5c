import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { DesiredPool } from "../../src/dataplane/index.ts";
import { closeAll, connected, poolIn, program } from "../contract/driver-world.ts";
import { ONE_DATAGRAM } from "../lab/datagrams.ts";
import { CLIENT_IPV6, joinByIpv6, memberIpv6 } from "../lab/ipvs-ipv6.ts";
import { type IpvsWorld, missingForMasquerading, openIpvsWorld } from "../lab/ipvs-world.ts";
import type { Namespace } from "../lab/namespaces.ts";
import { waitUntil } from "../lab/product.ts";
import { startTraffic } from "../lab/traffic.ts";

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

  it("takes SCTP associations to members that have no route to clients", async () => {
    const { client, members: machines } = world.topology;
    client.run("modprobe", "sctp");
    const own = machines.slice(0, 2);
    for (const { namespace, name, ip } of own) {
      namespace.run("ip", "route", "delete", "default");
      namespace.start([
        "socat",
        `SCTP4-LISTEN:8082,bind=${ip},fork,reuseaddr`,
        `SYSTEM:read -r x; echo ${name}`,
      ]);
      await waitUntil("the member listens", async () =>
        namespace.run("cat", "/proc/net/sctp/eps").includes(" 8082 "),
      );
    }
    const addresses = [{ ip: "*", port: 30007, protocol: "SCTP" as const }];
    const members = poolIn(world, 2).members.map((member) => ({ ...member, port: 8082 }));
    const pool = poolIn(world, 2, { addresses, members });
    const associate = (patienceSeconds: number) => {
      const far = `SCTP4-CONNECT:${world.nodeIp}:30007,bind=${world.clientIps[0]}`;
      const command = `(echo x; sleep ${patienceSeconds}) | timeout ${patienceSeconds} socat -t5 - ${far} || true`;
      return client.run("sh", "-c", command).trim();
    };
    try {
      await program(world, pool);
      expect([associate(20), associate(20)].sort()).toEqual(["m1", "m2"]);
      await program(world, { ...pool, forwarding: "nat" });
      expect(associate(20), "control: nat needs the route").toBe("");
    } finally {
      for (const [index, { namespace }] of own.entries())
        namespace.run("ip", "route", "add", "default", "via", `10.78.${index + 1}.1`);
    }
  });

  it("has members without a route to clients see the node's address over IPv6, and the table repaired", async () => {
    const { client, node, members: machines } = world.topology;
    const port = 8090;
    await joinByIpv6(world, port);
    const own = machines.slice(0, 2).map(({ namespace }) => namespace);
    for (const namespace of own) namespace.run("ip", "-6", "route", "delete", "default");
    const ip = "2001:db8:7::80";
    const members = poolIn(world, 2).members.map((member, index) => ({
      ...member,
      ip: memberIpv6(index + 1),
      port,
    }));
    const pool = poolIn(world, 2, { addresses: [{ ip, port: 80, protocol: "TCP" }], members });
    const target = { host: ip, port: 80, sources: [CLIENT_IPV6] };
    const request = (total: number) =>
      startTraffic(client, { ...target, mode: "requests", total, concurrency: 1 }).finished();
    await program(world, pool);
    const { succeeded, failures, members: answered } = await request(20);
    expect([succeeded, failures, answered]).toEqual([20, {}, { m1: 10, m2: 10 }]);
    const held = startTraffic(client, { ...target, mode: "hold", connections: 4, timeoutMs: 60_000 });
    await waitUntil("four flows are open", async () => (await held.mark()).opened === 4);
    expect(peersOverIpv6(own)).toEqual([
      ...["2001:0db8:0002:0001:0000:0000:0000:0001", "2001:0db8:0002:0001:0000:0000:0000:0001"],
      ...["2001:0db8:0002:0002:0000:0000:0000:0001", "2001:0db8:0002:0002:0000:0000:0000:0001"],
    ]);
    // Not the whole table: without any NAT of the family the kernel translates open connections no more either.
    node.run("nft", "flush", "chain", "ip6", ownTables()[0] ?? "", "postrouting");
    expect((await request(1)).succeeded, "the fault happened").toBe(0);
    await world.driver().observe();
    expect((await request(10)).succeeded).toBe(10);
    const kept = await held.stop();
    expect([kept.opened, kept.moved, kept.resets, kept.timeouts]).toEqual([4, 0, 0, 0]);
    await world.reopen();
    await program(world, pool);
    expect(await ask("writeCount")).toBe(0);
    await program(world, { ...pool, forwarding: "nat" });
    expect((await request(1)).succeeded, "control: nat needs the route").toBe(0);
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

/** Whom members have connections with over IPv6, from where connections are made to them. */
function peersOverIpv6(namespaces: readonly Namespace[]): readonly string[] {
  const peers = namespaces.flatMap((namespace) =>
    [...namespace.run("cat", "/proc/net/tcp6").matchAll(/ ([0-9A-F]{32}):[0-9A-F]{4} 01 /g)].map(
      ([, peer = ""]) => peer,
    ),
  );
  return peers.map(formatPeer).sort();
}

/** The kernel prints words of four bytes, each in the CPU's order. */
function formatPeer(peer: string): string {
  const words = Buffer.from(peer, "hex").swap32().toString("hex");
  return words.match(/.{4}/g)?.join(":") ?? "";
}
