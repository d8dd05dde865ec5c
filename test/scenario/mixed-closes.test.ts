import { describe, expect, it } from "vitest";
import { readKernel } from "../lab/kernel.ts";
import { canMakeNamespaces } from "../lab/namespaces.ts";
import { waitUntil } from "../lab/product.ts";
import { openStage, type Stage } from "../lab/stage.ts";
import { startTraffic } from "../lab/traffic.ts";

const TIMEOUTS = "established=4,half-open=2,closing=2,closed=1,udp=2";
const PER_KIND = 2_250;
const HALF_OPEN = 400;
const IDLE = 600;

/** Connections whose handshake the client never completes: its answers are taken away. */
async function leaveHalfOpen(stage: Stage, port: number): Promise<number> {
  const { client, nodeIp, clientIps } = stage.lab;
  client.run(
    "nft",
    `add table ip halfopen; add chain ip halfopen in { type filter hook input priority 0; }; add rule ip halfopen in tcp sport ${port} tcp flags & (syn|ack) == syn|ack counter drop`,
  );
  const report = await startTraffic(client, {
    mode: "requests",
    host: nodeIp,
    port,
    total: HALF_OPEN,
    concurrency: HALF_OPEN,
    sources: clientIps,
    timeoutMs: 500,
  }).finished();
  client.run("nft", "delete table ip halfopen");
  return report.failures["timeout"] ?? 0;
}

describe.skipIf(!canMakeNamespaces())("accounting (needs root and network namespaces)", () => {
  it("is exact after 10,000 mixed closes: every load is 0 and every fullnat port is free", async () => {
    await using stage = await openStage({ memberCount: 2, flags: ["--flow-timeouts", TIMEOUTS] });
    const port = await stage.openPool("web", stage.poolSpec(2, { scheduler: "lc" }));
    const { client, nodeIp, clientIps } = stage.lab;
    const { nodeName } = stage.product;
    const requests = (closer: "client" | "member" | "reset", total: number) =>
      startTraffic(client, {
        mode: "requests",
        host: nodeIp,
        port,
        total,
        concurrency: 16,
        sources: clientIps,
        closer,
      }).finished();

    const fromClient = await requests("client", PER_KIND);
    const fromMember = await requests("member", PER_KIND);
    const idle = startTraffic(client, {
      mode: "hold",
      host: nodeIp,
      port,
      connections: IDLE,
      sources: clientIps,
      intervalMs: 60_000,
    });
    await waitUntil("idle connections are open", async () => (await idle.mark()).opened === IDLE);
    expect(readKernel(nodeName).countedFlows).toBeGreaterThanOrEqual(IDLE);
    const killed = stage.product.agentPid();
    const reset = requests("reset", PER_KIND * 2);
    process.kill(killed, "SIGKILL");
    const byReset = await reset;
    const halfOpen = await leaveHalfOpen(stage, port);
    await waitUntil("an agent is back", async () => stage.product.agentPid() !== killed, stage.product.log);
    await waitUntil(
      "the flow table is empty",
      async () => readKernel(nodeName).flowEntries === 0,
      () => JSON.stringify(readKernel(nodeName)),
      undefined,
      60_000,
    );
    const end = readKernel(nodeName);
    const closes = fromClient.succeeded + fromMember.succeeded + byReset.succeeded + halfOpen + IDLE;
    process.stdout.write(
      `mixed closes: n=${closes} (client ${fromClient.succeeded}, member ${fromMember.succeeded}, reset ${byReset.succeeded}, half-open ${halfOpen}, idle ${IDLE}) loads=${JSON.stringify(end.loads)} flow entries=${end.flowEntries}\n`,
    );
    for (const report of [fromClient, fromMember, byReset]) expect(report.failures).toEqual({});
    expect(halfOpen).toBe(HALF_OPEN);
    expect(closes).toBeGreaterThanOrEqual(10_000);
    expect(end.loads).toEqual([0, 0]);
    await idle.stop();
  });
});
