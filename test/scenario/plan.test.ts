import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { describe, expect, it } from "vitest";
import type { Plan } from "../../src/model/index.ts";
import { canMakeNamespaces } from "../lab/namespaces.ts";
import { LAUNCHER, waitUntil } from "../lab/product.ts";
import { MEMBER_PORT, openStage, type Stage } from "../lab/stage.ts";
import { startTraffic } from "../lab/traffic.ts";

const CONNECTION_COUNT = 300;
const DRAIN_SECONDS = 6;

describe.skipIf(!canMakeNamespaces())("a plan (needs root and network namespaces)", () => {
  it(`says of ${CONNECTION_COUNT} connections which are kept, drained and cut, and so it is then`, async () => {
    await using stage = await openStage({ memberCount: 3 });
    const spec = stage.poolSpec(3, { healthCheck: { type: "none" } });
    const port = await stage.openPool("web", spec);
    const held = startTraffic(stage.lab.client, {
      ...{ mode: "hold", host: stage.lab.nodeIp, port, connections: CONNECTION_COUNT, intervalMs: 300 },
      sources: stage.lab.clientIps,
    });
    const isHeld = async () => sum((await held.mark()).members) === CONNECTION_COUNT;
    await waitUntil("all connections have a member", isHeld);
    const onMember = (await held.mark()).members;
    const [drained = 0, cut = 0, kept = 0] = ["m1", "m2", "m3"].map((name) => onMember[name]);
    expect(Math.min(drained, cut, kept)).toBeGreaterThan(CONNECTION_COUNT / 10);
    const still = () => settled(stage, spec, CONNECTION_COUNT);
    await waitUntil("the node counts the held connections alone", still);

    // The control: a plan of what is there cuts nothing, and asks for nothing.
    const nothing = await ask(stage, spec);
    expect(nothing.objects.map(({ outcome }) => outcome)).toEqual(["unchanged"]);
    expect(nothing).toMatchObject({ keptCount: 0, drainedCount: 0, cutCount: 0, unknownNodes: [] });

    const states = [{ state: "drain", drainSeconds: DRAIN_SECONDS }, { state: "maint" }, {}];
    const members = stage.lab.members.map(({ ip }, index) => ({ ip, port: MEMBER_PORT, ...states[index] }));
    const wanted = { ...spec, members };
    const planned = await ask(stage, wanted);
    expect(planned).toMatchObject({
      ...{ keptCount: kept, drainedCount: drained, cutCount: cut, unknownNodes: [] },
    });
    const limits = planned.objects[0]?.traffic?.members.map(({ drainSeconds }) => drainSeconds);
    expect(limits).toEqual([DRAIN_SECONDS, undefined, undefined]);
    expect(byCommandLine(stage, wanted)).toContain(`${kept} kept, ${drained} drained, ${cut} cut\nexit 1\n`);
    expect(await held.mark()).toMatchObject({ alive: CONNECTION_COUNT, resets: 0 });

    await stage.product.patchPool("web", { spec: { members } });
    await waitUntil("those of maintenance are reset", async () => (await held.mark()).resets >= cut);
    expect(await held.mark()).toMatchObject({ resets: cut, alive: drained + kept });
    await waitUntil("those that drain are reset", async () => (await held.mark()).resets >= cut + drained);
    const after = await held.mark();
    await held.stop();
    process.stdout.write(
      `plan: n=${CONNECTION_COUNT} kept ${kept}/${after.alive} drained ${drained} cut ${cut} resets ${after.resets}\n`,
    );
    expect(after).toMatchObject({ resets: cut + drained, alive: kept, ends: 0, timeouts: 0, moved: 0 });
  });

  it("names a node that does not answer, instead of counting nothing on it", async () => {
    await using stage = await openStage({ memberCount: 2 });
    const spec = stage.poolSpec(2, { healthCheck: { type: "none" } });
    await stage.openPool("web", spec);
    const wanted = { ...spec, drainSeconds: 7 };
    expect((await ask(stage, wanted)).unknownNodes).toEqual([]);
    process.kill(stage.product.agentPid(), "SIGSTOP");
    try {
      const planned = await ask(stage, wanted);
      expect(planned.unknownNodes).toEqual([stage.product.nodeName]);
      expect(planned.objects[0]?.traffic?.unknownNodes).toEqual([stage.product.nodeName]);
      expect(byCommandLine(stage, wanted)).toContain(`unknown for node ${stage.product.nodeName}`);
    } finally {
      process.kill(stage.product.agentPid(), "SIGCONT");
    }
  });
});

const object = (spec: object) => ({
  ...{ apiVersion: "parasaus.io/v1", kind: "Pool", metadata: { name: "web", namespace: "default" }, spec },
});

async function ask({ product }: Stage, spec: object): Promise<Plan> {
  const { status, body } = await product.call("POST", "/api/plan", {
    objects: [object(spec)],
    mode: "replace",
  });
  expect(status).toBe(200);
  return body as Plan;
}

/** What the verb prints, and its exit code. */
function byCommandLine({ lab }: Stage, spec: object): string {
  const folder = mkdtempSync(path.join(tmpdir(), "parasaus-plan-"));
  const file = path.join(folder, "web.json");
  writeFileSync(file, JSON.stringify(object(spec)));
  try {
    return lab.node.run("sh", "-c", `"${LAUNCHER}" plan -f "${file}"; echo "exit $?"`);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Whether what was opened to try the pool is gone from the node's count. */
async function settled(stage: Stage, spec: object, count: number): Promise<boolean> {
  return (await ask(stage, { ...spec, drainSeconds: 7 })).keptCount === count;
}

function sum(counts: Readonly<Record<string, number>>): number {
  return Object.values(counts).reduce((total, each) => total + each, 0);
}
