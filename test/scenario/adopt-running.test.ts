import { writeFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import type { Condition } from "../../src/model/index.ts";
import { waitUntil } from "../lab/product.ts";
import { MEMBER_PORT, openStage, STAGE_DRIVER, type Stage } from "../lab/stage.ts";
import { startTraffic } from "../lab/traffic.ts";

const PORT = 30_080;
const OTHER_PORT = 30_081;
const FLOWS = 20;
const missing = STAGE_DRIVER === "ipvs" ? "" : " (skipped: the node's driver is not ipvs)";

const table = ({ lab }: Stage) => lab.node.run("ipvsadm", "-Sn").trim().split("\n").sort().join("\n");

/** As somebody did who ran LVS by hand. */
function addService({ lab }: Stage, port: number, scheduler: string): void {
  const service = ["-t", `${lab.nodeIp}:${port}`];
  lab.node.run("ipvsadm", "-A", ...service, "-s", scheduler);
  for (const { ip } of lab.members)
    lab.node.run("ipvsadm", "-a", ...service, "-r", `${ip}:${MEMBER_PORT}`, "-m", "-w", "1");
}

async function conditionOf({ product }: Stage, type: string): Promise<Condition | undefined> {
  const { body } = await product.call("GET", `/apis/parasaus.io/v1/nodes/${product.nodeName}`);
  const { status } = body as { readonly status?: { readonly conditions?: readonly Condition[] } };
  return status?.conditions?.find((condition) => condition.type === type);
}

describe.skipIf(missing)(`a running table of LVS${missing}`, () => {
  it("is taken over by its operator's two commands, without a write and without a lost flow", async () => {
    await using stage = await openStage({ memberCount: 2 });
    const { lab, product } = stage;
    addService(stage, PORT, "rr");
    addService(stage, OTHER_PORT, "rr");
    const before = table(stage);
    const held = startTraffic(lab.client, {
      mode: "hold",
      host: lab.nodeIp,
      port: PORT,
      connections: FLOWS,
      sources: lab.clientIps,
    });
    await waitUntil("all are open", async () => (await held.mark()).alive === FLOWS);

    const text = path.join(product.dataDirectory, "table");
    const pools = path.join(product.dataDirectory, "pools.yaml");
    writeFileSync(text, before);
    // One is wanted otherwise than it is.
    const documents = product.cli("adopt", text).split("---\n");
    const changed = documents.map((each) =>
      each.includes(`port: ${OTHER_PORT}\n`) ? each.replace("scheduler: rr", "scheduler: wlc") : each,
    );
    expect(changed.filter((each, index) => each !== documents[index])).toHaveLength(1);
    writeFileSync(pools, changed.join("---\n"));
    process.stdout.write(product.cli("apply", "-f", pools));

    // Until its operator has said so, nobody takes anything over.
    const programmed = async () => (await conditionOf(stage, "Programmed"))?.message ?? "";
    await waitUntil(
      "both are refused",
      async () => (await programmed()).startsWith("2 pools are not as wanted"),
      product.log,
    );
    process.stdout.write(product.cli("adopt", "--running", product.nodeName));
    const foreign = async () => (await conditionOf(stage, "ForeignServices"))?.message ?? "";
    await waitUntil(
      "one is ours",
      async () => !(await foreign()).includes(String(PORT)),
      product.log,
      undefined,
      90_000,
    );
    expect(await foreign()).toContain(String(OTHER_PORT));
    expect(await programmed()).toContain("its scheduler or its persistence is another");
    expect(table(stage)).toBe(before);

    // From now on a pool is what changes it.
    const name = `tcp-${lab.nodeIp.replaceAll(".", "-")}-${PORT}`;
    const members = lab.members.map(({ ip }) => ({ ip, port: MEMBER_PORT, weight: 3 }));
    await product.patchPool(name, { spec: { members } });
    const weighted = before
      .split("\n")
      .map((line) => (line.startsWith(`-a -t ${lab.nodeIp}:${PORT} `) ? line.replace("-w 1", "-w 3") : line));
    await waitUntil(
      "the pool's weights are there",
      async () => table(stage) === weighted.sort().join("\n"),
      product.log,
    );
    const report = await held.stop();
    process.stdout.write(
      `taken over: n=${report.opened} flows, ${report.resets} reset, ${report.moved} moved\n`,
    );
    expect(report).toMatchObject({ opened: FLOWS, resets: 0, moved: 0, ends: 0, timeouts: 0, refused: 0 });
  });
});
