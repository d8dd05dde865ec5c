import { describe, expect, it } from "vitest";
import { canMakeNamespaces } from "../lab/namespaces.ts";
import { MEMBER_PORT, openStage, type Stage } from "../lab/stage.ts";
import { startTraffic } from "../lab/traffic.ts";

const MEMBER_COUNT = 3;

/** Sequential connections, so that the scheduler's choice is seen as it is made. */
async function connectSequentially(
  stage: Stage,
  port: number,
  total: number,
  closer: "client" | "member" = "client",
): Promise<Record<string, number>> {
  const { client, nodeIp, clientIps } = stage.lab;
  const report = await startTraffic(client, {
    mode: "requests",
    host: nodeIp,
    port,
    total,
    concurrency: 1,
    sources: clientIps,
    closer,
  }).finished();
  expect(report).toMatchObject({ succeeded: total, failures: {} });
  return report.members;
}

function weighted(stage: Stage, weights: readonly number[]): readonly Record<string, unknown>[] {
  return stage.lab.members.map((member, index) => ({
    ip: member.ip,
    port: MEMBER_PORT,
    weight: weights[index] ?? 1,
  }));
}

describe.skipIf(!canMakeNamespaces())(
  "schedulers mean what they say (needs root and network namespaces)",
  () => {
    it("spreads connections exactly, and every member receives traffic", async () => {
      await using stage = await openStage({ memberCount: MEMBER_COUNT });
      const spec = (change: Record<string, unknown>) => stage.poolSpec(MEMBER_COUNT, change);

      const rr = await connectSequentially(stage, await stage.openPool("rr", spec({ scheduler: "rr" })), 900);
      expect(rr).toEqual({ m1: 300, m2: 300, m3: 300 });

      const wrr = await connectSequentially(
        stage,
        await stage.openPool("wrr", spec({ scheduler: "wrr", members: weighted(stage, [5, 3, 2]) })),
        1_000,
      );
      expect(wrr).toEqual({ m1: 500, m2: 300, m3: 200 });

      const mh = await connectSequentially(
        stage,
        await stage.openPool("mh", spec({ scheduler: "mh" })),
        3_000,
      );
      process.stdout.write(
        `distribution: rr=${JSON.stringify(rr)} wrr=${JSON.stringify(wrr)} mh=${JSON.stringify(mh)}\n`,
      );
      expect(Object.keys(mh)).toHaveLength(MEMBER_COUNT);
      expect(chiSquare(Object.values(mh))).toBeLessThan(CHI_SQUARE_2_DEGREES);
    });

    it("keeps held connections level with lc, and in proportion to weight with wlc", async () => {
      await using stage = await openStage({ memberCount: MEMBER_COUNT });
      const lc = await holdSequentially(
        stage,
        await stage.openPool("lc", stage.poolSpec(MEMBER_COUNT, { scheduler: "lc" })),
        300,
      );
      const wlc = await holdSequentially(
        stage,
        await stage.openPool(
          "wlc",
          stage.poolSpec(MEMBER_COUNT, { scheduler: "wlc", members: weighted(stage, [1, 2, 3]) }),
        ),
        300,
      );
      process.stdout.write(`distribution: lc=${JSON.stringify(lc)} wlc=${JSON.stringify(wlc)}\n`);
      const loads = Object.values(lc);
      expect(Math.max(...loads) - Math.min(...loads)).toBeLessThanOrEqual(1 + CPUS);
      for (const [index, weight] of [1, 2, 3].entries()) {
        expect(Math.abs((wlc[`m${index + 1}`] ?? 0) - weight * 50)).toBeLessThanOrEqual(1 + CPUS);
      }
    });

    it("sends one client address to one member with sh and with session affinity", async () => {
      await using stage = await openStage({ memberCount: MEMBER_COUNT });
      const { client, nodeIp, clientIps } = stage.lab;
      for (const change of [
        { scheduler: "sh" },
        { scheduler: "rr", sessionAffinity: { type: "ClientIP", timeoutSeconds: 600 } },
      ]) {
        const port = await stage.openPool(`sticky-${change.scheduler}`, stage.poolSpec(MEMBER_COUNT, change));
        const used = new Set<string>();
        for (const source of clientIps.slice(0, 24)) {
          const report = await startTraffic(client, {
            mode: "requests",
            host: nodeIp,
            port,
            total: 20,
            concurrency: 2,
            sources: [source],
          }).finished();
          expect(report).toMatchObject({ succeeded: 20, failures: {} });
          expect(Object.keys(report.members)).toHaveLength(1);
          for (const name of Object.keys(report.members)) used.add(name);
        }
        expect(used.size).toBe(MEMBER_COUNT);
      }
    });
  },
);

const CPUS = 2;
/** Chi-square of 2 degrees of freedom that chance exceeds once in a million runs. */
const CHI_SQUARE_2_DEGREES = 30.3;

function chiSquare(counts: readonly number[]): number {
  const expected = counts.reduce((sum, each) => sum + each, 0) / counts.length;
  return counts.reduce((sum, each) => sum + (each - expected) ** 2 / expected, 0);
}

async function holdSequentially(
  stage: Stage,
  port: number,
  connections: number,
): Promise<Record<string, number>> {
  const { client, nodeIp, clientIps } = stage.lab;
  const traffic = startTraffic(client, {
    mode: "hold",
    host: nodeIp,
    port,
    connections,
    sources: clientIps,
    intervalMs: 500,
  });
  for (;;) {
    const report = await traffic.mark();
    const members = { ...report.members };
    if (Object.values(members).reduce((sum, each) => sum + each, 0) === connections) {
      await traffic.stop();
      return members;
    }
  }
}
