import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  type AddressPool,
  completeMember,
  type EndpointSubset,
  type Endpoints,
  type Pool,
  poolDefinition,
  type Service,
} from "../../model/index.ts";
import { generate } from "./generate.ts";
import { mergedPool, newPool } from "./merge.ts";
import { writeBack } from "./write-back.ts";

const VIPS: AddressPool = {
  apiVersion: "parasaus.io/v1",
  kind: "AddressPool",
  metadata: { name: "vips" },
  spec: {
    ...{ addresses: ["10.9.0.0/24"], ports: ["1-65535"], autoAssign: true, priority: 0 },
    quarantineSeconds: 30,
  },
};
const HTTP = { name: "http", port: 8_080 };
const SUBSETS: readonly EndpointSubset[] = [
  { addresses: [{ ip: "10.0.0.1" }, { ip: "10.0.0.2" }], ports: [HTTP, { name: "admin", port: 9_090 }] },
];

const service = (spec: Service["spec"], annotations: Record<string, string> = {}): Service => ({
  ...{ apiVersion: "v1", kind: "Service", spec },
  metadata: { name: "web", namespace: "shop", uid: "u", annotations },
});
const endpoints = (subsets = SUBSETS, annotations: Record<string, string> = {}): Endpoints => ({
  ...{ apiVersion: "v1", kind: "Endpoints", subsets },
  metadata: { name: "web", namespace: "shop", annotations },
});
const NODE_PORT = service({
  type: "NodePort",
  ports: [
    { name: "http", port: 80, nodePort: 30_080 },
    { name: "admin", port: 90, nodePort: 30_090 },
  ],
});

/** As the store would answer: with defaults. */
const stored = (pool: unknown): Pool => poolDefinition.applyDefaults(pool as Pool) as Pool;

/** The pool of one port as circle-watch makes it, or makes it anew. */
function follow(of: Service, ends: Endpoints | undefined, portName = "http", pool?: Pool): Pool {
  const owned = pool ? [pool] : [];
  const { pools } = generate({ service: of, endpoints: ends, owned, addressPools: [VIPS] });
  const wanted = pools.find((each) => each.portName === portName);
  if (!wanted) throw new Error(`The Service has no pool for ${portName}`);
  return stored(pool ? (mergedPool(pool, wanted) ?? pool) : newPool(of, wanted));
}

function write(
  of: Service,
  ends: Endpoints | undefined,
  change: (spec: Pool["spec"]) => object,
  port = "http",
) {
  const pool = follow(of, ends, port);
  const wanted = stored({ ...pool, spec: { ...pool.spec, ...change(pool.spec) } });
  const back = writeBack({ service: of, endpoints: ends, pool, wanted });
  return { ...back, wanted, followed: follow(back.service, back.endpoints, port, back.pool) };
}

/** With what is not written, in an order that says nothing. */
const whole = ({ spec }: Pool) => ({
  ...spec,
  members: spec.members
    .map(completeMember)
    .toSorted((a, b) => (`${a.ip}:${a.port}` < `${b.ip}:${b.port}` ? -1 : 1)),
});

describe("writing a pool back through its Service", () => {
  it("changes the port of the Service, and nothing else", () => {
    const {
      service: after,
      endpoints: ends,
      followed,
    } = write(NODE_PORT, undefined, () => ({ port: 30_081 }));
    expect(after.spec.ports).toEqual([
      { name: "http", port: 80, nodePort: 30_081 },
      { name: "admin", port: 90, nodePort: 30_090 },
    ]);
    expect([ends, followed.spec.port]).toEqual([undefined, 30_081]);
  });

  it("changes address, address pool and affinity of a LoadBalancer", () => {
    const before = service(
      { type: "LoadBalancer", sessionAffinity: "ClientIP", ports: [{ name: "http", port: 80 }] },
      { "parasaus.io/address-pool": "vips" },
    );
    const affinity = { type: "ClientIP", timeoutSeconds: 60 } as const;
    const {
      service: after,
      wanted,
      followed,
    } = write(before, endpoints(), () => ({
      ...{ ip: "10.9.0.7", port: 81, sessionAffinity: affinity },
    }));
    expect(after.spec).toMatchObject({
      ...{ loadBalancerIP: "10.9.0.7", ports: [{ name: "http", port: 81 }] },
      sessionAffinityConfig: { clientIP: { timeoutSeconds: 60 } },
    });
    expect(whole(followed)).toEqual(whole(wanted));
  });

  it("writes what an annotation sets where that stands, and leaves the rest to the pool", () => {
    const ends = endpoints(SUBSETS, {
      healthCheckType: "http",
      "parasaus.io/weights": "10.0.0.1=2,10.0.0.2=3",
    });
    const before = service(NODE_PORT.spec, { "parasaus.io/scheduler": "wrr" });
    const { wanted, followed, ...after } = write(before, ends, ({ members, healthCheck }) => ({
      ...{ scheduler: "lc", drainSeconds: 7, healthCheck: { ...healthCheck, type: "tcp" } },
      members: members.map((member, index) => ({ ...member, weight: index === 0 ? 9 : member.weight })),
    }));
    expect(after.service.metadata.annotations).toEqual({ "parasaus.io/scheduler": "lc" });
    expect(after.endpoints?.metadata.annotations).toEqual({
      ...{ healthCheckType: "tcp", "parasaus.io/weights": "10.0.0.1=2,10.0.0.2=3,10.0.0.1:8080=9" },
    });
    expect(after.pool.spec).toMatchObject({ scheduler: "wrr", drainSeconds: 7 });
    const { http: _gone, ...healthCheck } = wanted.spec.healthCheck;
    expect(whole(followed)).toEqual({ ...whole(wanted), healthCheck });
  });

  it("brings the details of a check along with its type", () => {
    const ends = endpoints(SUBSETS, { healthCheckType: "tcp" });
    const http = { method: "GET", path: "/ready", expect: ["200-299", "301"] } as const;
    const { wanted, followed, pool } = write(NODE_PORT, ends, ({ healthCheck }) => ({
      healthCheck: { ...healthCheck, type: "http", http },
    }));
    expect(pool.spec.healthCheck).toMatchObject({ type: "tcp" });
    expect(whole(followed)).toEqual(whole(wanted));
  });

  it("takes a member away from one port, and leaves it to the others", () => {
    const { endpoints: after } = write(NODE_PORT, endpoints(), ({ members }) => ({
      members: members.slice(1),
    }));
    const pools = ["http", "admin"].map((port) => follow(NODE_PORT, after, port).spec.members);
    expect(pools.map((members) => members.map(({ ip, port }) => `${ip}:${port}`).sort())).toEqual([
      ["10.0.0.2:8080"],
      ["10.0.0.1:9090", "10.0.0.2:9090"],
    ]);
  });

  it("makes Endpoints where there are none", () => {
    const members = [{ ip: "10.0.0.9", port: 81 }];
    const { endpoints: after, followed } = write(NODE_PORT, undefined, () => ({ members }));
    expect(after?.subsets).toEqual([
      { addresses: [{ ip: "10.0.0.9" }], ports: [{ name: "http", port: 81 }] },
    ]);
    expect(followed.spec.members).toMatchObject(members);
  });

  it.each<[string, (spec: Pool["spec"]) => object]>([
    ["spec.ip", () => ({ ip: "10.9.0.1" })],
    ["spec.addressPool", () => ({ addressPool: "vips" })],
    ["spec.lastPort", () => ({ lastPort: 30_085 })],
    [
      "spec.members[2].weight",
      ({ members }) => ({ members: [...members, { ip: "10.0.0.3", port: 1, weight: 4 }] }),
    ],
    [
      "spec.members[2].state",
      ({ members }) => ({ members: [...members, { ip: "10.0.0.3", port: 1, state: "drain" }] }),
    ],
  ])("says that a NodePort Service cannot say %s", (field, change) => {
    expect(write(NODE_PORT, endpoints(), change).problems.map((each) => each.field)).toEqual([field]);
  });

  it("says that a member which is not ready has no weight", () => {
    const ends = endpoints([{ notReadyAddresses: [{ ip: "10.0.0.1" }], ports: [HTTP] }]);
    const weighted = ({ members }: Pool["spec"]) => ({
      members: members.map((each) => ({ ...each, weight: 4 })),
    });
    expect(write(NODE_PORT, ends, weighted).problems.map(({ field }) => field)).toEqual([
      "spec.members[0].weight",
    ]);
  });
});

const port = fc.integer({ min: 1, max: 3 }).map((last) => 8_079 + last);
const member = fc.record({ ip: fc.integer({ min: 1, max: 4 }).map((last) => `10.0.0.${last}`), port });
const members = fc.uniqueArray(member, { maxLength: 5, selector: (each) => `${each.ip}:${each.port}` });
const addresses = fc.uniqueArray(
  member.map(({ ip }) => ({ ip })),
  { minLength: 1, maxLength: 3, selector: ({ ip }) => ip },
);
const subset = fc.record({
  addresses,
  ports: fc.oneof(
    port.map((number) => [{ name: "http", port: number }]),
    port.map((number) => [
      { name: "http", port: number },
      { name: "admin", port: 9_090 },
    ]),
  ),
});

it("comes back as the pool that was wanted, and leaves the other port's pool alone (fast-check)", () => {
  const change = fc.record({
    members,
    port: fc.integer({ min: 30_000, max: 30_010 }),
    protocol: fc.constantFrom("TCP" as const, "UDP" as const),
    drainSeconds: fc.integer({ min: 0, max: 9 }),
    scheduler: fc.constantFrom("rr", "lc"),
  });
  fc.assert(
    fc.property(fc.array(subset, { maxLength: 3 }), fc.boolean(), change, (subsets, isAnnotated, wish) => {
      const of = service(NODE_PORT.spec, isAnnotated ? { "parasaus.io/scheduler": "wrr" } : {});
      const ends = endpoints(subsets);
      const healthCheck = { type: wish.protocol === "UDP" ? "none" : "tcp" };
      const { problems, wanted, followed, ...after } = write(of, ends, () => ({ ...wish, healthCheck }));
      expect(problems).toEqual([]);
      expect(whole(followed)).toEqual(whole(wanted));
      const admin = [
        follow(of, ends, "admin"),
        follow(after.service, after.endpoints, "admin", follow(of, ends, "admin")),
      ];
      expect(admin.map((pool) => ({ ...whole(pool), scheduler: "" }))[1]).toEqual(
        admin.map((pool) => ({ ...whole(pool), scheduler: "" }))[0],
      );
    }),
    { numRuns: 300 },
  );
});
