import { expect, it } from "vitest";
import type { AgentStatus, Pool } from "../../model/index.ts";
import { decoratePool } from "./decorate-pool.ts";

const pool = {
  apiVersion: "parasaus.io/v1",
  kind: "Pool",
  metadata: { name: "web", namespace: "shop", uid: "u1", resourceVersion: "20" },
  spec: {},
  status: { members: [{ ip: "10.0.0.1", port: 80, verdict: "up", reason: "L7OK", since: "" }] },
} as unknown as Pool;
const record = {
  successCount: 7,
  failureCount: 1,
  recentSuccessCount: 7,
  recentCount: 8,
  lastCode: "L7OK",
  lastSnippet: "HTTP/1.1 200 OK",
  lastDurationMs: 1,
  lastTime: "2026-01-01T00:00:00Z",
} as const;
const agent = (nodeName: string, appliedRevision?: string) =>
  ({ nodeName, ...(appliedRevision ? { appliedRevision } : {}) }) as AgentStatus;

async function decorated(agents: readonly AgentStatus[], silentNodes: readonly string[] = []) {
  const read = (uid: string, member: string) =>
    `${uid} ${member}` === "u1 10.0.0.1:80" ? record : undefined;
  const sources = {
    probeLedger: () => ({ read, entries: () => [] }),
    survey: async () => ({ agents, silentNodes }),
    now: () => new Date("2026-01-01T00:00:00Z"),
  };
  return (await decoratePool(pool, sources)) as Pool;
}
const programmed = async (...parameters: Parameters<typeof decorated>) => {
  const { status } = await decorated(...parameters);
  const found = status?.conditions?.find(({ type }) => type === "Programmed");
  return `${found?.status} ${found?.message}`;
};

it("joins what the probes saw of each member", async () => {
  expect((await decorated([])).status?.members?.[0]?.probes).toEqual({
    successes: 7,
    failures: 1,
    last: "L7OK HTTP/1.1 200 OK",
    lastTime: "2026-01-01T00:00:00Z",
  });
});

it("says how many nodes hold the pool as it is stored, counting revisions as numbers", async () => {
  expect(await programmed([agent("a", "20"), agent("b", "100")])).toBe("True 2 of 2 nodes hold revision 20");
  expect(await programmed([agent("a", "20"), agent("b", "9")])).toBe("False 1 of 2 nodes hold revision 20");
  expect(await programmed([agent("a", "20"), agent("b")])).toBe("False 1 of 2 nodes hold revision 20");
  expect(await programmed([agent("a", "20")], ["b"])).toBe(
    "False 1 of 2 nodes hold revision 20; no answer from b",
  );
  expect(await programmed([])).toBe("Unknown No node has reported");
});
