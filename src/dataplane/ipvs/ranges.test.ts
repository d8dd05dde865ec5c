import { expect, it } from "vitest";
import { markOf, Ranges } from "./ranges.ts";
import { refuseRanges } from "./refuse-ranges.ts";

const RANGE = { ip: "192.0.2.20", port: 30000, lastPort: 30009, protocol: "TCP" as const };

it("gives a range the same mark on every node, in the documented span and without kube-proxy's bits", () => {
  expect(markOf(RANGE)).toBe(markOf({ ...RANGE }));
  const marks = Array.from({ length: 1_000 }, (_, index) => markOf({ ...RANGE, lastPort: 30_001 + index }));
  for (const mark of marks) {
    expect(mark).toBeGreaterThanOrEqual(0x70000000);
    expect(mark).toBeLessThanOrEqual(0x7fffffff);
    expect(mark & 0xc000).toBe(0);
  }
  expect(new Set(marks).size).toBeGreaterThan(995);
});

it("knows a range by its mark in its own family, and by the flows that it has", () => {
  const ranges = new Ranges(() => true);
  ranges.note({ ...RANGE, addressPool: "public" });
  ranges.note({ ip: "192.0.2.20", port: 80, protocol: "TCP" });
  expect(ranges.at(4, markOf(RANGE))).toEqual(RANGE);
  expect([ranges.at(6, markOf(RANGE)), ranges.at(4, 7)]).toEqual([undefined, undefined]);
  const flow = { ip: RANGE.ip, protocol: "TCP" as const, clientIp: "10.0.0.1", clientPort: 1024 };
  const found = [29_999, 30_000, 30_009, 30_010].map((port) => ranges.around({ ...flow, port }).length);
  expect(found).toEqual([0, 1, 1, 0]);
});

it("tells two ranges with one mark apart as long as the first has a pool", () => {
  let isOwned = true;
  const ranges = new Ranges(() => isOwned);
  const [one, other] = twins();
  ranges.note(one);
  ranges.note(other);
  expect([ranges.rivalOf(one), ranges.rivalOf(other)]).toEqual([undefined, one]);
  isOwned = false;
  ranges.note(other);
  expect(ranges.rivalOf(other)).toBeUndefined();
});

it("refuses a range on the nodes' addresses, and every one where the kernel marks no packets", () => {
  const pool = {
    uid: "web",
    addresses: [RANGE],
    scheduler: "rr" as const,
    forwarding: "nat" as const,
    affinitySeconds: 0,
    members: [],
  };
  const refuse = (address: object, lacking?: string) =>
    refuseRanges({ kind: "install", pool: { ...pool, addresses: [{ ...RANGE, ...address }] } }, lacking).map(
      ({ message }) => message,
    );
  expect(refuse({})).toEqual([]);
  expect(refuse({ ip: "*" })).toEqual([expect.stringContaining("with an address of the pool's own only")]);
  expect(refuse({}, "no nf_tables")).toEqual([
    expect.stringContaining("no nf_tables; leave spec.lastPort out"),
  ]);
  expect(refuseRanges({ kind: "remove", uid: "web" }, "no nf_tables")).toEqual([]);
});

/** Two ranges that have the same mark by chance: among some ten thousand there are some. */
function twins(): readonly [typeof RANGE, typeof RANGE] {
  const seen = new Map<number, typeof RANGE>();
  for (let port = 1; port < 60_000; port += 1) {
    const range = { ...RANGE, port, lastPort: 65_535 };
    const known = seen.get(markOf(range));
    if (known) return [known, range];
    seen.set(markOf(range), range);
  }
  throw new Error("no two ranges have the same mark");
}
