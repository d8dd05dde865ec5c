import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { AddressPool, ConnectAddress } from "../../model/index.ts";
import { type Allocation, type AllocationRequest, allocate } from "./allocate.ts";
import { AddressLedger, type Holder } from "./ledger.ts";
import { capacityOf, readRanges } from "./ranges.ts";

type Wanted = Partial<AllocationRequest["spec"]>;

function lab(pools: Record<string, Partial<AddressPool["spec"]>> = {}) {
  const ledger = new AddressLedger();
  const specs: Record<string, Partial<AddressPool["spec"]>> = {
    "node-ports": { addresses: ["node"], ports: ["30000-30009"] },
    ...pools,
  };
  const addressPools = new Map(
    Object.entries(specs).map(([name, partial]) => {
      const spec = {
        addresses: [],
        ports: [],
        autoAssign: true,
        priority: 0,
        quarantineSeconds: 30,
        ...partial,
      };
      return [name, { name, spec, ranges: readRanges(spec) }];
    }),
  );
  let nowMs = 0;
  const holderOf = (name: string): Holder => ({ uid: `uid-${name}`, key: `default/${name}` });
  const ask = (name: string, wanted: Wanted = {}, startPort = 0): Allocation => {
    const spec = { addressPool: "node-ports", protocol: "TCP", ...wanted } as const;
    return allocate({ holder: holderOf(name), spec, nowMs, startPort }, ledger, addressPools);
  };
  const take = (name: string, wanted: Wanted = {}, startPort = 0): ConnectAddress => {
    const allocation = ask(name, wanted, startPort);
    if (allocation.kind === "refused") throw new Error(`${name}: ${allocation.message}`);
    if (allocation.kind === "granted") ledger.release(holderOf(name), nowMs + 30_000);
    if (allocation.kind === "granted") ledger.claim(allocation.address, holderOf(name));
    return allocation.address;
  };
  const release = (name: string, seconds = 30) => ledger.release(holderOf(name), nowMs + seconds * 1_000);
  const advance = (seconds: number): void => {
    nowMs += seconds * 1_000;
    ledger.expire(nowMs);
  };
  return { ledger, ask, take, release, advance };
}

describe("allocating connect addresses", () => {
  it("hands out every port of node-ports once, then says how full it is", () => {
    const { take, ask } = lab();
    const ports = Array.from({ length: 10 }, (_, at) => take(`pool-${at}`).port);
    expect(new Set(ports).size).toBe(10);
    expect(ask("one-more")).toEqual({
      kind: "refused",
      reason: "AddressPoolExhausted",
      message:
        'address pool "node-ports" is exhausted: 10 of 10 connect addresses are in use and 0 are kept back',
    });
  });

  it("hands out all 35,000 of node-ports quickly, and tells the 35,001st with numbers", () => {
    const { take, ask } = lab({ "node-ports": { addresses: ["node"], ports: ["30000-64999"] } });
    const ports = new Set(
      Array.from({ length: 35_000 }, (_, at) => take(`pool-${at}`, {}, 30_000 + at).port),
    );
    expect([ports.size, Math.min(...ports), Math.max(...ports)]).toEqual([35_000, 30_000, 64_999]);
    expect(ask("one-more")).toMatchObject({
      reason: "AddressPoolExhausted",
      message: expect.stringContaining("35000 of 35000 connect addresses are in use"),
    });
  });

  it("grants an asked-for port, or says which pool holds it", () => {
    const { take, ask } = lab();
    expect(take("web", { port: 30_004 })).toMatchObject({ ip: "*", port: 30_004, protocol: "TCP" });
    expect(ask("other", { port: 30_004 })).toEqual({
      kind: "refused",
      reason: "AddressInUse",
      message: "*:30004/TCP is held by pool default/web",
    });
  });

  it("refuses what is outside the ranges, and says what they are", () => {
    const { ask } = lab({ vips: { addresses: ["10.0.0.0/30"], ports: ["80", "443"] } });
    expect(ask("web", { port: 80 })).toMatchObject({ reason: "OutOfRange" });
    expect(ask("web", { addressPool: "vips", ip: "10.0.0.9", port: 80 })).toMatchObject({
      reason: "OutOfRange",
      message: 'address 10.0.0.9 is outside address pool "vips" (10.0.0.0/30)',
    });
    expect(ask("web", { addressPool: "nowhere" })).toMatchObject({ reason: "AddressPoolNotFound" });
  });

  it("gives a pool an address of its members' family, and refuses by name where there is none", () => {
    const { take, ask } = lab({
      both: { addresses: ["10.9.0.0/31", "2001:db8::/64"], ports: ["80"] },
      old: { addresses: ["10.9.1.1"], ports: ["80"] },
    });
    const members = [{ ip: "2001:db8:1::1", port: 80 }];
    expect(take("six", { addressPool: "both", port: 80, members }).ip).toBe("2001:db8::");
    expect(take("next", { addressPool: "both", port: 80, members }).ip).toBe("2001:db8::1");
    expect(take("asked", { addressPool: "both", ip: "2001:db8::ff", port: 80, members }).port).toBe(80);
    const four = [{ ip: "10.0.0.1", port: 80 }];
    expect(take("four", { addressPool: "both", port: 80, members: four }).ip).toBe("10.9.0.0");
    expect(take("six", { addressPool: "both", port: 80, members: four }).ip).toBe("10.9.0.1");
    expect(ask("none", { addressPool: "old", members })).toMatchObject({
      reason: "OutOfRange",
      message: 'address pool "old" has no IPv6 addresses (10.9.1.1)',
    });
    expect(ask("nodes", { members })).toMatchObject({ reason: "OutOfRange" });
  });

  it("counts a prefix of IPv6 as far as numbers go", () => {
    const spec = { addresses: ["2001:db8::/64"], ports: ["80"], autoAssign: true, priority: 0 };
    expect(capacityOf(readRanges({ ...spec, quarantineSeconds: 30 }))).toBe(Number.MAX_SAFE_INTEGER);
    const few = { ...spec, addresses: ["2001:db8::/126", "2001:db8::3-2001:db8::5"] };
    expect(capacityOf(readRanges({ ...few, quarantineSeconds: 30 }))).toBe(6);
  });

  it("lets TCP and UDP share a port only when it is asked for", () => {
    const { take } = lab({ "node-ports": { addresses: ["node"], ports: ["30000-30001"] } });
    take("tcp", { port: 30_000 });
    expect(take("udp", { protocol: "UDP" }).port).toBe(30_001);
    expect(take("dns", { protocol: "UDP", port: 30_000 })).toMatchObject({ port: 30_000, protocol: "UDP" });
  });

  it("keeps a released address back from everybody but the next pool of the same name", () => {
    const { take, release, ask, advance } = lab();
    const { port } = take("web");
    release("web");
    expect(ask("other", { port })).toMatchObject({ reason: "AddressQuarantined" });
    expect(ask("other")).not.toMatchObject({ address: { port } });
    expect(ask("web")).toMatchObject({ kind: "granted", address: { port } });
    advance(30);
    expect(ask("other", { port })).toMatchObject({ kind: "granted" });
  });

  it("counts what is kept back when it says that the pool is exhausted", () => {
    const { take, release, ask } = lab();
    for (let at = 0; at < 10; at += 1) take(`pool-${at}`);
    release("pool-3");
    const answer = ask("one-more");
    expect(answer).toMatchObject({ reason: "AddressPoolExhausted" });
    expect(answer).toMatchObject({ message: expect.stringContaining("9 of 10") });
    expect(answer).toMatchObject({ message: expect.stringContaining("1 are kept back") });
  });

  it("keeps what a pool holds when its address pool shrinks or goes, and moves it only on request", () => {
    const { take, ask, ledger } = lab({ vips: { addresses: ["10.0.0.1"], ports: ["80-90"] } });
    take("web", { addressPool: "vips", port: 80 });
    expect(ask("web", { addressPool: "vips", port: 80 })).toMatchObject({ kind: "kept" });
    const gone = allocate(
      {
        holder: { uid: "uid-web", key: "default/web" },
        spec: { addressPool: "vips", protocol: "TCP" },
        nowMs: 0,
        startPort: 0,
      },
      ledger,
      new Map(),
    );
    expect(gone).toMatchObject({ kind: "kept", address: { ip: "10.0.0.1", port: 80 } });
    expect(ask("web", { addressPool: "vips", port: 81 })).toMatchObject({
      kind: "granted",
      address: { port: 81 },
    });
  });

  it("gives each pool that asks for one port an address of its own while there is one, then shares", () => {
    const { take } = lab({ vips: { addresses: ["10.0.0.1-10.0.0.2"], ports: ["1-65535"] } });
    const ips = ["a", "b"].map((name) => take(name, { addressPool: "vips", port: 80 }).ip);
    expect(ips).toEqual(["10.0.0.1", "10.0.0.2"]);
    expect(take("c", { addressPool: "vips", port: 443 })).toMatchObject({ ip: "10.0.0.1", port: 443 });
  });

  it("gives a range of ports to one pool, and none of its ports to another one", () => {
    const { take, ask, release, advance } = lab({ vips: { addresses: ["10.0.0.1"], ports: ["1-65535"] } });
    const range = { addressPool: "vips", port: 8000, lastPort: 8099 };
    expect(take("media", range)).toMatchObject({ ip: "10.0.0.1", port: 8000, lastPort: 8099 });
    for (const wanted of [{ port: 8050 }, { port: 8099, lastPort: 9000 }, { port: 7000, lastPort: 8000 }])
      expect(ask("web", { addressPool: "vips", ...wanted })).toMatchObject({
        reason: "AddressInUse",
        message: expect.stringContaining("is held by pool default/media as 10.0.0.1:8000-8099/TCP"),
      });
    expect(ask("media", range)).toMatchObject({ kind: "kept" });
    expect(take("web", { addressPool: "vips", port: 8100 }).port).toBe(8100);
    expect(take("media", { ...range, lastPort: 8009 })).toMatchObject({ lastPort: 8009 });
    expect(ask("web", { addressPool: "vips", port: 8050 }), "flows of the range may go on").toMatchObject({
      reason: "AddressQuarantined",
    });
    advance(30);
    expect(ask("web", { addressPool: "vips", port: 8050 })).toMatchObject({ kind: "granted" });
    release("media");
    expect(ask("web", { addressPool: "vips", port: 8009 })).toMatchObject({ reason: "AddressQuarantined" });
    expect(ask("media", { ...range, lastPort: 8009 })).toMatchObject({ kind: "granted" });
    advance(30);
    expect(ask("web", { addressPool: "vips", port: 8000, lastPort: 8099 })).toMatchObject({
      kind: "granted",
    });
  });

  it("counts every port of a range, and refuses one that leaves the address pool's ports", () => {
    const { take, ask, ledger } = lab({ vips: { addresses: ["10.0.0.1"], ports: ["8000-8099"] } });
    take("media", { addressPool: "vips", port: 8000, lastPort: 8009 });
    expect(ledger.countWithin(() => true)).toEqual({ held: 10, quarantined: 0 });
    expect(ask("web", { addressPool: "vips", port: 8090, lastPort: 8100 })).toMatchObject({
      reason: "OutOfRange",
      message: 'port 8090-8100 is outside address pool "vips" (8000-8099)',
    });
  });

  it("says that a port is free on none of the addresses", () => {
    const { take, ask } = lab({ vips: { addresses: ["10.0.0.1-10.0.0.2"], ports: ["1-65535"] } });
    take("a", { addressPool: "vips", port: 80 });
    take("b", { addressPool: "vips", port: 80 });
    expect(ask("c", { addressPool: "vips", port: 80 })).toMatchObject({
      reason: "AddressPoolExhausted",
      message: expect.stringContaining("port 80 is free on none of its 2 addresses"),
    });
  });

  it("never lets a node's own address and every node's addresses meet on one port", () => {
    const { take, ask, ledger } = lab({ vips: { addresses: ["192.168.1.5"], ports: ["30000-30009"] } });
    ledger.setNodeIps(new Set(["192.168.1.5"]));
    take("all", { port: 30_001 });
    expect(ask("one", { addressPool: "vips", ip: "192.168.1.5", port: 30_001 })).toMatchObject({
      reason: "AddressInUse",
      message: "192.168.1.5:30001/TCP is held by pool default/all as *:30001/TCP",
    });
    take("one", { addressPool: "vips", ip: "192.168.1.5", port: 30_002 });
    expect(ask("other", { port: 30_002 })).toMatchObject({ reason: "AddressInUse" });
  });

  it("never hands one address to two pools, whatever is taken and released in whatever order", () => {
    const step = fc.record({
      name: fc.integer({ min: 0, max: 19 }),
      action: fc.constantFrom("take", "take", "release", "wait"),
      port: fc.option(fc.integer({ min: 30_000, max: 30_009 }), { nil: undefined }),
      protocol: fc.constantFrom("TCP" as const, "UDP" as const),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const { take, release, advance, ledger } = lab();
        const names = new Set<string>();
        for (const { name, action, port, protocol } of steps) {
          if (action === "wait") advance(10);
          else if (action === "release") release(`p${name}`);
          else attempt(() => take(`p${name}`, { protocol, ...(port === undefined ? {} : { port }) }));
          names.add(`p${name}`);
          const held = [...names]
            .map((each) => ledger.addressOf(`uid-${each}`))
            .filter((each) => each !== undefined);
          const texts = held.map((each) => `${each.ip}:${each.port}/${each.protocol}`);
          expect(new Set(texts).size).toBe(texts.length);
        }
      }),
      { numRuns: 300 },
    );
  });
});

function attempt(action: () => unknown): void {
  try {
    action();
  } catch (failure) {
    expect(String(failure)).toMatch(/held by|kept back|exhausted/);
  }
}
