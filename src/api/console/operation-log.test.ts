import { beforeEach, describe, expect, it } from "vitest";
import type { OperationRow, Pool } from "../../model/index.ts";
import { OperationLog } from "./operation-log.ts";

const pool = {
  metadata: { name: "web", namespace: "shop", ownerReferences: [{ kind: "Service", name: "web" }] },
} as unknown as Pool;
let log: OperationLog;

function row(name: string, more: Partial<OperationRow> = {}): OperationRow {
  const time = `2026-01-01T00:00:0${name}Z`;
  return {
    name,
    operator: "alice",
    time,
    verb: "update",
    kind: "Pool",
    namespace: "shop",
    object: "web",
    ...more,
  };
}

beforeEach(() => {
  log = new OperationLog();
  log.replace([
    row("1", { verb: "create" }),
    row("2", { verb: "drain", member: "10.0.0.1:80" }),
    row("3", { operator: "bob", kind: "Endpoints", reason: "wartung 维护" }),
    row("4", { object: "other", operator: "carol" }),
  ]);
});

describe("OperationLog", () => {
  it("knows who changed a pool last, by itself or through its Service and Endpoints", () => {
    expect(log.lastOf(pool)).toMatchObject({ operator: "bob", verb: "update" });
    expect(log.lastOfMember(pool, "10.0.0.1:80")).toMatchObject({ operator: "alice", verb: "drain" });
    expect(log.lastOfMember(pool, "10.0.0.2:80")).toBeUndefined();
    expect(log.lastDrainOf(pool, "10.0.0.1:80")).toBe("2026-01-01T00:00:02Z");
    expect(log.of(pool, 2).map(({ name }) => name)).toEqual(["3", "2"]);
  });

  it("goes on knowing that when the operation itself is kept no longer", () => {
    log.forget("3");
    expect(log.lastOf(pool)?.operator).toBe("bob");
    expect(log.find({ search: "", offsetCount: 0, limitCount: 10 }).totalCount).toBe(3);
  });

  it.each([
    ["", ["4", "3", "2", "1"]],
    ["operator:alice", ["2", "1"]],
    ["shop/other", ["4"]],
    ["维护", ["3"]],
    ["verb:drain 10.0.0.1", ["2"]],
  ])("finds by %s, newest first", (search, expected) => {
    const { rows, matchCount } = log.find({ search, offsetCount: 0, limitCount: 10 });
    expect([rows.map(({ name }) => name), matchCount]).toEqual([expected, expected.length]);
  });
});
