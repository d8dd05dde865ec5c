import { describe, expect, it } from "vitest";
import { type KubeObject, type NodeRow, type Pool, poolDefinition } from "../../model/index.ts";
import { reportHealth } from "./health-report.ts";
import { PoolCatalogue } from "./pool-catalogue.ts";

/** A pool of members on 10.0.0.1, .2 …: `up`, or the reason why it is down and the second at which it went. */
function poolWith(namespace: string, name: string, states: readonly (readonly [string, number] | "up")[]) {
  const members = states.map((_, index) => ({ ip: `10.0.0.${index + 1}`, port: 80 }));
  const statuses = states.map((state, index) => {
    const [reason, second] = state === "up" ? ["L7OK", 0] : state;
    const verdict = state === "up" ? "up" : "down";
    return { ...members[index], verdict, reason, since: `2026-01-01T00:00:0${second}Z` };
  });
  const pool = poolDefinition.applyDefaults({
    ...{ apiVersion: "parasaus.io/v1", kind: "Pool" },
    metadata: { name, namespace, uid: `${namespace}/${name}` },
    spec: { members },
    status: { members: statuses },
  } as KubeObject) as Pool;
  return [`${namespace}/${name}`, pool] as const;
}

const pools = new Map([
  poolWith("shop", "web", ["up", ["L4CON connection refused", 3]]),
  poolWith("shop", "dead", [
    ["L7STS 503", 5],
    ["L4CON connection refused", 4],
  ]),
  poolWith("bank", "core", [["L4TOUT", 9]]),
]);
const catalogue = new PoolCatalogue({ pools, version: () => 0, lastOperationOf: () => undefined });
const ALL = { search: "", offsetCount: 0, limitCount: 10, maySee: () => true };
const node = (name: string, isReady: boolean): NodeRow => ({
  ...{ name, isReady, addresses: [], driver: "ebpf", version: "1", server: "s1", heartbeat: "" },
  ...{ appliedRevision: "", lagCount: 0, poolCount: 0, flowCount: 0, problems: [] },
});
const nodes = [node("n1", true), node("n2", false)];

describe("reportHealth", () => {
  it("puts first what went down last, with its reason and its pool", () => {
    const { rows, members, reasons } = reportHealth(catalogue, ALL, nodes);
    expect(rows.map(({ pool, ip, reason }) => `${pool} ${ip} ${reason}`)).toEqual([
      "core 10.0.0.1 L4TOUT",
      "dead 10.0.0.1 L7STS 503",
      "dead 10.0.0.2 L4CON connection refused",
      "web 10.0.0.2 L4CON connection refused",
    ]);
    expect(members).toEqual({ up: 1, down: 4, unchecked: 0 });
    expect(reasons[0]).toEqual({ code: "L4CON", count: 2 });
  });

  it("names the pools that ignore health, and the nodes that are not ready", () => {
    const report = reportHealth(catalogue, ALL, nodes);
    expect(report.failingOpen.map(({ name }) => name)).toEqual(["core", "dead"]);
    expect([report.failingOpenCount, report.nodes?.map(({ name }) => name)]).toEqual([2, ["n2"]]);
  });

  it("neither shows nor counts what who asks may not see", () => {
    const report = reportHealth(
      catalogue,
      { ...ALL, maySee: (namespace) => namespace === "bank" },
      undefined,
    );
    expect(report).toMatchObject({
      members: { up: 0, down: 1, unchecked: 0 },
      matchCount: 1,
      failingOpenCount: 1,
    });
    expect(report.nodes).toBeUndefined();
  });

  it.each([
    ["l4con", 2],
    ["pool:dead", 2],
    ["shop/web", 1],
    ["member:10.0.0.2 reason:refused", 2],
    ["nothing", 0],
  ])("finds by %s", (search, matchCount) => {
    expect(reportHealth(catalogue, { ...ALL, search }, undefined).matchCount).toBe(matchCount);
  });
});
