import { describe, expect, it } from "vitest";
import type { Pool, PoolSpec } from "../../model/index.ts";
import { plannedTraffic } from "./pool-traffic.ts";

const A = "10.0.0.1:80";
const B = "10.0.0.2:80";
const FLOWS = new Map([
  [A, 7],
  [B, 3],
]);

function poolOf(spec: Partial<PoolSpec> = {}, more: Partial<Pool["metadata"]> = {}, port = 30_000): Pool {
  const members = [
    { ip: "10.0.0.1", port: 80 },
    { ip: "10.0.0.2", port: 80 },
  ];
  return {
    ...{ apiVersion: "parasaus.io/v1", kind: "Pool", metadata: { name: "web", uid: "u", ...more } },
    spec: {
      ...{ addressPool: "node-ports", port, protocol: "TCP", scheduler: "rr", forwarding: "fullnat" },
      ...{ sessionAffinity: { type: "None", timeoutSeconds: 60 }, drainSeconds: 30, onMemberDown: "keep" },
      failOpen: { threshold: 0 },
      healthCheck: { type: "none" } as PoolSpec["healthCheck"],
      members,
      ...spec,
    },
    status: { connectAddresses: [{ ip: "*", port, protocol: spec.protocol ?? "TCP" }] },
  };
}
const plan = (before: Pool | undefined, after: Pool | undefined) =>
  plannedTraffic({ before, after, flows: before ? FLOWS : new Map(), unknownNodes: [] });
const fates = (before: Pool, after: Pool | undefined) =>
  Object.fromEntries(
    plan(before, after).members.map((each) => [
      each.member,
      [each.keptCount, each.drainedCount, each.cutCount, each.drainSeconds],
    ]),
  );
const member = (last: number, more: object = {}) => ({ ip: `10.0.0.${last}`, port: 80, ...more });

describe("the traffic of a plan", () => {
  it("keeps everything where nothing changes, which a weight does not", () => {
    expect(fates(poolOf(), poolOf())).toEqual({ [A]: [7, 0, 0, undefined], [B]: [3, 0, 0, undefined] });
    const weighted = poolOf({ scheduler: "wrr", members: [member(1, { weight: 3 }), member(2)] });
    const { members, ...sums } = plan(poolOf(), weighted);
    expect(sums).toMatchObject({ keptCount: 10, drainedCount: 0, cutCount: 0 });
    expect(members.map(({ before, after }) => [before?.share, after?.share])).toEqual([
      [0.5, 0.75],
      [0.5, 0.25],
    ]);
  });

  it("drains a member for its own time, cuts one in maintenance, and drains one that is gone for the pool's", () => {
    const drained = poolOf({ members: [member(1, { state: "drain", drainSeconds: 5 }), member(2)] });
    expect(fates(poolOf(), drained)).toEqual({ [A]: [0, 7, 0, 5], [B]: [3, 0, 0, undefined] });
    const maint = poolOf({ members: [member(1, { state: "maint" }), member(2)] });
    expect(fates(poolOf(), maint)[A]).toEqual([0, 0, 7, undefined]);
    expect(fates(poolOf(), poolOf({ members: [member(2)] }))[A]).toEqual([0, 7, 0, 30]);
    expect(fates(poolOf(), poolOf({ members: [member(2)], drainSeconds: 0 }))[A]).toEqual([
      0,
      0,
      7,
      undefined,
    ]);
  });

  it("counts what drains already as kept: the change does nothing to it", () => {
    const drained = poolOf({ members: [member(1, { state: "drain" }), member(2)] });
    const weighted = poolOf({ members: [member(1, { state: "drain" }), member(2, { weight: 9 })] });
    expect(fates(drained, weighted)[A]).toEqual([7, 0, 0, undefined]);
    const hurried = poolOf({ members: [member(1, { state: "drain", drainSeconds: 3 }), member(2)] });
    expect(fates(drained, hurried)[A]).toEqual([0, 7, 0, 3]);
  });

  it("drains everybody when the address moves or the pool goes, and cuts datagrams at once", () => {
    expect(fates(poolOf(), poolOf({}, {}, 30_001))).toEqual({ [A]: [0, 7, 0, 30], [B]: [0, 3, 0, 30] });
    expect(plan(poolOf(), poolOf({}, {}, 30_001)).address).toEqual({
      ...{ before: "*:30000/TCP", after: "*:30001/TCP" },
    });
    const deleted = poolOf({}, { deletionTimestamp: "2026-01-01T00:00:00Z" });
    expect(fates(poolOf(), deleted)).toEqual({ [A]: [0, 7, 0, 30], [B]: [0, 3, 0, 30] });
    const udp = poolOf({ protocol: "UDP" });
    expect(fates(udp, poolOf({ protocol: "UDP", members: [member(2)] }))[A]).toEqual([0, 0, 7, undefined]);
  });

  it("tells the share of a member that was never probed apart from the one that it will have", () => {
    const check = { type: "tcp", initialState: "unchecked" } as PoolSpec["healthCheck"];
    const up = (last: number) => ({ ...member(last), verdict: "up", reason: "", since: "" }) as const;
    const withStatus = (pool: Pool): Pool => ({
      ...pool,
      status: { ...pool.status, members: [up(1), up(2)] },
    });
    const before = withStatus(poolOf({ healthCheck: check }));
    const grown = withStatus(poolOf({ healthCheck: check, members: [member(1), member(2), member(3)] }));
    const shares = plan(before, grown).members.map((each) => [each.after?.share, each.shareOnceProbed]);
    expect(shares).toEqual([
      [0.5, 1 / 3],
      [0.5, 1 / 3],
      [0, 1 / 3],
    ]);
  });
});
