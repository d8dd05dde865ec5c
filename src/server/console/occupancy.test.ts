import { describe, expect, it } from "vitest";
import {
  type AddressPool,
  type ConnectAddress,
  type KubeObject,
  type Pool,
  poolDefinition,
} from "../../model/index.ts";
import { addressesIn, layOut, useInBlocks } from "./occupancy.ts";

const SINCE = "2026-01-01T00:00:00Z";

function addressPool(spec: Partial<AddressPool["spec"]>, status: AddressPool["status"] = {}): AddressPool {
  const full = {
    addresses: ["node"],
    ports: ["30000-64999"],
    autoAssign: true,
    priority: 0,
    quarantineSeconds: 30,
  };
  return { metadata: { name: "some" }, spec: { ...full, ...spec }, status } as AddressPool;
}

function holder(name: string, address: Partial<ConnectAddress>): Pool {
  const connectAddresses = [{ ip: "*", port: 30_000, protocol: "TCP", ...address }];
  const conditions = [{ type: "Allocated", status: "True", lastTransitionTime: SINCE }];
  return poolDefinition.applyDefaults({
    ...{ apiVersion: "parasaus.io/v1", kind: "Pool" },
    metadata: { name, namespace: "shop" },
    spec: { members: [] },
    status: { connectAddresses, conditions },
  } as KubeObject) as Pool;
}

function useOf(pool: AddressPool, ...pools: readonly Pool[]) {
  const line = layOut(pool.spec);
  return useInBlocks(pool, line, addressesIn(line, pool, pools));
}

describe("layOut", () => {
  it("gives every connect address a place, and back", () => {
    const { placeOf, addressAt, capacityCount } = layOut(
      addressPool({ addresses: ["10.0.0.1-10.0.0.2", "fd00::1"], ports: ["80", "443-444"] }).spec,
    );
    const all = Array.from({ length: 9 }, (_, place) => addressAt(place));
    expect(all.slice(0, 4)).toEqual(["10.0.0.1:80", "10.0.0.1:443", "10.0.0.1:444", "10.0.0.2:80"]);
    expect(all.at(-1)).toBe("[fd00::1]:444");
    expect([capacityCount, placeOf("10.0.0.2", 444), placeOf("fd00::1", 443)]).toEqual([9, 5, 7]);
    expect([placeOf("10.0.0.3", 80), placeOf("10.0.0.1", 81), placeOf("*", 80)]).toEqual([
      ...[undefined, undefined, undefined],
    ]);
  });
});

describe("useInBlocks", () => {
  it("counts what is held and what is kept back, each port once for all protocols", () => {
    const kept = { ip: "*", port: 64_999, protocol: "TCP", pool: "shop/old", until: SINCE } as const;
    const pool = addressPool({}, { quarantine: [kept] });
    const use = useOf(
      pool,
      holder("a", {}),
      holder("b", { protocol: "UDP" }),
      holder("c", { port: 30_200 }),
      holder("elsewhere", { ip: "10.9.9.9" }),
    );
    expect(use).toMatchObject({
      capacityCount: 35_000,
      usedCount: 2,
      quarantinedCount: 1,
      blockSizeCount: 137,
    });
    expect(use.blocks.length).toBe(256);
    expect(use.blocks[0]).toMatchObject({ first: "*:30000", last: "*:30136", sizeCount: 137, usedCount: 1 });
    expect(use.blocks[1]?.usedCount).toBe(1);
    expect(use.blocks.at(-1)).toMatchObject({ last: "*:64999", sizeCount: 65, quarantinedCount: 1 });
    expect(use.blocks.reduce((sum, { sizeCount }) => sum + sizeCount, 0)).toBe(35_000);
  });

  it("counts every port of a range", () => {
    const pool = addressPool({ addresses: ["10.0.0.1"], ports: ["8000-8009"] });
    const use = useOf(pool, holder("range", { ip: "10.0.0.1", port: 8_002, lastPort: 8_005 }));
    expect(use.blocks.map(({ usedCount }) => usedCount)).toEqual([0, 0, 1, 1, 1, 1, 0, 0, 0, 0]);
    expect(use.usedCount).toBe(4);
  });
});

describe("addressesIn", () => {
  it("says who holds what since when, and what is kept back until when, in order", () => {
    const kept = {
      ip: "*",
      port: 30_001,
      protocol: "TCP",
      pool: "shop/old",
      until: "2026-01-02T00:00:00Z",
    } as const;
    const pool = addressPool({}, { quarantine: [kept] });
    const rows = addressesIn(layOut(pool.spec), pool, [holder("c", { port: 40_000 }), holder("a", {})]);
    expect(rows.map(({ row }) => [row.port, row.pool, row.since, row.until])).toEqual([
      [30_000, "a", SINCE, undefined],
      [30_001, "old", "", "2026-01-02T00:00:00Z"],
      [40_000, "c", SINCE, undefined],
    ]);
  });
});
