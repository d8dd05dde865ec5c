import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type DesiredPool, planOperations } from "../../src/dataplane/index.ts";
import { closeAll, poolIn, program } from "../contract/driver-world.ts";
import { ONE_DATAGRAM } from "../lab/datagrams.ts";
import { type IpvsWorld, missingForMasquerading, openIpvsWorld } from "../lab/ipvs-world.ts";
import { startMember } from "../lab/traffic.ts";

const missing = missingForMasquerading();
const RANGE = { ip: "198.51.100.7", port: 8080, lastPort: 8089, protocol: "TCP" as const };
/** On which members have a second server, with a name of its own. */
const SECOND_PORT = 8085;

describe.skipIf(missing)(`IPVS driver with ranges of ports${missing}`, () => {
  let world: IpvsWorld;
  const ask = (method: string) => world.host().call(method);
  const inNode = (...words: readonly string[]) => world.topology.node.run(...words);
  const ownTable = () => /inet (parasaus_\w+)/.exec(inNode("nft", "list", "tables"))?.[1] ?? "";
  const poolOf = (change: Partial<DesiredPool> = {}) =>
    poolIn(world, 2, { addresses: [RANGE], forwarding: "nat", ...change });
  const dial = async (port: number) => {
    const flow = await world.dial(RANGE.ip, port);
    if (flow === "reset") throw new Error(`port ${port} refused the connection`);
    return flow;
  };
  /** Who answers there: a member, or `reset`. */
  const askAt = async (port: number) => {
    const flow = await world.dial(RANGE.ip, port);
    if (flow === "reset") return flow;
    await flow.close();
    return flow.member;
  };
  beforeAll(async () => {
    world = await openIpvsWorld({}, 2);
    for (const machine of world.topology.members)
      await startMember({ ...machine, name: `${machine.name} second` }, SECOND_PORT, 8086);
  });
  beforeEach(async () => {
    const pools = await world.driver().observe();
    await world.driver().apply(pools.map(({ uid }) => ({ kind: "remove", uid })));
    await world.driver().maintain();
  });
  afterAll(() => world?.[Symbol.asyncDispose]());

  it("brings packets to members at the port that the client asked for, and to no port beyond", async () => {
    await program(world, poolOf());
    expect([await askAt(8080), await askAt(8080)].sort()).toEqual(["10.78.1.2:8080", "10.78.2.2:8080"]);
    expect([await askAt(SECOND_PORT), await askAt(SECOND_PORT)].sort()).toEqual(["m1 second", "m2 second"]);
    expect(await askAt(8090), "control: beyond the range").toBe("reset");
    await program(world, poolOf({ addresses: [{ ...RANGE, port: 8080, lastPort: 8084 }] }));
    expect(await askAt(SECOND_PORT), "control: beyond a shorter range").toBe("reset");
  });

  it("serves UDP, and clients on the node itself", async () => {
    await program(world, poolOf({ addresses: [{ ...RANGE, protocol: "UDP" }] }));
    const datagram = (port: number) =>
      world.topology.client.run(process.execPath, "-e", ONE_DATAGRAM, RANGE.ip, String(port)).trim();
    expect([datagram(8081), datagram(8081)].sort()).toEqual(["m1", "m2"]);
    expect(datagram(8086)).toMatch(/^m[12] second$/);
    await program(world, poolOf());
    expect(inNode("curl", "-s", "--max-time", "20", `http://${RANGE.ip}:8080/`)).toMatch(/^m[12]$/);
  });

  it("explains and lists a flow inside the range, and counts it for its member", async () => {
    await program(world, poolOf());
    const flow = await dial(SECOND_PORT);
    const explained = await world.driver().explain(flow.tuple);
    expect(explained).toMatchObject({ flow: flow.tuple, poolUid: poolOf().uid, memberPort: SECOND_PORT });
    const listed = await world.driver().listFlows(poolOf().uid, 10);
    expect(listed.map((each) => each.flow)).toContainEqual(flow.tuple);
    const { members } = await world.driver().readCounters();
    expect(members.map(({ port, activeConnections }) => [port, activeConnections]).sort()).toEqual([
      [8080, 0],
      [8080, 1],
    ]);
    await closeAll([flow]);
  });

  it("keeps flows when the range is exchanged for a wider one, and when the agent is killed", async () => {
    const drainSeconds = 600;
    await program(world, poolOf({ drainSeconds }));
    const flow = await dial(8080);
    const wider = poolOf({ drainSeconds, addresses: [{ ...RANGE, lastPort: 8099 }] });
    await program(world, wider);
    await world.reopen();
    await program(world, wider);
    expect(await ask("writeCount"), "an unchanged restart writes nothing").toBe(0);
    expect(await flow.exchange()).toBe(flow.member);
    expect(await askAt(SECOND_PORT)).toMatch(/second/);
    await closeAll([flow]);
  });

  it("repairs its table and its service when somebody takes them away", async () => {
    await program(world, poolOf());
    const held = await dial(8080);
    for (const fault of [
      () => inNode("nft", "delete", "table", "inet", ownTable()),
      () => inNode("nft", "flush", "chain", "inet", ownTable(), "prerouting"),
      () => inNode("nft", "flush", "map", "inet", ownTable(), "ranges4"),
    ]) {
      fault();
      expect(await askAt(SECOND_PORT), "the fault happened").toBe("reset");
      await program(world, poolOf());
      expect(await askAt(SECOND_PORT)).toMatch(/second/);
      expect(await held.exchange()).toBe(held.member);
    }
    inNode("ipvsadm", "-C");
    expect(await askAt(SECOND_PORT), "the fault happened").toBe("reset");
    await program(world, poolOf());
    expect(await askAt(SECOND_PORT)).toMatch(/second/);
    await closeAll([held]);
  });

  it("leaves somebody else's mark alone, and refuses a pool by name whose mark it is", async () => {
    await program(world, poolOf());
    const mark = /FWM +(\d+)/.exec(inNode("ipvsadm", "-Ln"))?.[1] ?? "";
    expect(Number(mark)).toBeGreaterThanOrEqual(0x70000000);
    await world.driver().apply([{ kind: "remove", uid: poolOf().uid }]);
    inNode("ipvsadm", "-A", "-f", "7", "-s", "rr");
    inNode("ipvsadm", "-A", "-f", mark, "-s", "rr");
    const { nowMs, observe, apply } = world.driver();
    const failures = await apply(planOperations([poolOf()], await observe(), nowMs()));
    expect(failures).toMatchObject([
      { message: expect.stringContaining(`IPVS has a service at mark ${mark}`) },
    ]);
    expect(await ask("foreignServices")).toContain("mark 7 (IPv4)");
    expect(await askAt(8080)).toBe("reset");
    expect(inNode("nft", "list", "map", "inet", ownTable(), "ranges4")).not.toContain("elements");
    inNode("ipvsadm", "-D", "-f", mark);
    await program(world, poolOf());
    expect(await askAt(8080)).toMatch(/:8080$/);
    inNode("ipvsadm", "-D", "-f", "7");
  });

  it("leaves no service and no table behind, and nobody else's table changed", async () => {
    inNode("nft", "add table inet others; add chain inet others c");
    await program(world, poolOf());
    expect(ownTable()).not.toBe("");
    expect(await ask("uninstall")).toBe(true);
    expect(inNode("nft", "list", "ruleset").replaceAll(/\s+/g, " ")).toBe(
      "table inet others { chain c { } } ",
    );
    expect(inNode("ipvsadm", "-Ln")).not.toContain("FWM");
    await world.restart();
  });
});
