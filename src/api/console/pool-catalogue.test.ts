import { beforeEach, describe, expect, it } from "vitest";
import { type KubeObject, type LastOperation, type Pool, poolDefinition } from "../../model/index.ts";
import { PoolCatalogue, type PoolQuestion } from "./pool-catalogue.ts";

const AT = "2026-01-01T00:00:00Z";
const operators: Record<string, LastOperation> = {
  web: { operator: "Alice", time: "2026-01-02T00:00:00Z", verb: "update" },
  api: { operator: "张伟", time: "2026-01-03T00:00:00Z", verb: "create" },
};
let pools: Map<string, Pool>;
let catalogue: PoolCatalogue;
let version = 0;

function put(
  name: string,
  verdicts: readonly string[],
  more: { readonly labels?: object; port?: number } = {},
) {
  const members = verdicts.map((_, index) => ({ ip: `10.0.0.${index + 1}`, port: 80 }));
  const pool = poolDefinition.applyDefaults({
    apiVersion: "parasaus.io/v1",
    kind: "Pool",
    metadata: { name, namespace: "shop", uid: name, ...(more.labels ? { labels: more.labels } : {}) },
    spec: { members },
    status: {
      connectAddresses: [{ ip: "*", port: more.port ?? 30_001, protocol: "TCP" }],
      members: members.map((member, index) => ({
        ...member,
        verdict: verdicts[index],
        reason: "",
        since: AT,
      })),
    },
  } as KubeObject) as Pool;
  pools.set(name, pool);
  version += 1;
}

function find(search: string, more: Partial<PoolQuestion> = {}) {
  const question = { search, sort: "name", isDescending: false, offsetCount: 0, limitCount: 10 } as const;
  return catalogue.find({ ...question, ...more });
}

const names = (search: string, more: Partial<PoolQuestion> = {}) =>
  find(search, more).rows.map(({ name }) => name);

beforeEach(() => {
  pools = new Map();
  put("web", ["up", "down"], { labels: { team: "Front" } });
  put("api", ["up", "up"], { port: 8_080 });
  put("old", ["down", "down"], { port: 80 });
  put("new", ["unchecked"]);
  put("none", []);
  catalogue = new PoolCatalogue({
    pools,
    version: () => version,
    lastOperationOf: ({ metadata }) => operators[metadata.name],
  });
});

describe("PoolCatalogue", () => {
  it("sums up how a pool is from the members that should serve", () => {
    const states = find("").rows.map(({ name, state, upCount }) => [name, state, upCount]);
    expect(states).toEqual([
      ["api", "up", 2],
      ["new", "unchecked", 0],
      ["none", "empty", 0],
      ["old", "down", 0],
      ["web", "degraded", 1],
    ]);
    expect(find("").states).toEqual({ up: 1, degraded: 1, down: 1, unchecked: 1, empty: 1 });
  });

  it.each([
    ["we", ["web"]],
    ["shop/web", ["web"]],
    ["8080", ["api"]],
    ["port:80", ["old"]],
    ["member:10.0.0.2", ["api", "old", "web"]],
    ["team=front", ["web"]],
    ["ALICE", ["web"]],
    ["operator:张伟", ["api"]],
    ["state:down", ["old"]],
    ["不可用", ["old"]],
    ["10.0.0.2 state:degraded", ["web"]],
    ["nowhere", []],
  ])("finds by %s", (search, expected) => {
    expect(names(search)).toEqual(expected);
  });

  it("sorts by state with what needs attention first, and the other way round", () => {
    const sorted = ["old", "web", "new", "none", "api"];
    expect(names("", { sort: "state" })).toEqual(sorted);
    expect(names("", { sort: "state", isDescending: true })).toEqual(sorted.toReversed());
    expect(names("", { sort: "time", isDescending: true }).slice(0, 2)).toEqual(["api", "web"]);
  });

  it("gives a part, and says how many there are", () => {
    const page = find("", { offsetCount: 1, limitCount: 2 });
    expect([page.totalCount, page.matchCount, page.rows.map(({ name }) => name)]).toEqual([
      5,
      5,
      ["new", "none"],
    ]);
  });

  it("hides namespaces that may not be seen, from rows and counts alike", () => {
    const asked: string[] = [];
    const maySee = (namespace: string) => {
      asked.push(namespace);
      return false;
    };
    expect(find("", { maySee })).toMatchObject({ totalCount: 0, matchCount: 0, rows: [] });
    expect(asked).toEqual(["shop"]);
    expect(find("", { maySee: (namespace) => namespace === "shop" }).totalCount).toBe(5);
  });

  it("sees what changed, came and went since it was asked last", () => {
    names("");
    put("old", ["up", "up"]);
    pools.delete("web");
    put("xtra", []);
    expect(names("state:up")).toEqual(["api", "old"]);
    expect(names("")).toEqual(["api", "new", "none", "old", "xtra"]);
  });
});
