import { expect, it } from "vitest";
import { type DesiredPool, planOperations } from "../../src/dataplane/index.ts";
import { expectedShares } from "../../src/scheduling/index.ts";
import {
  closeAll,
  connected,
  connectTimes,
  type DriverWorld,
  placesOf,
  poolIn,
  program,
  spreadOf,
  type TestFlow,
  withMember,
} from "./driver-world.ts";

/** Rule 7: schedulers mean what they say. */
export function describeSchedulers(world: () => DriverWorld): void {
  it("rr gives every member the same, and wrr its weight, exactly per cycle", async () => {
    await program(world(), poolIn(world(), 4));
    const equal = await connectTimes(world(), 20);
    expect([...spreadOf(equal).values()]).toEqual([5, 5, 5, 5]);
    const weights = [5, 3, 2, 0];
    const weighted = weights.reduce(
      (pool, weight, index) =>
        withMember(pool, index, { weight, ...(weight ? {} : { disposition: "paused" }) }),
      poolIn(world(), 4, { scheduler: "wrr" }),
    );
    await program(world(), weighted);
    const flows = await connectTimes(world(), 30);
    const spread = spreadOf(flows);
    expect(placesOf(world()).map((place) => spread.get(place) ?? 0)).toEqual([15, 9, 6, 0]);
    await closeAll([...equal, ...flows]);
  });

  it("lc keeps open flows level, also after one member lost all of its", async () => {
    await program(world(), poolIn(world(), 3, { scheduler: "lc" }));
    const flows = await connectTimes(world(), 10);
    expect(widthOf(spreadOf(flows))).toBeLessThanOrEqual(1);
    const [emptied] = placesOf(world());
    await closeAll(flows.filter((flow) => flow.member === emptied));
    const open = [...flows.filter((flow) => flow.member !== emptied), ...(await connectTimes(world(), 4))];
    expect(widthOf(spreadOf(open))).toBeLessThanOrEqual(1);
    await closeAll(open);
  });

  it("wlc keeps open flows level per weight", async () => {
    const pool = withMember(poolIn(world(), 2, { scheduler: "wlc" }), 0, { weight: 3 });
    await program(world(), pool);
    const flows = await connectTimes(world(), 16);
    const spread = spreadOf(flows);
    const [heavy, light] = placesOf(world()).map((place) => spread.get(place) ?? 0);
    expect(Math.abs((heavy ?? 0) / 3 - (light ?? 0))).toBeLessThanOrEqual(1);
    await closeAll(flows);
  });

  it("sh keeps a client at its member, and every node and restart agree", async () => {
    await program(world(), poolIn(world(), 4, { scheduler: "sh" }));
    const first = await memberByClient(world());
    expect(new Set(first.values()).size).toBeGreaterThan(1);
    await world().reopen();
    expect(await memberByClient(world())).toEqual(first);
  });

  it("mh spreads flows as its table says", async () => {
    const pool = withMember(poolIn(world(), 3, { scheduler: "mh" }), 0, { weight: 2 });
    await program(world(), pool);
    const count = 600;
    const spread = new Map<string, number>();
    for (let made = 0; made < count; made += 1) {
      const clientIp = world().clientIps[made % world().clientIps.length];
      const flow = await connected(world(), 30001, clientIp);
      spread.set(flow.member, (spread.get(flow.member) ?? 0) + 1);
      await flow.close();
    }
    const shares = expectedShares("mh", pool.members);
    const chiSquare = placesOf(world())
      .slice(0, 3)
      .reduce((sum, place, index) => {
        const due = count * (shares[index] ?? 0);
        return sum + ((spread.get(place) ?? 0) - due) ** 2 / due;
      }, 0);
    // Two degrees of freedom: p < 10^-6 above 30.3 (a quarter more of one weight gives about 15 here, so this is coarse).
    expect(chiSquare).toBeLessThan(30.3);
  });

  it("session affinity brings a client back to its member as long as it lasts", async () => {
    await program(world(), poolIn(world(), 4, { affinitySeconds: 60 }));
    const flows: TestFlow[] = await connectTimes(world(), 8);
    expect(spreadOf(flows).size).toBe(1);
    const [second] = world().clientIps.slice(1);
    const other = await connected(world(), 30001, second);
    expect(other.member).not.toBe(flows[0]?.member);
    const whyOf = async (flow = other) => (await world().driver().explain(flow.tuple))?.why;
    expect(await whyOf(flows[7])).toBe("affinity");
    const { tellsAffinity } = world().driver().capabilities;
    expect(await whyOf(flows[0])).toBe(tellsAffinity ? "scheduled" : "affinity");
    await closeAll([...flows, other]);
  });

  it("what the driver does not have is refused by name, and another pool goes on", async () => {
    const { capabilities, apply, nowMs } = world().driver();
    const ipv6 = { ip: "2001:db8::80", port: 80, protocol: "TCP" as const };
    const asked: readonly [boolean, Partial<DesiredPool>][] = [
      [capabilities.affinityByPrefix, { affinitySeconds: 60, affinityPrefixLength: 28 }],
      [capabilities.onePacket, { isOnePacket: true }],
      [capabilities.protocols.includes("SCTP"), { addresses: [{ ip: "*", port: 30001, protocol: "SCTP" }] }],
      [capabilities.families.includes(6), { addresses: [ipv6], members: [] }],
    ];
    const lacking = asked.filter(([isThere]) => !isThere);
    for (const [, change] of lacking) {
      const other = poolIn(world(), 2, { uid: OTHER_UID, addresses: OTHER_ADDRESSES });
      const wanted = planOperations([poolIn(world(), 2, change), other], [], nowMs());
      const refusals = await apply(wanted);
      expect(refusals).toMatchObject([{ uid: poolIn(world(), 2).uid, code: "KernelUnsupported" }]);
      expect(refusals[0]?.message).toContain("run the agent with --driver ipvs");
      expect(await world().connect(30001)).toBe("reset");
      await closeAll([await connected(world(), 30002)]);
      await apply([{ kind: "remove", uid: OTHER_UID }]);
    }
  });

  it("session affinity by prefix keeps neighbours together, where the driver has it", async () => {
    const { capabilities } = world().driver();
    if (!capabilities.affinityByPrefix) return;
    await program(world(), poolIn(world(), 4, { affinitySeconds: 60, affinityPrefixLength: 28 }));
    const neighbours = world().clientIps.slice(0, 8);
    const prefixes = new Set(neighbours.map((ip) => Math.floor(Number(ip.split(".")[3]) / 16)));
    expect(prefixes.size).toBe(1);
    const dial = async () => {
      const flows: TestFlow[] = [];
      for (const ip of neighbours) flows.push(await connected(world(), 30001, ip));
      return flows;
    };
    const together = await dial();
    expect(spreadOf(together).size).toBe(1);
    const farther = world().clientIps.find((ip) => Number(ip.split(".")[3]) === 16);
    const farAway = await connected(world(), 30001, farther);
    expect(farAway.member).not.toBe(together[0]?.member);
    // Control: by single addresses they are apart.
    await program(world(), poolIn(world(), 4, { affinitySeconds: 60 }));
    const apart = await dial();
    expect(spreadOf(apart).size).toBe(4);
    await closeAll([...together, farAway, ...apart]);
  });
}

const OTHER_UID = "0b0e7a4c-0000-4000-8000-000000000002";
const OTHER_ADDRESSES = [{ ip: "*", port: 30002, protocol: "TCP" as const }];

function widthOf(spread: ReadonlyMap<string, number>): number {
  return Math.max(...spread.values()) - Math.min(...spread.values());
}

async function memberByClient(world: DriverWorld): Promise<Map<string, string>> {
  const members = new Map<string, string>();
  for (const clientIp of world.clientIps.slice(0, 16)) {
    const flow = await connected(world, 30001, clientIp);
    members.set(clientIp, flow.member);
    await flow.close();
  }
  return members;
}
