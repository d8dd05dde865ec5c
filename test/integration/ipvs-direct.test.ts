import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { DesiredPool } from "../../src/dataplane/index.ts";
import { describeDriver } from "../contract/driver.ts";
import {
  closeAll,
  connected,
  connectTimes,
  placesOf,
  poolIn,
  program,
  withMember,
} from "../contract/driver-world.ts";
import { OWN_SERVICE_IP } from "../lab/direct-topology.ts";
import { DIRECT_PORT, type DirectWorld, openDirectWorld } from "../lab/direct-world.ts";
import { missingForIpvs } from "../lab/ipvs-world.ts";

const missing = missingForIpvs();

describe.skipIf(missing)(`IPVS${missing}`, () => {
  describeDriver("ipvs, dsr", () => openDirectWorld("dsr"));
});

for (const mode of ["dsr", "tunnel"] as const) {
  describe.skipIf(missing)(`IPVS with ${mode}${missing}`, () => {
    let world: DirectWorld;
    beforeAll(async () => {
      world = await openDirectWorld(mode, { memberCount: 2 });
    });
    beforeEach(async () => {
      const driver = world.driver();
      const pools = await driver.observe();
      await driver.apply(pools.map(({ uid }) => ({ kind: "remove", uid })));
      await driver.maintain();
    });
    afterAll(() => world?.[Symbol.asyncDispose]());

    const inNode = (...words: readonly string[]) => world.topology.node.run(...words);
    /** Whatever a node would pass on that members sent from the service's address goes nowhere. */
    const refuseReplies = (verb: "add" | "del") =>
      inNode("ip", "rule", verb, "pref", "10", "from", world.nodeIp, "blackhole");
    /** Local and remote end of each connection that a member has. */
    const connectionsAt = (index: number) => {
      const listed = world.topology.members[index]?.namespace.run("ss", "-Htn", "state", "established") ?? "";
      return listed.split("\n").flatMap((line) => {
        const [, , local, remote] = line.trim().split(/\s+/);
        return local && remote ? [`${local} ${remote}`] : [];
      });
    };
    const onDatagrams: Partial<DesiredPool> = {
      addresses: [{ ip: "*", port: DIRECT_PORT, protocol: "UDP" }],
    };

    it("members see the client and answer past the node: TCP", async () => {
      await program(world, poolIn(world, 2));
      refuseReplies("add");
      try {
        const flows = [];
        for (const clientIp of world.clientIps.slice(0, 8))
          flows.push(await connected(world, DIRECT_PORT, clientIp));
        for (const flow of flows) expect(await flow.exchange()).toBe(flow.member);
        const seen = [...connectionsAt(0), ...connectionsAt(1)].sort();
        const sent = flows.map(
          ({ tuple }) => `${world.nodeIp}:${DIRECT_PORT} ${tuple.clientIp}:${tuple.clientPort}`,
        );
        expect(seen).toEqual(sent.sort());
        expect([connectionsAt(0).length, connectionsAt(1).length]).toEqual([4, 4]);
        await closeAll(flows);
      } finally {
        refuseReplies("del");
      }
    });

    it("members see the client and answer past the node: UDP", async () => {
      await program(world, poolIn(world, 2, onDatagrams));
      refuseReplies("add");
      try {
        const [, client = ""] = world.clientIps;
        const words = [world.nodeIp, String(DIRECT_PORT), client];
        const answers = world.topology.client
          .run(process.execPath, "-e", DATAGRAMS, ...words)
          .trim()
          .split(" ");
        expect(answers).toHaveLength(20);
        expect([...new Set(answers)].sort()).toEqual([`m1@${world.nodeIp}`, `m2@${world.nodeIp}`]);
      } finally {
        refuseReplies("del");
      }
    });

    it("control: a member that answers through the node is not heard then", async () => {
      await program(world, poolIn(world, 1));
      const [member] = world.topology.members;
      const [node] = world.topology.nodes;
      const flow = await connected(world, DIRECT_PORT);
      refuseReplies("add");
      member?.namespace.run("ip", "route", "replace", "default", "via", node?.ip ?? "");
      try {
        expect(await flow.exchange()).toBe("silent");
      } finally {
        member?.namespace.run("ip", "route", "replace", "default", "via", "10.91.0.1");
        refuseReplies("del");
      }
      await flow.close();
    });

    it("serves an address of the pool's own, which no device of the node has", async () => {
      const addresses = [{ ip: OWN_SERVICE_IP, port: DIRECT_PORT, protocol: "TCP" as const }];
      await program(world, poolIn(world, 2, { addresses }));
      const flow = await world.dial(OWN_SERVICE_IP, DIRECT_PORT);
      expect(flow).toMatchObject({ member: expect.stringContaining("10.91.0.2") });
      if (flow !== "reset") await flow.close();
    });

    it("drains and cuts as with nat, and finds after a kill what the kernel holds", async () => {
      const pool = poolIn(world, 2);
      await program(world, pool);
      const flows = await connectTimes(world, 4);
      await world.reopen();
      await program(world, withMember(pool, 0, { disposition: "draining", drainSeconds: 1 }));
      const [drained, kept] = placesOf(world);
      expect((await connectTimes(world, 2)).map(({ member }) => member)).toEqual([kept, kept]);
      for (const flow of flows) expect(await flow.exchange()).toBe(flow.member);
      await world.wait(1_100);
      await world.driver().maintain();
      for (const flow of flows) expect(await flow.exchange()).toBe(flow.member === drained ? "reset" : kept);
      await closeAll(flows);
    });

    it("changes how members get the packets of new flows, and back, and leaves open ones alone", async () => {
      const pool = poolIn(world, 2);
      await program(world, pool);
      const flows = await connectTimes(world, 2);
      const table = () => inNode("cat", "/proc/net/ip_vs");
      const word = mode === "dsr" ? "Route" : "Tunnel";
      expect(table().match(new RegExp(word, "g"))).toHaveLength(2);
      await program(world, { ...pool, forwarding: mode === "dsr" ? "tunnel" : "dsr" });
      expect(table()).not.toContain(word);
      for (const flow of flows) expect(await flow.exchange()).toBe(flow.member);
      await program(world, pool);
      await closeAll(flows);
      expect(table().match(new RegExp(word, "g"))).toHaveLength(2);
    });
  });
}

/** Asks from twenty ports of one address and prints who answered, and from where. */
const DATAGRAMS = `
const dgram = require("dgram");
const [ip, port, local] = process.argv.slice(1);
const asked = Array.from({ length: 20 }, () => new Promise((resolve) => {
  const socket = dgram.createSocket("udp4");
  socket.on("message", (bytes, from) => { socket.close(); resolve(String(bytes).trim() + "@" + from.address); });
  socket.bind(0, local, () => socket.send("x", Number(port), ip));
  setTimeout(resolve, 5000, "silent");
}));
Promise.all(asked).then((names) => { console.log(names.join(" ")); process.exit(0); });`;
