import { beforeAll, expect, it } from "vitest";
import { type AgentReport, openCluster, waitFor } from "../lab/cluster.ts";
import { buildProgram } from "./program.ts";

const AGENT_COUNT = 16;
const POOL_COUNT = 200;

beforeAll(buildProgram);

const isWhole = (reports: readonly AgentReport[]) =>
  reports.every(({ source, poolCount }) => source === "server" && poolCount === POOL_COUNT);
const sum = (reports: readonly AgentReport[], key: "listCount" | "pageCount" | "watchCount") =>
  reports.reduce((total, report) => total + report[key], 0);

it(`${AGENT_COUNT} agents over two servers and etcd list once, watch once, and list no more when both servers restart`, async () => {
  await using world = await openCluster({ agentCount: AGENT_COUNT, poolCount: POOL_COUNT, hostCount: 2 });
  await world.startAgents();
  const reports = await waitFor("all agents hold all pools and watch", world.reports, (found) => {
    return isWhole(found) && found.every(({ watchCount }) => watchCount > 0);
  });
  expect(new Set(reports.map(({ tableHash }) => tableHash)).size).toBe(1);
  expect(sum(reports, "listCount")).toBe(AGENT_COUNT);
  expect(sum(reports, "pageCount")).toBe(AGENT_COUNT);
  expect(sum(reports, "watchCount")).toBe(AGENT_COUNT);
  // One of each server, whatever its clients watch.
  expect(await world.etcdMetric("etcd_debugging_mvcc_watcher_total")).toBe(2);

  await world.reset();
  const beganMs = await world.restartServers();
  const back = await waitFor("all agents watch again", world.reports, (found) =>
    found.every(({ watchMs }) => watchMs > beganMs),
  );
  expect(sum(back, "listCount")).toBe(0);
  expect(sum(back, "watchCount")).toBeGreaterThanOrEqual(AGENT_COUNT);

  await world.reset();
  await world.changePool(7, 9);
  const isEverywhere = (applied: readonly (readonly number[])[]) =>
    applied.every((times) => times.length > 0);
  const applied = await waitFor("every agent has the change", world.applied, isEverywhere);
  process.stdout.write(
    `cluster: ${applied.length} agents whole by ${sum(reports, "listCount")} lists, back by ${sum(back, "watchCount")} watches\n`,
  );
  const after = await world.reports();
  expect(isWhole(after)).toBe(true);
  const hashes = new Set(after.map(({ tableHash }) => tableHash));
  expect(hashes.size).toBe(1);
  expect(hashes).not.toEqual(new Set(reports.map(({ tableHash }) => tableHash)));
});
