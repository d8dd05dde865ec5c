import { beforeEach, describe, expect, it } from "vitest";
import { type KubeObject, type Operation, type Pool, poolDefinition } from "../../model/index.ts";
import { OperationLog, type OperationQuestion, summarizeOperation } from "./operation-log.ts";

const owner = { apiVersion: "v1", kind: "Service", name: "web", uid: "u" };
const pool = poolDefinition.applyDefaults({
  ...{ apiVersion: "parasaus.io/v1", kind: "Pool" },
  metadata: { name: "web", namespace: "shop", ownerReferences: [owner] },
  spec: { members: [] },
} as KubeObject) as Pool;
let log: OperationLog;

function operation(name: string, { object, ...more }: Partial<Operation["spec"]> = {}) {
  return summarizeOperation({
    ...{ apiVersion: "parasaus.io/v1", kind: "Operation", metadata: { name } },
    spec: {
      ...{ operator: "alice", time: `2026-01-01T00:00:0${name}Z`, verb: "update", revision: name },
      object: {
        ...{ apiVersion: "parasaus.io/v1", kind: "Pool", namespace: "shop", name: "web", uid: "u" },
        ...object,
      },
      ...more,
    },
  });
}

const object = (kind: string, name: string) => ({ kind, name }) as Operation["spec"]["object"];
const withMembers = (...members: readonly object[]) => ({ spec: { members } });
const first = { ip: "10.0.0.1", port: 80 };
const second = { ip: "10.0.0.2", port: 80 };
const ALL = { search: "", offsetCount: 0, limitCount: 10 };

beforeEach(() => {
  log = new OperationLog();
  log.replace([
    operation("1", { verb: "create", after: withMembers(first, second) }),
    operation("2", {
      ...{ verb: "drain", member: "10.0.0.1:80" },
      before: withMembers(first, second),
      after: withMembers({ ...first, state: "drain" }, second),
    }),
    operation("3", { operator: "bob", object: object("Endpoints", "web"), reason: "wartung 维护" }),
    operation("4", { object: object("Pool", "other"), operator: "carol" }),
  ]);
});

describe("OperationLog", () => {
  it("knows who changed a pool last, by itself or through its Service and Endpoints", () => {
    expect(log.lastOf(pool)).toMatchObject({ operator: "bob", verb: "update" });
    expect(log.of(pool, 2).map(({ name }) => name)).toEqual(["3", "2"]);
  });

  it("knows who changed a member last, among changes of others, and when it began to drain", () => {
    expect(log.lastOfMember(pool, "10.0.0.1:80")).toMatchObject({ operator: "alice", verb: "drain" });
    expect(log.lastOfMember(pool, "10.0.0.2:80")).toMatchObject({ verb: "create" });
    expect(log.lastOfMember(pool, "10.0.0.3:80")).toBeUndefined();
    expect(log.lastDrainOf(pool, "10.0.0.1:80")).toBe("2026-01-01T00:00:02Z");
    expect(log.lastDrainOf(pool, "10.0.0.2:80")).toBeUndefined();
    const drained = { ...first, state: "drain" };
    const changed = { before: withMembers(drained), after: withMembers({ ...drained, weight: 2 }) };
    log.add(operation("5", changed));
    expect(log.lastDrainOf(pool, "10.0.0.1:80")).toBe("2026-01-01T00:00:02Z");
  });

  it("counts what was changed together with another object as a change of both", () => {
    const also = [{ object: { ...object("Pool", "web"), namespace: "shop" } }];
    log.add(operation("6", { verb: "rollback", object: object("Service", "web"), operator: "dora", also }));
    const alone = { metadata: { name: "web", namespace: "shop" } } as Pool;
    expect(log.lastOf(alone)?.operator).toBe("dora");
    expect(log.of(alone, 1).map(({ name }) => name)).toEqual(["6"]);
  });

  it("does not take a refusal for a change", () => {
    log.add(operation("7", { verb: "refuse", operator: "eve" }));
    expect(log.lastOf(pool)?.operator).toBe("bob");
    expect(log.find(ALL).totalCount).toBe(5);
  });

  it("knows when an account last logged in", () => {
    log.add(operation("8", { verb: "login", object: object("Account", "olga"), operator: "olga" }));
    expect([log.lastLoginOf("olga"), log.lastLoginOf("vic")]).toEqual(["2026-01-01T00:00:08Z", undefined]);
  });

  it("goes on knowing that when the operation itself is kept no longer", () => {
    log.forget("3");
    expect(log.lastOf(pool)?.operator).toBe("bob");
    expect(log.find(ALL).totalCount).toBe(3);
  });

  it("neither shows nor counts what who asks may not see", () => {
    const maySee: OperationQuestion["maySee"] = ({ row }) => row.operator === "alice";
    expect(log.find({ ...ALL, maySee })).toMatchObject({ totalCount: 2, matchCount: 2 });
    expect(log.find({ ...ALL, search: "bob", maySee })).toMatchObject({
      totalCount: 2,
      matchCount: 0,
      rows: [],
    });
  });

  it.each([
    ["", ["4", "3", "2", "1"]],
    ["operator:alice", ["2", "1"]],
    ["shop/other", ["4"]],
    ["维护", ["3"]],
    ["verb:drain 10.0.0.1", ["2"]],
  ])("finds by %s, newest first", (search, expected) => {
    const { rows, matchCount } = log.find({ ...ALL, search });
    expect([rows.map(({ name }) => name), matchCount]).toEqual([expected, expected.length]);
  });
});
