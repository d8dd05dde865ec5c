import { readFileSync } from "node:fs";
import path from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import type { Node } from "../../src/model/index.ts";
import { canMakeNamespaces, endProcess, makeNamespace, type Namespace } from "../lab/namespaces.ts";
import { type Product, startProduct, waitUntil } from "../lab/product.ts";
import { openStage } from "../lab/stage.ts";
import { labProgram, startTraffic } from "../lab/traffic.ts";
import { buildProgram, ROOT } from "../scenario/program.ts";

/** What deploy/ gives the agent; each is needed, and nothing else is. */
const RIGHTS = ["bpf", "net_admin", "net_raw", "perfmon"];
const canRun = canMakeNamespaces();
const title = (text: string) => (canRun ? text : `${text} (skipped: needs root on Linux)`);

/** Starts a program that has these rights, and can get no others. */
const withRights = (rights: readonly string[]) => [
  "setpriv",
  `--bounding-set=${["-all", ...rights.map((right) => `+${right}`)].join(",")}`,
  "--inh-caps=-all",
];

beforeAll(buildProgram);

describe.skipIf(!canRun)(title("an agent with few rights"), () => {
  it("forwards with CAP_BPF, CAP_NET_ADMIN, CAP_NET_RAW and CAP_PERFMON alone", async () => {
    await using stage = await openStage({ memberCount: 2, prefix: withRights(RIGHTS) });
    const { product, lab } = stage;
    const status = readFileSync(`/proc/${product.agentPid()}/status`, "utf8");
    const bits = [12, 13, 38, 39].reduce((sum, bit) => sum + 2n ** BigInt(bit), 0n);
    const [effective, bounding] = ["CapEff", "CapBnd"].map(
      (name) => new RegExp(`^${name}:\\s*(\\w+)`, "m").exec(status)?.[1] ?? "",
    );
    expect([effective, bounding]).toEqual([0, 1].map(() => bits.toString(16).padStart(16, "0")));
    const port = await stage.openPool("web", stage.poolSpec(2));
    const report = await startTraffic(lab.client, {
      mode: "requests",
      host: lab.nodeIp,
      port,
      total: 400,
      concurrency: 8,
      sources: lab.clientIps,
      timeoutMs: 2_000,
    }).finished();
    const answered = Object.values(report.members).reduce((sum, count) => sum + count, 0);
    process.stdout.write(`with four rights: ${answered} of 400 requests answered by 2 members\n`);
    expect([answered, Object.keys(report.members).sort()]).toEqual([400, ["m1", "m2"]]);
    expect((await nodeOf(product))?.conditions).toMatchObject({
      Ready: ["True", expect.any(String), expect.any(String)],
    });
  });

  describe.each(RIGHTS)("without CAP_%s", (right) => {
    const others = withRights(RIGHTS.filter((each) => each !== right));

    it("cannot be opened: the kernel itself refuses", async () => {
      await using namespace = makeNamespace("rights");
      const { output, exitCode } = await openDriver(namespace, others);
      expect(exitCode).not.toBe(0);
      expect(output).toMatch(/ParasausError: Cannot (load the BPF object|open a raw socket)/);
    });

    it("says so in its Node and forwards nothing", async () => {
      await using namespace = makeNamespace("rights");
      await using product = await startProduct({ namespace, prefix: others });
      await waitUntil("the Node is there", async () => (await nodeOf(product)) !== undefined, product.log);
      const node = await nodeOf(product);
      expect(node).toMatchObject({ driver: "none" });
      const [status, reason, message] = node?.conditions["Ready"] ?? [];
      expect([status, reason]).toEqual(["False", "CannotForward"]);
      expect(message).toBe(
        `Cannot forward: this process lacks CAP_${right.toUpperCase()}; run it as root, or with exactly ` +
          "CAP_BPF, CAP_NET_ADMIN, CAP_NET_RAW, CAP_PERFMON",
      );
    });
  });

  it("opens the driver with all four, which shows that the refusals above are of the rights", async () => {
    await using namespace = makeNamespace("rights");
    const { output } = await openDriver(namespace, withRights(RIGHTS));
    expect(output).toMatch(/^open$/m);
  });
});

interface NodeView {
  readonly driver: string | undefined;
  readonly conditions: Readonly<Record<string, readonly [status: string, reason: string, message: string]>>;
}

async function nodeOf({ call, nodeName }: Product): Promise<NodeView | undefined> {
  const { status, body } = await call("GET", `/apis/parasaus.io/v1/nodes/${nodeName}`);
  const node = body as Node;
  if (status !== 200 || !node.status?.conditions?.length) return undefined;
  const conditions = node.status.conditions.map((each) => [
    each.type,
    [each.status, each.reason ?? "", each.message ?? ""] as const,
  ]);
  return { driver: node.status.driver, conditions: Object.fromEntries(conditions) };
}

/** Opens the driver past every check of the program, so that the kernel decides. */
async function openDriver(
  namespace: Namespace,
  prefix: readonly string[],
): Promise<{ readonly output: string; readonly exitCode: number | null }> {
  const options = { node: namespace.id, objectFile: path.join(ROOT, "bpf/build/parasaus.bpf.o") };
  const child = namespace.start([...prefix, ...labProgram("driver-host.ts", JSON.stringify(options))], {
    stdio: ["pipe", "pipe", "pipe"],
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream?.on("data", (chunk) => (output += String(chunk)));
  const over = new Promise((resolve) => child.once("close", resolve));
  const opened = waitUntil(
    "the driver is open",
    async () => /^open$/m.test(output),
    () => output,
    child,
  );
  await Promise.race([over, opened]).catch(() => undefined);
  const { exitCode } = child;
  await endProcess(child);
  namespace.run(path.join(ROOT, "bin/parasaus"), "uninstall", "--node-name", namespace.id, "--yes");
  return { output, exitCode };
}
