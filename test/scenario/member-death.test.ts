import { describe, expect, it } from "vitest";
import { canMakeNamespaces, endProcess } from "../lab/namespaces.ts";
import { untilListens, waitUntil } from "../lab/product.ts";
import { openStage } from "../lab/stage.ts";
import { startMember, startTraffic } from "../lab/traffic.ts";

const DETECTION_MS = 2_500;

describe.skipIf(!canMakeNamespaces())("a member that dies (needs root and network namespaces)", () => {
  it("gets no new connection 2.5 s after its death (interval 1 s, fall 2), and traffic again after it rises", async () => {
    await using stage = await openStage({ memberCount: 3 });
    const port = await stage.openPool("web", stage.poolSpec(2));
    const [first, second] = stage.lab.members;
    if (!first || !second) throw new Error("no members");
    const spare = await startMember(first, 9_090, 9_091);
    await stage.product.putPool("web2", {
      ...stage.poolSpec(2),
      members: [
        { ip: first.ip, port: 9_090 },
        { ip: second.ip, port: 8_080 },
      ],
    });
    const { client, nodeIp, clientIps } = stage.lab;
    const port2 = await untilListens("web2", () => stage.product.getPool("web2"), 2);
    const traffic = startTraffic(client, {
      mode: "requests",
      host: nodeIp,
      port: port2,
      concurrency: 4,
      sources: clientIps,
      paceMs: 5,
      timeoutMs: 1_000,
    });
    await waitUntil(
      "both members carry traffic",
      async () => Object.keys((await traffic.mark()).members).length === 2,
    );
    await endProcess(spare);
    const diedMs = Date.now();
    await new Promise((resolve) => setTimeout(resolve, DETECTION_MS));
    const settled = await traffic.mark();
    const failedBefore = total(settled.failures);
    await waitUntil(
      "a thousand more requests",
      async () => (await traffic.mark()).started > settled.started + 1_000,
    );
    const later = await traffic.mark();
    process.stdout.write(
      `death: n=${later.started} failed while undetected=${failedBefore}, failed afterwards=${total(later.failures) - failedBefore}\n`,
    );
    expect(failedBefore).toBeGreaterThan(0);
    expect(total(later.failures)).toBe(failedBefore);
    expect((later.lastSeenMs["m1"] ?? 0) - diedMs).toBeLessThan(DETECTION_MS);
    await startMember(first, 9_090, 9_091);
    await waitUntil(
      "the member carries traffic again",
      async () => ((await traffic.mark()).lastSeenMs["m1"] ?? 0) > diedMs + DETECTION_MS,
    );
    const end = await traffic.stop();
    expect(total(end.failures)).toBe(failedBefore);
    expect(port).toBeGreaterThan(0);
  });
});

function total(failures: Readonly<Record<string, number>>): number {
  return Object.values(failures).reduce((sum, each) => sum + each, 0);
}
