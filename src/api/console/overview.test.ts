import { expect, it } from "vitest";
import { type KubeObject, type NodeRow, type Pool, poolDefinition } from "../../model/index.ts";
import { sumUp } from "./overview.ts";
import { PoolCatalogue } from "./pool-catalogue.ts";

function poolWith(name: string, verdicts: readonly string[]): [string, Pool] {
  const members = verdicts.map((_, index) => ({ ip: `10.0.0.${index + 1}`, port: 80 }));
  const since = "2026-01-01T00:00:00Z";
  const pool = poolDefinition.applyDefaults({
    apiVersion: "parasaus.io/v1",
    kind: "Pool",
    metadata: { name, namespace: "shop", uid: name },
    spec: { members },
    status: {
      members: members.map((member, index) => ({
        ...member,
        verdict: verdicts[index],
        reason: "L4CON",
        since,
      })),
    },
  } as KubeObject) as Pool;
  return [name, pool];
}

const node = (isReady: boolean, flowCount: number) => ({ isReady, flowCount }) as NodeRow;

it("puts pools that are down before those that are degraded, and names the members that are to blame", () => {
  const pools = new Map([
    poolWith("a-half", ["up", "down"]),
    poolWith("b-dead", Array<string>(7).fill("down")),
    poolWith("c-well", ["up"]),
    poolWith("d-young", ["unchecked"]),
  ]);
  const catalogue = new PoolCatalogue({ pools, version: () => 0, lastOperationOf: () => undefined });
  const overview = sumUp(catalogue, () => true, [node(true, 5), node(false, 7)]);
  expect(overview).toMatchObject({
    pools: { up: 1, degraded: 1, down: 1, unchecked: 1, empty: 0 },
    members: { up: 2, down: 8, unchecked: 1 },
    nodes: { nodeCount: 2, readyNodeCount: 1, flowCount: 12 },
    ailingCount: 2,
  });
  expect(
    overview.ailing.map(({ name, memberCount, members }) => [name, memberCount, members.length]),
  ).toEqual([
    ["b-dead", 7, 5],
    ["a-half", 1, 1],
  ]);
  expect(overview.ailing[0]?.isFailingOpen).toBe(true);
});
