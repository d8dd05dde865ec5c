import { describe, expect, it } from "vitest";
import { canMakeNamespaces } from "../lab/namespaces.ts";
import { waitUntil } from "../lab/product.ts";
import { openStage, STAGE_DRIVER } from "../lab/stage.ts";
import { startTraffic } from "../lab/traffic.ts";

const KILL_COUNT = Number(process.env["PARASAUS_AGENT_KILLS"] ?? 20);
const REQUEST_COUNT = Number(process.env["PARASAUS_AGENT_REQUESTS"] ?? 100_000);
/** The agent is started again after up to 10 s when it died often. */
const TIMEOUT_MS = 240_000 + KILL_COUNT * 15_000;

describe.skipIf(!canMakeNamespaces())("an agent that dies (needs root and network namespaces)", () => {
  it(
    `fails none of ${REQUEST_COUNT} requests while it is killed ${KILL_COUNT} times`,
    async () => {
      await using stage = await openStage({ memberCount: 2 });
      const port = await stage.openPool("web", stage.poolSpec(2));
      const { client, nodeIp, clientIps } = stage.lab;
      const traffic = startTraffic(client, {
        mode: "requests",
        host: nodeIp,
        port,
        concurrency: 16,
        sources: clientIps,
      });
      const killed = new Set<number>();
      const startMs = performance.now();
      while (killed.size < KILL_COUNT) {
        await waitUntil(
          "a new agent runs",
          async () => !killed.has(stage.product.agentPid()),
          stage.product.log,
        );
        const pid = stage.product.agentPid();
        await new Promise((resolve) => setTimeout(resolve, 250));
        process.kill(pid, "SIGKILL");
        killed.add(pid);
      }
      await waitUntil(
        "all requests are made",
        async () => (await traffic.mark()).started >= REQUEST_COUNT,
        stage.product.log,
        undefined,
        120_000,
      );
      const report = await traffic.stop();
      process.stdout.write(
        `agent killed ${killed.size} times: n=${report.started} failures=${JSON.stringify(report.failures)} longest=${report.longestMs.toFixed(0)}ms in ${((performance.now() - startMs) / 1000).toFixed(0)} s\n`,
      );
      expect(report.failures).toEqual({});
      expect(report.succeeded).toBeGreaterThanOrEqual(REQUEST_COUNT);
    },
    TIMEOUT_MS,
  );

  it("control: requests do fail when forwarding is really taken away", async () => {
    await using stage = await openStage({ memberCount: 2 });
    const port = await stage.openPool("web", stage.poolSpec(2));
    const { client, nodeIp, clientIps, node } = stage.lab;
    const traffic = startTraffic(client, {
      mode: "requests",
      host: nodeIp,
      port,
      concurrency: 4,
      sources: clientIps,
      timeoutMs: 500,
    });
    await waitUntil("requests flow", async () => (await traffic.mark()).succeeded > 100);
    const takenAway = { ebpf: ["tc", "filter", "del", "dev", "client", "ingress"], ipvs: ["ipvsadm", "-C"] };
    node.run(...takenAway[STAGE_DRIVER]);
    await waitUntil("requests fail", async () => Object.keys((await traffic.mark()).failures).length > 0);
    await traffic.stop();
  });
});
