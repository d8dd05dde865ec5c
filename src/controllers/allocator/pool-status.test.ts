import { describe, expect, it } from "vitest";
import type { Pool } from "../../model/index.ts";
import type { Allocation } from "./allocate.ts";
import { withAllocation, withFinalizer, withoutFinalizer } from "./pool-status.ts";

const NOW = new Date("2026-03-01T12:00:00Z");
const POOL = {
  apiVersion: "parasaus.io/v1",
  kind: "Pool",
  metadata: { name: "web" },
  spec: {},
} as unknown as Pool;

function granted(ip: string, port: number): Allocation {
  return { kind: "granted", address: { ip, port, protocol: "TCP", addressPool: "vips" } };
}

const REFUSED: Allocation = { kind: "refused", reason: "AddressInUse", message: "somebody has it" };
const conditionsOf = (pool: Pool | undefined): string[] =>
  (pool?.status?.conditions ?? []).map(({ type, status, reason }) => `${type}=${status} ${reason}`);

describe("the status of an allocated pool", () => {
  it("says where the pool listens, and writes nothing the second time", () => {
    const told = withAllocation(POOL, granted("*", 30_080), NOW);
    expect(told?.status?.connectAddresses).toMatchObject([{ ip: "*", port: 30_080, addressPool: "vips" }]);
    expect(conditionsOf(told)).toEqual(["Allocated=True Allocated"]);
    expect(told && withAllocation(told, granted("*", 30_080), new Date())).toBeUndefined();
  });

  it("says that an address of its own must be routed to the nodes, as long as the pool has one", () => {
    const told = withAllocation(POOL, granted("10.9.0.1", 80), NOW);
    expect(conditionsOf(told)).toEqual(["Allocated=True Allocated", "Announced=Unknown NotAnnounced"]);
    const moved = told && withAllocation(told, granted("*", 30_080), NOW);
    expect(conditionsOf(moved)).toEqual(["Allocated=True Allocated"]);
  });

  it("keeps the address that the pool holds when another is refused", () => {
    const told = withAllocation(POOL, granted("10.9.0.1", 80), NOW) as Pool;
    const refused = withAllocation(told, REFUSED, NOW);
    expect(refused?.status?.connectAddresses).toBe(told.status?.connectAddresses);
    expect(conditionsOf(refused)).toEqual(["Allocated=False AddressInUse", "Announced=Unknown NotAnnounced"]);
  });
});

describe("the finalizer", () => {
  it("comes once, goes alone, and never comes to a pool that is being deleted", () => {
    const foreign = { ...POOL, metadata: { ...POOL.metadata, finalizers: ["example.com/other"] } };
    const guarded = withFinalizer(foreign) as Pool;
    expect(guarded.metadata.finalizers).toEqual(["example.com/other", "parasaus.io/address"]);
    expect(withFinalizer(guarded)).toBeUndefined();
    expect(withoutFinalizer(guarded)?.metadata.finalizers).toEqual(["example.com/other"]);
    expect(withoutFinalizer(foreign)).toBeUndefined();
    const leaving = { ...POOL, metadata: { ...POOL.metadata, deletionTimestamp: "2026-03-01T12:00:00Z" } };
    expect(withFinalizer(leaving)).toBeUndefined();
  });
});
