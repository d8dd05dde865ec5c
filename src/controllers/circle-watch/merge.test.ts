import { describe, expect, it } from "vitest";
import { hasCode, type ParasausError } from "../../foundation/index.ts";
import { type Pool, poolDefinition, type Service } from "../../model/index.ts";
import type { WantedPool } from "./generate.ts";
import { mergedPool, newPool } from "./merge.ts";
import { CIRCLE_WATCH_OPERATOR, poolOwnershipAdmission } from "./ownership.ts";

const SERVICE: Service = {
  apiVersion: "v1",
  kind: "Service",
  metadata: { name: "web", namespace: "default", uid: "uid-web", labels: { team: "shop" } },
  spec: {},
};
const WANTED_MEMBER = { ip: "10.0.0.1", port: 80 };
const WANTED: WantedPool = {
  name: "web",
  portName: "http",
  fields: { addressPool: "node-ports", protocol: "TCP", port: 30_080 },
  members: [
    { ip: "10.0.0.1", port: 80 },
    { ip: "10.0.0.2", port: 80 },
  ],
};

const wanted = (change: Partial<WantedPool>): WantedPool => ({ ...WANTED, ...change });
const withFields = (fields: Record<string, unknown>): WantedPool =>
  wanted({ fields: { ...WANTED.fields, ...fields } });

/** As the store would answer: with defaults. */
const stored = (pool: unknown): Pool => poolDefinition.applyDefaults(pool as Pool) as Pool;
const created = (from: WantedPool = WANTED): Pool => stored(newPool(SERVICE, from));
const merged = (pool: Pool, next: WantedPool): Pool => stored(mergedPool(pool, next) ?? pool);
const edited = (pool: Pool, spec: Partial<Pool["spec"]>): Pool => ({
  ...pool,
  spec: { ...pool.spec, ...spec },
});

describe("merging a Service into its Pool", () => {
  it("creates a Pool that belongs to the Service, with its labels and the finalizer", () => {
    expect(created().metadata).toMatchObject({
      name: "web",
      namespace: "default",
      labels: { team: "shop" },
      finalizers: ["parasaus.io/address"],
      ownerReferences: [{ kind: "Service", name: "web", uid: "uid-web", controller: true }],
    });
    expect(created().spec).toMatchObject({ port: 30_080, scheduler: "rr", healthCheck: { type: "tcp" } });
  });

  it("changes nothing the second time", () => {
    const everything = withFields({
      "healthCheck.type": "http",
      "healthCheck.http.path": "/ready",
      "healthCheck.interval": "1s",
      scheduler: "wrr",
    });
    const pool = created({ ...everything, members: [{ ip: "10.0.0.1", port: 80, weight: 0 }] });
    expect(
      mergedPool(pool, { ...everything, members: [{ ip: "10.0.0.1", port: 80, weight: 0 }] }),
    ).toBeUndefined();
  });

  it("leaves what the operator set alone: scheduler, check, weights, admin states", () => {
    const operated = edited(created(), {
      scheduler: "lc",
      healthCheck: { ...created().spec.healthCheck, type: "http", fall: 7 },
      members: created().spec.members.map((member, at) => ({ ...member, weight: 7 + at, state: "drain" })),
    });
    const next = merged(operated, wanted({ members: [...WANTED.members, { ip: "10.0.0.3", port: 80 }] }));
    expect(next.spec).toMatchObject({ scheduler: "lc", healthCheck: { type: "http", fall: 7 } });
    expect(next.spec.members.map(({ weight, state }) => [weight, state])).toEqual([
      [7, "drain"],
      [8, "drain"],
      [1, undefined],
    ]);
  });

  it("removes members that the Endpoints no longer name", () => {
    const next = merged(created(), wanted({ members: [{ ip: "10.0.0.2", port: 80 }] }));
    expect(next.spec.members.map(({ ip }) => ip)).toEqual(["10.0.0.2"]);
  });

  it("gives a field back to its default when the annotation goes", () => {
    const pool = created(
      withFields({ scheduler: "wlc", "healthCheck.type": "http", "failOpen.threshold": 50 }),
    );
    expect(pool.spec).toMatchObject({ scheduler: "wlc", failOpen: { threshold: 50 } });
    const next = merged(pool, WANTED);
    expect(next.spec).toMatchObject({ scheduler: "rr", failOpen: { threshold: 0 } });
    expect(next.spec.healthCheck.type).toBe("tcp");
  });

  it("changes http to tcp without leaving http's details behind", () => {
    const pool = created(withFields({ "healthCheck.type": "http" }));
    expect(pool.spec.healthCheck.http).toBeDefined();
    const next = merged(pool, withFields({ "healthCheck.type": "tcp" }));
    expect(next.spec.healthCheck).toMatchObject({ type: "tcp" });
    expect(next.spec.healthCheck.http).toBeUndefined();
  });

  it("takes a member that is not ready to weight 0, and gives it the operator's weight back", () => {
    const operated = edited(created(), {
      members: created().spec.members.map((member) => ({ ...member, weight: 9 })),
    });
    const first = { ip: "10.0.0.1", port: 80 };
    const notReady = wanted({
      members: [
        { ...first, weight: 0 },
        { ip: "10.0.0.2", port: 80 },
      ],
    });
    const away = merged(operated, notReady);
    expect(away.spec.members.map(({ weight }) => weight)).toEqual([0, 9]);
    expect(mergedPool(away, notReady)).toBeUndefined();
    expect(merged(away, WANTED).spec.members.map(({ weight }) => weight)).toEqual([9, 9]);
  });
});

describe("editing a Pool that belongs to a Service", () => {
  const write = (previous: Pool, next: Pool, operator = "alice"): ParasausError | undefined => {
    try {
      poolOwnershipAdmission({ definition: poolDefinition, previous, next, options: { operator } });
      return undefined;
    } catch (failure) {
      if (hasCode(failure, "Invalid")) return failure;
      throw failure;
    }
  };
  const pool = created(withFields({ scheduler: "wlc" }));

  it.each([
    ["spec.port", { port: 30_081 }],
    ["spec.addressPool", { addressPool: "vips" }],
    ["spec.protocol", { protocol: "UDP" as const }],
    ["spec.ip", { ip: "10.9.0.1" }],
    ["spec.scheduler", { scheduler: "rr" as const }],
    ["spec.members", { members: pool.spec.members.slice(1) }],
  ])("refuses a change of %s and names the Service", (field, change) => {
    const refusal = write(pool, edited(pool, change));
    expect(refusal?.fields.map((each) => each.field)).toEqual([field]);
    expect(refusal?.fields[0]?.message).toContain('Service "default/web"');
    expect(refusal?.message).toContain('Service "default/web"');
  });

  it("allows what is the operator's: admin state, weight, check, drain time, another order of members", () => {
    const members = pool.spec.members.map((member) => ({ ...member, state: "maint" as const, weight: 3 }));
    expect(
      write(pool, edited(pool, { members: members.reverse(), drainSeconds: 5, onMemberDown: "cut" })),
    ).toBeUndefined();
    expect(write(pool, edited(pool, { healthCheck: { ...pool.spec.healthCheck, fall: 1 } }))).toBeUndefined();
  });

  it("refuses a weight only while an annotation sets it", () => {
    const weighted = created(
      wanted({
        members: [
          { ip: "10.0.0.1", port: 80, weight: 4 },
          { ip: "10.0.0.2", port: 80 },
        ],
      }),
    );
    const reweigh = (at: number): Pool =>
      edited(weighted, {
        members: weighted.spec.members.map((m, index) => (index === at ? { ...m, weight: 9 } : m)),
      });
    expect(write(weighted, reweigh(0))?.fields.map(({ field }) => field)).toEqual(["spec.members[0].weight"]);
    expect(write(weighted, reweigh(1))).toBeUndefined();
  });

  it("takes a weight that is left out for what it means, 1", () => {
    const weighted = (weight: number): Pool => created(wanted({ members: [{ ...WANTED_MEMBER, weight }] }));
    const bare = (owned: Pool): Pool => edited(owned, { members: [WANTED_MEMBER] });
    expect(write(weighted(1), bare(weighted(1)))).toBeUndefined();
    expect(write(weighted(4), bare(weighted(4)))?.fields).toHaveLength(1);
  });

  it("lets circle-watch itself write, and leaves Pools without a Service alone", () => {
    expect(write(pool, edited(pool, { port: 1 }), CIRCLE_WATCH_OPERATOR)).toBeUndefined();
    const free = { ...pool, metadata: { ...pool.metadata, ownerReferences: [] } };
    expect(write(free, edited(free, { port: 1 }))).toBeUndefined();
  });
});
