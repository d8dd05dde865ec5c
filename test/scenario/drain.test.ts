import { describe, expect, it } from "vitest";
import { canMakeNamespaces, readNetstat } from "../lab/namespaces.ts";
import { waitUntil } from "../lab/product.ts";
import { MEMBER_PORT, openStage } from "../lab/stage.ts";
import { startTraffic } from "../lab/traffic.ts";

const CONNECTION_COUNT = 1_000;
const DRAIN_SECONDS = 20;
const FRESH_COUNT = 500;

describe.skipIf(!canMakeNamespaces())("draining (needs root and network namespaces)", () => {
  it(`keeps ${CONNECTION_COUNT} long connections until the deadline, gives the member no new ones, then resets both ends`, async () => {
    await using stage = await openStage({ memberCount: 2 });
    // Unchecked: a tcp probe ends by RST, and would be counted among the member's resets.
    const port = await stage.openPool(
      "web",
      stage.poolSpec(2, { drainSeconds: DRAIN_SECONDS, healthCheck: { type: "none" } }),
    );
    const { client, nodeIp, clientIps, members } = stage.lab;
    const held = startTraffic(client, {
      mode: "hold",
      host: nodeIp,
      port,
      connections: CONNECTION_COUNT,
      sources: clientIps,
      intervalMs: 500,
    });
    await waitUntil(
      "all connections have a member",
      async () => sum((await held.mark()).members) === CONNECTION_COUNT,
    );
    const before = await held.mark();
    const drained = members[0];
    if (!drained) throw new Error("no member");
    const resetsAtMember = readNetstat(drained.namespace, "Tcp", "EstabResets");
    await stage.product.patchPool("web", {
      spec: {
        members: members.map((member) => ({
          ip: member.ip,
          port: MEMBER_PORT,
          state: member === drained ? "drain" : "ready",
        })),
      },
    });
    const drainedAtMs = Date.now();
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    const fresh = await startTraffic(client, {
      mode: "requests",
      host: nodeIp,
      port,
      total: FRESH_COUNT,
      concurrency: 8,
      sources: clientIps,
    }).finished();
    expect(fresh).toMatchObject({ succeeded: FRESH_COUNT, failures: {}, members: { m2: FRESH_COUNT } });
    const during = await held.mark();
    expect(Date.now() - drainedAtMs, "the check came before the deadline").toBeLessThan(
      DRAIN_SECONDS * 1_000,
    );
    expect(during).toMatchObject({ alive: CONNECTION_COUNT, resets: 0, ends: 0, timeouts: 0, moved: 0 });
    const onDrained = before.members["m1"] ?? 0;
    expect(onDrained).toBeGreaterThan(CONNECTION_COUNT / 10);
    await waitUntil(
      "the drained member's connections are reset",
      async () => (await held.mark()).resets >= onDrained,
    );
    const after = await held.stop();
    const firstResetMs = Math.min(...after.resetWallMs) - drainedAtMs;
    const memberResets = () => readNetstat(drained.namespace, "Tcp", "EstabResets") - resetsAtMember;
    await waitUntil("the member's ends are reset too", async () => memberResets() >= onDrained);
    const resetsSeenByMember = memberResets();
    process.stdout.write(
      `drain: n=${CONNECTION_COUNT} on drained=${onDrained} resets at client=${after.resets} at member=${resetsSeenByMember} first after ${firstResetMs} ms\n`,
    );
    expect(firstResetMs).toBeGreaterThanOrEqual(DRAIN_SECONDS * 1_000 - 100);
    expect(after.resets).toBe(onDrained);
    expect(resetsSeenByMember).toBe(onDrained);
  });
});

function sum(counts: Readonly<Record<string, number>>): number {
  return Object.values(counts).reduce((total, each) => total + each, 0);
}
