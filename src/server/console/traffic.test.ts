import { expect, it } from "vitest";
import type { NodeRequests } from "../../api/index.ts";
import { FakeClock } from "../../foundation/index.ts";
import { createTrafficReader } from "./traffic.ts";

/** Nodes that answer after so long, with how often they were asked. */
function slowNodes(clock: FakeClock, answerMs: number) {
  let askedCount = 0;
  const askAll = async () => {
    askedCount += 1;
    const activeConnections = askedCount;
    await clock.sleep(answerMs);
    const member = { poolUid: "u", ip: "10.0.0.1", port: 80, activeConnections };
    const value = { members: [{ ...member, totalConnections: 0, bytesIn: 0, bytesOut: 0 }] };
    return { answers: [{ node: "n1", value }], silentNodes: [] };
  };
  return { nodes: { askAll: askAll as NodeRequests["askAll"] }, asked: () => askedCount };
}

it("gives what was known last when the nodes take longer than its reader waits", async () => {
  const clock = new FakeClock();
  const { nodes, asked } = slowNodes(clock, 300);
  const read = createTrafficReader(nodes, clock);
  const countOf = async (patienceMs?: number) => {
    const report = read(["u"], patienceMs);
    await clock.advance(patienceMs ?? 300);
    return (await report).pools.get("u")?.get("10.0.0.1:80")?.activeCount;
  };
  expect(await countOf(20)).toBeUndefined();
  await clock.advance(280);
  expect([await countOf(20), asked()]).toEqual([1, 1]);
  await clock.advance(900);
  expect([await countOf(20), asked()]).toEqual([1, 2]);
  // The control: who waits gets the newest.
  expect([await countOf(), asked()]).toEqual([2, 2]);
});
