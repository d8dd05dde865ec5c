import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { DesiredMember, DesiredPool, PoolOperation, ProgrammedPool } from "./driver.ts";
import { comparePlaces, placeKey } from "./order.ts";
import { nextDeadlineMs, planOperations } from "./plan.ts";

const web: DesiredPool = {
  uid: "00000000-0000-4000-8000-000000000001",
  addresses: [{ ip: "*", port: 30001, protocol: "TCP" }],
  scheduler: "rr",
  forwarding: "fullnat",
  affinitySeconds: 0,
  drainSeconds: 30,
  members: [memberAt("10.0.0.1"), memberAt("10.0.0.2")],
};
const dns: DesiredPool = { ...web, uid: "00000000-0000-4000-8000-000000000002", members: [] };

function memberAt(ip: string, change: Partial<DesiredMember> = {}): DesiredMember {
  return { ip, port: 80, weight: 1, disposition: "active", drainSeconds: 30, ...change };
}

/** A kernel that refuses what no kernel may hold: one address in two pools. */
function applyTo(kernel: readonly ProgrammedPool[], operations: readonly PoolOperation[]): ProgrammedPool[] {
  const pools = new Map(kernel.map((pool) => [pool.uid, pool]));
  for (const operation of operations) {
    if (operation.kind === "remove") pools.delete(operation.uid);
    else pools.set(operation.pool.uid, operation.pool);
    const keys = [...pools.values()].flatMap((pool) => pool.addresses.map(placeKey));
    if (new Set(keys).size !== keys.length) throw new Error(`an address is held twice: ${keys.join(" ")}`);
  }
  return [...pools.values()].sort((a, b) => (a.uid < b.uid ? -1 : 1));
}

function settle(desired: readonly DesiredPool[], kernel: readonly ProgrammedPool[], nowMs: number) {
  return applyTo(kernel, planOperations(desired, kernel, nowMs));
}

describe("planOperations: leaving", () => {
  it("drains a member that vanishes until its deadline, and then drops it", () => {
    const kernel = settle([web], [], 1000);
    const smaller = { ...web, members: [memberAt("10.0.0.1")] };
    const draining = settle([smaller], kernel, 2000);
    expect(draining[0]?.members).toEqual([
      { ip: "10.0.0.1", port: 80, weight: 1, disposition: "active" },
      { ip: "10.0.0.2", port: 80, weight: 1, disposition: "draining", deadlineMs: 32_000 },
    ]);
    expect(planOperations([smaller], draining, 31_999)).toEqual([]);
    expect(settle([smaller], draining, 32_000)[0]?.members).toHaveLength(1);
  });

  it("drains a pool with the policy that the kernel has, so that no driver refuses to let it go", () => {
    const kernel = settle([web], [], 1000);
    const gone: DesiredPool = { ...web, addresses: [], scheduler: "mh", affinityPrefixLength: 24 };
    const draining = settle([gone], kernel, 2000);
    expect(draining[0]).toMatchObject({ scheduler: "rr" });
    expect(draining[0]).not.toHaveProperty("affinityPrefixLength");
    expect(settle([gone], draining, 32_000)).toEqual([]);
  });

  it("takes a member back that is wanted again before its deadline", () => {
    const kernel = settle([web], [], 0);
    const draining = settle([{ ...web, members: [] }], kernel, 1000);
    expect(settle([web], draining, 2000)).toEqual(kernel);
  });

  it("never restarts a deadline, but obeys a shorter drain time", () => {
    const drain = (drainSeconds: number) => ({
      ...web,
      members: [memberAt("10.0.0.1", { disposition: "draining", drainSeconds })],
    });
    const draining = settle([drain(300)], settle([web], [], 0), 1000);
    expect(draining[0]?.members[0]?.deadlineMs).toBe(301_000);
    expect(settle([drain(300)], draining, 200_000)[0]?.members[0]?.deadlineMs).toBe(301_000);
    expect(settle([drain(10)], draining, 2000)[0]?.members[0]?.deadlineMs).toBe(12_000);
  });

  it("keeps a listed draining member past its deadline, so that nothing is written again and again", () => {
    const drain = { ...web, members: [memberAt("10.0.0.1", { disposition: "draining" })] };
    const draining = settle([drain], [], 0);
    expect(planOperations([drain], draining, 1_000_000)).toEqual([]);
  });

  it("drops a member at once that was cut, and every member of a UDP pool", () => {
    const cut = { ...web, members: [memberAt("10.0.0.1", { disposition: "cut" })] };
    expect(settle([{ ...web, members: [] }], settle([cut], [], 0), 1000)[0]?.members).toEqual([]);
    const udp: DesiredPool = { ...web, addresses: [{ ip: "*", port: 53, protocol: "UDP" }] };
    expect(settle([{ ...udp, members: [] }], settle([udp], [], 0), 1000)[0]?.members).toEqual([]);
    const drained = settle([{ ...udp, members: [memberAt("10.0.0.1", { disposition: "draining" })] }], [], 0);
    expect(drained[0]?.members[0]?.disposition).toBe("cut");
  });

  it("closes the address of a pool that is gone, drains its members and removes it after the deadline", () => {
    const kernel = settle([web], [], 0);
    const closing = settle([], kernel, 1000);
    expect(closing[0]?.addresses).toEqual([
      { ip: "*", port: 30001, protocol: "TCP", closingDeadlineMs: 31_000 },
    ]);
    expect(closing[0]?.members.map((member) => member.disposition)).toEqual(["draining", "draining"]);
    expect(settle([], closing, 31_000)).toEqual([]);
  });

  it("uses the drain time of a pool that is gone where it is still known", () => {
    const gone = { ...web, addresses: [], members: [], drainSeconds: 5 };
    expect(settle([gone], settle([web], [], 0), 1000)[0]?.addresses[0]?.closingDeadlineMs).toBe(6000);
  });

  it("closes the old address when a pool moves to another one", () => {
    const moved: DesiredPool = { ...web, addresses: [{ ip: "*", port: 30002, protocol: "TCP" }] };
    expect(settle([moved], settle([web], [], 0), 1000)[0]?.addresses).toEqual([
      { ip: "*", port: 30001, protocol: "TCP", closingDeadlineMs: 31_000 },
      { ip: "*", port: 30002, protocol: "TCP" },
    ]);
  });
});

describe("planOperations: moving an address", () => {
  it("takes it from one pool before the other gets it, so that it is never held twice", () => {
    const kernel = settle([{ ...web, members: [] }], [], 0);
    const kinds = planOperations([dns], kernel, 1000).map((operation) => operation.kind);
    expect(kinds).toEqual(["remove", "install"]);
  });

  it("lets the first pool's flows drain when the second one takes over its address", () => {
    const after = settle([dns], settle([web], [], 0), 1000);
    expect(after.map((pool) => pool.addresses.length)).toEqual([0, 1]);
    expect(after[0]?.members.map((member) => member.deadlineMs)).toEqual([31_000, 31_000]);
    expect(settle([dns], after, 31_000).map((pool) => pool.uid)).toEqual([dns.uid]);
  });

  it("swaps the addresses of two pools", () => {
    const other: DesiredPool = { ...dns, addresses: [{ ip: "*", port: 30002, protocol: "TCP" }] };
    const kernel = settle([web, other], [], 0);
    const swapped = settle(
      [
        { ...web, addresses: other.addresses },
        { ...other, addresses: web.addresses },
      ],
      kernel,
      1000,
    );
    expect(swapped.map((pool) => pool.addresses)).toEqual([other.addresses, web.addresses]);
  });

  it("leaves it to the pool that has it when two pools ask for it", () => {
    const kernel = settle([dns], [], 0);
    const both = settle([web, dns], kernel, 1000);
    expect(both.map((pool) => pool.uid)).toEqual([dns.uid]);
  });
});

describe("nextDeadlineMs", () => {
  it("is the earliest one to come, so that past ones do not wake the agent for ever", () => {
    const kernel = settle([{ ...web, members: [] }], settle([web], [], 0), 0);
    const pool = settle([], kernel, 500)[0];
    expect(pool && nextDeadlineMs(pool, 0)).toBe(30_000);
    expect(pool && nextDeadlineMs(pool, 30_000)).toBe(30_500);
    expect(pool && nextDeadlineMs(pool, 30_500)).toBeUndefined();
  });
});

const someAddress = fc.record({
  ip: fc.constantFrom("*", "192.0.2.1"),
  port: fc.integer({ min: 30000, max: 30003 }),
  protocol: fc.constantFrom("TCP" as const, "UDP" as const),
});
const someDisposition = fc.constantFrom("active", "paused", "draining", "cut") as fc.Arbitrary<
  DesiredMember["disposition"]
>;
const somePlace = {
  ip: fc.integer({ min: 1, max: 3 }).map((host) => `10.0.0.${host}`),
  port: fc.constantFrom(80, 81),
  weight: fc.integer({ min: 0, max: 2 }),
  disposition: someDisposition,
};
const someSettings = {
  uid: fc.constantFrom("a", "b", "c"),
  scheduler: fc.constantFrom("rr" as const, "wlc" as const),
  forwarding: fc.constantFrom("fullnat" as const, "nat" as const),
  affinitySeconds: fc.constantFrom(0, 60),
  affinityPrefixLength: fc.constantFrom(8, 24),
};
const someDesired: fc.Arbitrary<DesiredPool[]> = fc.uniqueArray(
  fc.record({
    ...someSettings,
    drainSeconds: fc.integer({ min: 0, max: 60 }),
    addresses: fc.uniqueArray(someAddress, { selector: placeKey, maxLength: 2 }),
    members: fc.uniqueArray(fc.record({ ...somePlace, drainSeconds: fc.integer({ min: 0, max: 60 }) }), {
      selector: placeKey,
      maxLength: 4,
    }),
  }),
  { selector: (pool) => pool.uid, maxLength: 3 },
);
const someDeadline = fc.integer({ min: 0, max: 100_000 });

/** Whatever a kernel can hold, however it came there: only that an address is held once is sure. */
const garbage: fc.Arbitrary<ProgrammedPool[]> = fc
  .uniqueArray(
    fc.record({
      ...someSettings,
      addresses: fc.uniqueArray(
        fc
          .tuple(someAddress, fc.option(someDeadline))
          .map(([address, deadline]) =>
            deadline === null ? address : { ...address, closingDeadlineMs: deadline },
          ),
        { selector: ({ ip, port, protocol }) => placeKey({ ip, port, protocol }), maxLength: 2 },
      ),
      members: fc.uniqueArray(
        fc
          .tuple(fc.record(somePlace), someDeadline)
          .map(([member, deadlineMs]) =>
            member.disposition === "draining" ? { ...member, deadlineMs } : member,
          ),
        { selector: placeKey, maxLength: 4 },
      ),
    }),
    { selector: (pool) => pool.uid, maxLength: 3 },
  )
  .map((pools) => {
    const seen = new Set<string>();
    return pools.map((pool) => ({
      ...pool,
      addresses: pool.addresses.filter(({ ip, port, protocol }) => {
        const key = placeKey({ ip, port, protocol });
        return !seen.has(key) && seen.add(key);
      }),
    }));
  });

describe("planOperations: from any state", () => {
  it("needs one round, and no prefix of it holds an address twice", () => {
    fc.assert(
      fc.property(someDesired, garbage, someDeadline, (desired, kernel, nowMs) => {
        const settled = settle(desired, kernel, nowMs);
        expect(planOperations(desired, settled, nowMs)).toEqual([]);
      }),
      { numRuns: 1000 },
    );
  });

  it("ends with what is wanted and nothing else once every deadline has passed", () => {
    fc.assert(
      fc.property(someDesired, garbage, (desired, kernel) => {
        const later = settle(desired, settle(desired, kernel, 0), 1_000_000);
        for (const pool of later) {
          const wanted = desired.find((candidate) => candidate.uid === pool.uid);
          expect(pool.addresses.every((address) => address.closingDeadlineMs === undefined)).toBe(true);
          const places = [...(wanted?.members ?? [])].sort(comparePlaces).map(placeKey);
          expect(pool.members.map(placeKey)).toEqual(places);
        }
      }),
      { numRuns: 500 },
    );
  });

  it("does not depend on the order of pools", () => {
    fc.assert(
      fc.property(someDesired, garbage, (desired, kernel) => {
        const forwards = planOperations(desired, kernel, 500);
        expect(planOperations(desired.toReversed(), kernel.toReversed(), 500)).toEqual(forwards);
      }),
    );
  });
});
