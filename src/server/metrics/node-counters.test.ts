import { expect, it } from "vitest";
import type { NodeRequests } from "../../api/index.ts";
import type { NodeRequest } from "../../model/index.ts";
import { askCounters } from "./node-counters.ts";

it("reads members' traffic of up to 100,000 members at nodes, and of nodes alone beyond", async () => {
  // 20,000 members.
  const pools = Array.from({ length: 10_000 }, () => ({ spec: { members: ["a", "b"] } }));
  expect(await requestsFor(5, pools)).toEqual([{ request: { kind: "counters" }, isWithoutMembers: false }]);
  expect(await requestsFor(6, pools)).toEqual([
    { request: { kind: "counters", pools: [] }, isWithoutMembers: true },
  ]);
});

async function requestsFor(nodeCount: number, pools: Parameters<typeof askCounters>[1]) {
  const requests: NodeRequest[] = [];
  const nodes = {
    connectedNodes: () => Array.from({ length: nodeCount }, (_, index) => `n${index}`),
    askAll: async (request: NodeRequest) => {
      requests.push(request);
      return { answers: [], silentNodes: [] };
    },
  } as Pick<NodeRequests, "askAll" | "connectedNodes">;
  const { isWithoutMembers } = await askCounters(nodes, pools);
  return requests.map((request) => ({ request, isWithoutMembers }));
}
