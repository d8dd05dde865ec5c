import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { hasCode, systemClock } from "../../src/foundation/index.ts";
import {
  type AddressPool,
  type Condition,
  DEFINITIONS,
  type Endpoints,
  type KubeObject,
  type Pool,
  type Service,
} from "../../src/model/index.ts";
import { type ControlPlane, openControlPlane } from "./control-plane.ts";
import { FIELD_ENDPOINTS, FIELD_SERVICE } from "./field-files.ts";

function poolNamed(name: string, spec: Record<string, unknown> = {}): unknown {
  return { apiVersion: "parasaus.io/v1", kind: "Pool", metadata: { name, namespace: "default" }, spec };
}

function addressPoolNamed(name: string, spec: Record<string, unknown>): unknown {
  return { apiVersion: "parasaus.io/v1", kind: "AddressPool", metadata: { name }, spec };
}

function addressOf(pool: Pool | undefined): string | undefined {
  const [address] = pool?.status?.connectAddresses ?? [];
  return address && `${address.ip}:${address.port}/${address.protocol}`;
}

function conditionOf(object: { status?: { conditions?: readonly Condition[] } } | undefined, type: string) {
  return object?.status?.conditions?.find((each) => each.type === type);
}

const isAllocated = (pool: Pool | undefined): boolean => conditionOf(pool, "Allocated")?.status === "True";
const isRefused = (pool: Pool | undefined): boolean => conditionOf(pool, "Allocated")?.status === "False";

async function allocated(
  plane: ControlPlane,
  name: string,
  spec: Record<string, unknown> = {},
): Promise<Pool> {
  await plane.apply(poolNamed(name, spec));
  const pool = await plane.until<Pool>("Pool", `default/${name}`, isAllocated);
  if (!pool) throw new Error(`pool ${name} is gone`);
  return pool;
}

describe("allocator over the embedded store", () => {
  it("never hands one address out twice among 1,000 pools created in parallel", async () => {
    await using plane = await openControlPlane();
    const names = Array.from({ length: 1_000 }, (_, at) => `p${at}`);
    await Promise.all(
      names.map((name) => plane.resources.create(definition("Pool"), poolNamed(name), BY_ALICE)),
    );
    const pools = await allAllocated(plane, 1_000);
    expect(new Set(pools.map(addressOf)).size).toBe(1_000);
    expect(pools.every((pool) => pool.metadata.finalizers?.includes("parasaus.io/address"))).toBe(true);
  });

  it("honours an asked-for port, or names who holds it, and serves the waiting when it is free", async () => {
    await using plane = await openControlPlane();
    await plane.apply(
      addressPoolNamed("vips", { addresses: ["10.9.0.1"], ports: ["80-90"], quarantineSeconds: 0 }),
    );
    const asked = { addressPool: "vips", ip: "10.9.0.1", port: 80, drainSeconds: 0 };
    const web = await allocated(plane, "web", asked);
    expect(addressOf(web)).toBe("10.9.0.1:80/TCP");
    await plane.apply(poolNamed("other", asked));
    const other = await plane.until<Pool>("Pool", "default/other", isRefused);
    expect(conditionOf(other, "Allocated")).toMatchObject({
      reason: "AddressInUse",
      message: "10.9.0.1:80/TCP is held by pool default/web",
    });
    await plane.remove("Pool", "default/web");
    expect(addressOf(await plane.until<Pool>("Pool", "default/other", isAllocated))).toBe("10.9.0.1:80/TCP");
  });

  it("refuses what is outside the ranges, and serves it when the ranges grow", async () => {
    await using plane = await openControlPlane();
    await plane.apply(poolNamed("web", { port: 65_000 }));
    const refused = await plane.until<Pool>("Pool", "default/web", isRefused);
    expect(conditionOf(refused, "Allocated")).toMatchObject({ reason: "OutOfRange" });
    const nodePorts = await plane.get<AddressPool>("AddressPool", "node-ports");
    await plane.apply({ ...nodePorts, spec: { ...nodePorts?.spec, ports: ["30000-65000"] } });
    expect(addressOf(await plane.until<Pool>("Pool", "default/web", isAllocated))).toBe("*:65000/TCP");
  });

  it("says how full an exhausted address pool is, counts it, and goes on when something is freed", async () => {
    await using plane = await openControlPlane();
    await plane.apply(
      addressPoolNamed("few", { addresses: ["10.9.0.1"], ports: ["1000-1009"], quarantineSeconds: 0 }),
    );
    const few = { addressPool: "few", drainSeconds: 0 };
    for (let at = 0; at < 10; at += 1) await allocated(plane, `p${at}`, few);
    await plane.apply(poolNamed("one-more", few));
    const refused = await plane.until<Pool>("Pool", "default/one-more", isRefused);
    expect(conditionOf(refused, "Allocated")).toMatchObject({
      reason: "AddressPoolExhausted",
      message: 'address pool "few" is exhausted: 10 of 10 connect addresses are in use and 0 are kept back',
    });
    const isCounted = (pool: AddressPool | undefined): boolean => pool?.status?.used === 10;
    expect((await plane.until<AddressPool>("AddressPool", "few", isCounted))?.status?.capacity).toBe(10);
    await plane.remove("Pool", "default/p4");
    await plane.until<Pool>("Pool", "default/one-more", isAllocated);
  });

  it("keeps every address over a restart, and what is kept back too", async () => {
    let plane = await openControlPlane();
    try {
      for (let at = 0; at < 20; at += 1) await allocated(plane, `p${at}`);
      const gone = await allocated(plane, "gone");
      await plane.remove("Pool", "default/gone");
      await plane.until("Pool", "default/gone", (pool) => pool === undefined);
      const before = (await plane.list<Pool>("Pool")).map((pool) => [pool.metadata.name, addressOf(pool)]);
      plane = await plane.restart();
      for (let at = 20; at < 40; at += 1) await allocated(plane, `p${at}`);
      const pools = await plane.list<Pool>("Pool");
      const after = new Map(pools.map((pool) => [pool.metadata.name, addressOf(pool)]));
      expect(before.filter(([name, address]) => after.get(name ?? "") !== address)).toEqual([]);
      expect(new Set(after.values()).size).toBe(40);
      expect([...after.values()]).not.toContain(addressOf(gone));
      const port = gone.status?.connectAddresses?.[0]?.port;
      await plane.apply(poolNamed("greedy", { port }));
      const greedy = await plane.until<Pool>("Pool", "default/greedy", isRefused);
      expect(conditionOf(greedy, "Allocated")).toMatchObject({ reason: "AddressQuarantined" });
      expect(addressOf(await allocated(plane, "gone"))).toBe(addressOf(gone));
    } finally {
      await plane[Symbol.asyncDispose]();
    }
  });

  it("releases a deleted pool within a second, so that a delete does not hang", async () => {
    await using plane = await openControlPlane();
    await allocated(plane, "web");
    const startMs = performance.now();
    await plane.remove("Pool", "default/web");
    await plane.until("Pool", "default/web", (pool) => pool === undefined);
    expect(performance.now() - startMs).toBeLessThan(1_000);
    const pool = await plane.get<AddressPool>("AddressPool", "node-ports");
    expect(pool?.status?.quarantine).toMatchObject([{ ip: "*", protocol: "TCP", pool: "default/web" }]);
  });

  it("refuses a member that is the connect address of a pool, also by way of a node's own address", async () => {
    await using plane = await openControlPlane();
    await plane.apply({ apiVersion: "parasaus.io/v1", kind: "Node", metadata: { name: "n1" }, spec: {} });
    const node = { definition: definition("Node"), name: "n1" };
    const body = { status: { addresses: ["192.168.7.1"] } };
    await plane.resources.patch(node, { type: "merge", body }, { ...BY_ALICE, subresource: "status" });
    const web = await allocated(plane, "web");
    const port = web.status?.connectAddresses?.[0]?.port ?? 0;
    await plane.apply(addressPoolNamed("vips", { addresses: ["10.9.0.1"] }));
    await allocated(plane, "vip", { addressPool: "vips", port: 80 });
    for (const [member, holder] of [
      [{ ip: "192.168.7.1", port }, "default/web"],
      [{ ip: "10.9.0.1", port: 80 }, "default/vip"],
    ] as const) {
      const refusal = await plane
        .apply(poolNamed("chain", { members: [member] }))
        .catch((failure: unknown) => failure);
      expect(hasCode(refusal, "Invalid") && refusal.fields[0]?.field).toBe("spec.members[0]");
      expect(hasCode(refusal, "Invalid") && refusal.message).toContain(`pool "${holder}"`);
    }
  });

  it("moves a pool when the operator asks for another port, and keeps the old one when it cannot", async () => {
    await using plane = await openControlPlane();
    await allocated(plane, "other", { port: 30_500 });
    await allocated(plane, "web", { port: 30_400 });
    await plane.apply(poolNamed("web", { port: 30_500 }));
    const kept = await plane.until<Pool>("Pool", "default/web", isRefused);
    expect(addressOf(kept)).toBe("*:30400/TCP");
    await plane.apply(poolNamed("web", { port: 30_600 }));
    const moved = await plane.until<Pool>("Pool", "default/web", isAllocated);
    expect(addressOf(moved)).toBe("*:30600/TCP");
  });
});

describe("circle-watch over the embedded store", () => {
  const key = "parasaus/snake-demo-svc4";

  it("turns the YAML that operators have into a Pool that serves", async () => {
    await using plane = await openControlPlane();
    await plane.apply(parse(FIELD_SERVICE));
    await plane.apply(parse(FIELD_ENDPOINTS));
    const pool = await plane.until<Pool>(
      "Pool",
      key,
      (each) => isAllocated(each) && each?.status?.members?.length === 2 && upCount(each) === 2,
    );
    expect(addressOf(pool)).toBe("*:40796/TCP");
    expect(pool?.spec.members.map(({ ip, port }) => `${ip}:${port}`)).toEqual([
      "10.100.1.53:8090",
      "10.100.1.77:30253",
    ]);
    expect(pool?.spec.healthCheck).toMatchObject({ type: "http", http: { path: "/", expect: ["200-399"] } });
    expect(conditionOf(pool, "Available")).toMatchObject({
      status: "True",
      message: "2 of 2 members are up and take new flows",
    });
  });

  it("follows a second apply that changes http to tcp, without a moment in which no member is up", async () => {
    await using plane = await openControlPlane();
    await plane.apply(parse(FIELD_SERVICE));
    await plane.apply(parse(FIELD_ENDPOINTS));
    await plane.until<Pool>("Pool", key, (pool) => upCount(pool) === 2);
    const seen: number[] = [];
    const watching = new AbortController();
    const watched = (async () => {
      for await (const event of plane.resources.watch(definition("Pool"), { signal: watching.signal })) {
        if (event.type !== "BOOKMARK") seen.push(upCount(event.object as Pool));
      }
    })();
    await plane.apply(parse(FIELD_ENDPOINTS.replace('"http"', '"tcp"')));
    const pool = await plane.until<Pool>("Pool", key, (each) => each?.spec.healthCheck.type === "tcp");
    expect(pool?.spec.healthCheck.http).toBeUndefined();
    await plane.until<Pool>("Pool", key, () => seen.length >= 2);
    watching.abort();
    await watched;
    expect(Math.min(...seen)).toBe(2);
  });

  it("removes the Pool when the Service is deleted", async () => {
    await using plane = await openControlPlane();
    await plane.apply(parse(FIELD_SERVICE));
    await plane.until<Pool>("Pool", key, isAllocated);
    await plane.remove("Service", key);
    await plane.until("Pool", key, (pool) => pool === undefined);
  });

  it("writes the allocated node port back, and the address of a LoadBalancer", async () => {
    await using plane = await openControlPlane();
    await plane.apply(serviceNamed("web", { type: "NodePort", ports: [{ port: 80 }] }));
    const isWritten = (service: Service | undefined): boolean =>
      service?.spec.ports?.[0]?.nodePort !== undefined;
    const service = await plane.until<Service>("Service", "default/web", isWritten);
    const pool = await plane.get<Pool>("Pool", "default/web");
    expect(addressOf(pool)).toBe(`*:${service?.spec.ports?.[0]?.nodePort}/TCP`);

    await plane.apply(
      serviceNamed("shop", {
        type: "LoadBalancer",
        ports: [
          { name: "a", port: 80 },
          { name: "b", port: 443 },
        ],
      }),
    );
    await plane.until<Service>(
      "Service",
      "default/shop",
      (each) => conditionOf(each, "NoAddressPool")?.status === "True",
    );
    await plane.apply(addressPoolNamed("vips", { addresses: ["10.9.0.0/30"] }));
    const hasIp = (each: Service | undefined): boolean => each?.status?.loadBalancer?.ingress?.length === 1;
    const shop = await plane.until<Service>("Service", "default/shop", hasIp);
    expect(conditionOf(shop, "NoAddressPool")).toBeUndefined();
    const second = await plane.until<Pool>("Pool", "default/shop-b", isAllocated);
    expect(addressOf(second)).toBe(`${shop?.status?.loadBalancer?.ingress?.[0]?.ip}:443/TCP`);
  });

  it("says that a name is taken, and goes on when it is free", async () => {
    await using plane = await openControlPlane();
    await allocated(plane, "web");
    await plane.apply(serviceNamed("web", { type: "NodePort", ports: [{ port: 80 }] }));
    const taken = await plane.until<Service>("Service", "default/web", (each) =>
      Boolean(conditionOf(each, "PoolNameTaken")),
    );
    expect(conditionOf(taken, "PoolNameTaken")?.message).toContain("default/web");
    await plane.remove("Pool", "default/web");
    const isOwned = (pool: Pool | undefined): boolean => pool?.metadata.ownerReferences?.[0]?.name === "web";
    await plane.until<Pool>("Pool", "default/web", isOwned);
    await plane.until<Service>("Service", "default/web", (each) => !conditionOf(each, "PoolNameTaken"));
  });

  it("refuses an operator's edit of what the Service owns, and keeps one of what it does not", async () => {
    await using plane = await openControlPlane();
    await plane.apply(parse(FIELD_SERVICE));
    await plane.apply(parse(FIELD_ENDPOINTS));
    const pool = await plane.until<Pool>("Pool", key, (each) => upCount(each) === 2);
    const reference = { definition: definition("Pool"), namespace: "parasaus", name: "snake-demo-svc4" };
    const patch = (body: unknown) => plane.resources.patch(reference, { type: "merge", body }, BY_ALICE);
    const refusal = await patch({ spec: { port: 40_000 } }).catch((failure: unknown) => failure);
    expect(hasCode(refusal, "Invalid") && refusal.message).toContain('Service "parasaus/snake-demo-svc4"');
    const members = pool?.spec.members.map((member, at) => ({
      ...member,
      state: at === 0 ? "drain" : "ready",
    }));
    await patch({ spec: { members, scheduler: "lc" } });
    const grown = parse(FIELD_ENDPOINTS) as Endpoints;
    const subsets = [
      ...(grown.subsets ?? []),
      { addresses: [{ ip: "10.100.1.99" }], ports: [{ name: "dcmp-svc4", port: 1 }] },
    ];
    await plane.apply({ ...grown, subsets });
    const merged = await plane.until<Pool>("Pool", key, (each) => each?.spec.members.length === 3);
    expect(merged?.spec.scheduler).toBe("lc");
    expect(merged?.spec.members.map(({ state }) => state)).toEqual(["drain", "ready", undefined]);
  });
});

const BY_ALICE = { operator: "alice" } as const;

function definition(kind: string) {
  const found = DEFINITIONS.find((each) => each.kind === kind);
  if (!found) throw new Error(`there is no kind ${kind}`);
  return found;
}

function serviceNamed(name: string, spec: unknown): KubeObject & { spec: unknown } {
  return { apiVersion: "v1", kind: "Service", metadata: { name, namespace: "default" }, spec };
}

function upCount(pool: Pool | undefined): number {
  return pool?.status?.members?.filter(({ verdict }) => verdict === "up").length ?? 0;
}

async function allAllocated(plane: ControlPlane, count: number, withinMs = 60_000): Promise<Pool[]> {
  const deadlineMs = performance.now() + withinMs;
  for (;;) {
    const pools = await plane.list<Pool>("Pool");
    const ready = pools.filter(isAllocated);
    if (ready.length === count) return ready;
    if (performance.now() > deadlineMs)
      throw new Error(`${ready.length} of ${pools.length} pools are allocated`);
    await systemClock.sleep(100);
  }
}
