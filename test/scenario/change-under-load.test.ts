import { describe, expect, it } from "vitest";
import { canMakeNamespaces, readNetstat } from "../lab/namespaces.ts";
import { MEMBER_PORT, openStage, STAGE_DRIVER, STAGE_FORWARDING, type Stage } from "../lab/stage.ts";
import { type RequestsReport, startTraffic } from "../lab/traffic.ts";

const REQUEST_COUNT = Number(process.env["PARASAUS_CHANGE_REQUESTS"] ?? 100_000);
const SECONDS = Number(process.env["PARASAUS_CHANGE_SECONDS"] ?? 0);
const CHANGES_PER_SECOND = 10;
const FEWEST_CHANGES = 55;

interface Run {
  readonly report: RequestsReport;
  readonly synRetransmits: number;
  readonly changes: number;
}

/** How much load at least: so many requests, for so many seconds, with so many changes. */
interface Amount {
  readonly requests: number;
  readonly seconds?: number;
  readonly changes?: number;
}

/** Loads the pool with short requests; meanwhile calls `change` ten times a second, if there is one. */
async function load(
  stage: Stage,
  port: number,
  amount: Amount,
  change?: (round: number) => Promise<void>,
): Promise<Run> {
  const { client, nodeIp, clientIps } = stage.lab;
  const before = readNetstat(client, "TcpExt", "TCPSynRetrans");
  const traffic = startTraffic(client, {
    mode: "requests",
    host: nodeIp,
    port,
    concurrency: 16,
    sources: clientIps,
  });
  const endMs = performance.now() + (amount.seconds ?? 0) * 1_000;
  let changes = 0;
  let started = 0;
  while (started < amount.requests || changes < (amount.changes ?? 0) || performance.now() < endMs) {
    if (change) await change(changes++);
    await new Promise((resolve) => setTimeout(resolve, 1_000 / CHANGES_PER_SECOND));
    started = (await traffic.mark()).started;
  }
  return {
    report: await traffic.stop(),
    synRetransmits: readNetstat(client, "TcpExt", "TCPSynRetrans") - before,
    changes,
  };
}

/** One change after the other of every kind: members, weights, other pools, and the scheduler where that leaves no gap. */
function changer(stage: Stage): (round: number) => Promise<void> {
  const members = stage.lab.members.map((member) => ({ ip: member.ip, port: MEMBER_PORT }));
  const weighted = (weights: readonly number[]) =>
    weights.map((weight, index) => ({ ...members[index], weight }));
  const { product } = stage;
  const setScheduler = async (scheduler: string) => {
    if (STAGE_DRIVER === "ebpf") await product.patchPool("web", { spec: { scheduler } });
  };
  const changes = [
    () => product.patchPool("web", { spec: { members: weighted([1, 1, 1]) } }),
    () => product.putPool("other", stage.poolSpec(2)),
    () => product.patchPool("web", { spec: { members: weighted([1, 2, 3, 1]) } }),
    () => setScheduler("wrr"),
    () => product.patchPool("web", { spec: { members: weighted([2, 1, 1, 2]) } }),
    () => product.deletePool("other"),
    () => setScheduler("lc"),
    () => product.patchPool("web", { spec: { members: weighted([1, 1]) } }),
    () => setScheduler("mh"),
    () => setScheduler("rr"),
    () => product.patchPool("web", { spec: { members: weighted([1, 1, 1, 1]) } }),
  ];
  return async (round) => {
    await changes[round % changes.length]?.();
  };
}

describe.skipIf(!canMakeNamespaces())("change under load (needs root and network namespaces)", () => {
  for (const forwarding of STAGE_FORWARDING) {
    it(`fails no request of ${REQUEST_COUNT / 2} and more and resets none while everything about a ${forwarding} pool changes`, async () => {
      await using stage = await openStage({ memberCount: 4 });
      const port = await stage.openPool("web", stage.poolSpec(3, { forwarding }));
      const control = await load(stage, port, { requests: REQUEST_COUNT / 10 });
      const amount = { requests: REQUEST_COUNT / 2, seconds: SECONDS, changes: FEWEST_CHANGES };
      const changed = await load(stage, port, amount, changer(stage));
      process.stdout.write(
        `${forwarding}: n=${changed.report.started} changes=${changed.changes} failures=${JSON.stringify(changed.report.failures)} members=${JSON.stringify(changed.report.members)} longest=${changed.report.longestMs.toFixed(0)}ms synRetrans=${changed.synRetransmits} (control ${control.synRetransmits})\n`,
      );
      expect(control.report.failures).toEqual({});
      const { started } = changed.report;
      expect(started).toBeGreaterThanOrEqual(REQUEST_COUNT / 2);
      expect(changed.report).toMatchObject({ succeeded: started, failures: {} });
      expect(changed.synRetransmits).toBeLessThanOrEqual(control.synRetransmits);
      for (const name of ["m1", "m2"]) expect(changed.report.members[name]).toBeGreaterThan(started / 10);
      // These come and go, and are checked anew each time: how long they serve depends on how fast changes follow.
      for (const name of ["m3", "m4"]) expect(changed.report.members[name]).toBeGreaterThan(started / 100);
    });
  }

  it("control: sees the failures when members are cut instead of drained", async () => {
    await using stage = await openStage({ memberCount: 3 });
    const port = await stage.openPool("web", stage.poolSpec(3));
    const members = stage.lab.members.map((member) => ({ ip: member.ip, port: MEMBER_PORT }));
    const cut = await load(stage, port, { requests: REQUEST_COUNT / 5 }, async (round) => {
      const out = round % members.length;
      await stage.product.patchPool("web", {
        spec: {
          members: members.map((member, index) => ({ ...member, state: index === out ? "maint" : "ready" })),
        },
      });
    });
    process.stdout.write(
      `control: n=${cut.report.started} failures=${JSON.stringify(cut.report.failures)}\n`,
    );
    expect(Object.values(cut.report.failures).reduce((sum, each) => sum + each, 0)).toBeGreaterThan(0);
  });
});
