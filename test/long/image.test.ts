import type { ChildProcess } from "node:child_process";
import { lstatSync, mkdtempSync, readFileSync, readlinkSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parse } from "yaml";
import { buildImage, type Image, missingImageTools, type RunOptions } from "../lab/image.ts";
import { canMakeNamespaces, endProcess, type Namespace } from "../lab/namespaces.ts";
import { waitUntil } from "../lab/product.ts";
import { openStage } from "../lab/stage.ts";
import { openTopology, type Topology } from "../lab/topology.ts";
import { startMember, startTraffic } from "../lab/traffic.ts";
import { ROOT } from "../scenario/program.ts";

const LAUNCHER = path.join(ROOT, "bin/parasaus");
const COMPOSE = path.join(ROOT, "deploy/compose.yaml");
/** What deploy/compose.yaml gives a node. */
const NODE_RIGHTS = ["bpf", "net_admin", "net_raw", "perfmon"];
const NODE_RIGHT_BITS = [12, 13, 38, 39].reduce((sum, bit) => sum + 2n ** BigInt(bit), 0n);
const BUILD_TIMEOUT_MS = 1_200_000;

const missing = canMakeNamespaces() ? missingImageTools() : ["root on Linux"];
const title = missing.length === 0 ? "the image" : `the image (skipped: needs ${missing.join(", ")})`;

describe.skipIf(missing.length > 0)(title, () => {
  let image: Image;
  beforeAll(() => {
    image = buildImage();
    process.stdout.write(`image: ${image.megabytes.toFixed(0)} MB on its base\n`);
  }, BUILD_TIMEOUT_MS);
  afterAll(() => image?.[Symbol.dispose]());

  const runInside = (namespace: Namespace, ...command: readonly string[]) =>
    namespace.run(...image.inside({}, ...command));

  it("runs a server as nobody's user, and holds what runs and no tool that built it", () => {
    expect(image.config).toMatchObject({
      User: "65532:65532",
      Entrypoint: ["parasaus"],
      Cmd: ["server"],
      Labels: { "org.opencontainers.image.title": "Parasaus" },
    });
    const has = (place: string) =>
      lstatSync(path.join(image.rootfs, place), { throwIfNoEntry: false }) !== undefined;
    expect(
      ["opt/parasaus/LICENSE", "opt/parasaus/bpf/build/parasaus.bpf.o", "opt/node/bin/node"].filter(has),
    ).toHaveLength(3);
    expect(["usr/bin/clang", "usr/bin/make", "opt/npm", "opt/parasaus/src", "root/.npm"].filter(has)).toEqual(
      [],
    );
    expect(image.megabytes).toBeLessThan(120);
  });

  it("answers --help and --version", async () => {
    await using lab = await openTopology({ memberCount: 0, clientAddressCount: 1 });
    expect(runInside(lab.node, ...image.config.Entrypoint, "--help")).toContain("Usage: parasaus");
    expect(runInside(lab.node, ...image.config.Entrypoint, "--version")).toMatch(/^\d+\.\d+\.\d+/);
  });

  it("runs parasaus up with four rights, and it forwards", async () => {
    await using stage = await openStage({
      memberCount: 2,
      prefix: image.inside({ user: "0:0", rights: NODE_RIGHTS }),
      launcher: "parasaus",
    });
    const port = await stage.openPool("web", stage.poolSpec(2));
    const members = await requests(stage.lab, port, 400);
    process.stdout.write(`up from the image: 400 requests, answered by ${JSON.stringify(members)}\n`);
    expect(members).toEqual({ m1: 200, m2: 200 });
    expect(readlinkSync(`/proc/${stage.product.agentPid()}/root`)).toBe(image.rootfs);
  });

  it("runs a server without root, and a node with four rights that follows it", async () => {
    const home = mkdtempSync(path.join(tmpdir(), "paratest-image-"));
    await using lab = await openTopology({ memberCount: 1, clientAddressCount: 8 });
    const [member] = lab.members;
    if (!member) throw new Error("Cannot test: no member");
    await startMember(member);
    const log: string[] = [];
    const start = (options: RunOptions, ...words: readonly string[]) => {
      const command = image.inside(options, ...image.config.Entrypoint, ...words);
      const child = lab.node.start(command, { stdio: ["ignore", "pipe", "pipe"] });
      for (const stream of [child.stdout, child.stderr])
        stream?.on("data", (bytes) => log.push(String(bytes)));
      return child;
    };
    const isWell = (service: string) => succeeds(() => runInside(lab.node, ...healthCheckOf(service)));
    const untilWell = (service: string, child: ChildProcess) =>
      waitUntil(
        `${service} is well`,
        async () => isWell(service),
        () => log.join(""),
        child,
      );
    const server = start({}, ...image.config.Cmd, "--no-auth", "--auto-create-namespaces=true");
    const node = start(
      { user: "0:0", rights: NODE_RIGHTS },
      ...["agent", "--node-name", lab.node.id, "--data-dir", home, "--address", lab.nodeIp],
    );
    try {
      await untilWell("server-1", server);
      await untilWell("node-1", node);
      expect(identityOf(server.pid ?? 0)).toEqual({ uid: 65_532, effective: 0n });
      expect(identityOf(node.pid ?? 0)).toEqual({ uid: 0, effective: NODE_RIGHT_BITS });
      const file = path.join(home, "web.yaml");
      writeFileSync(file, poolAt(member.ip));
      lab.node.run(
        "sh",
        "-c",
        `exec "$@" < ${file}`,
        "sh",
        ...image.inside({}, "parasaus", "apply", "-f", "-"),
      );
      await waitUntil(
        "the node forwards",
        async () => (await requests(lab, 30_080, 20))["m1"] === 20,
        () => log.join(""),
        node,
      );
    } finally {
      await endProcess(node);
      await endProcess(server);
      lab.node.run(LAUNCHER, "uninstall", "--node-name", lab.node.id, "--yes");
      rmSync(home, { recursive: true, force: true });
    }
    // The control: with nobody there, neither is well.
    expect(["server-1", "node-1"].map(isWell)).toEqual([false, false]);
  });
});

/** How deploy/compose.yaml asks a container whether it is well. */
function healthCheckOf(service: string): readonly string[] {
  const { services } = parse(readFileSync(COMPOSE, "utf8"), { merge: true }) as {
    readonly services: Readonly<
      Record<string, { readonly healthcheck: { readonly test: readonly string[] } }>
    >;
  };
  const [kind, ...command] = services[service]?.healthcheck.test ?? [];
  expect(kind).toBe("CMD");
  return command;
}

function identityOf(pid: number): { readonly uid: number; readonly effective: bigint } {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  return {
    uid: Number(/^Uid:\s+(\d+)/m.exec(status)?.[1]),
    effective: BigInt(`0x${/^CapEff:\s+(\w+)/m.exec(status)?.[1]}`),
  };
}

function succeeds(action: () => unknown): boolean {
  try {
    action();
    return true;
  } catch {
    return false;
  }
}

function poolAt(ip: string): string {
  return `apiVersion: parasaus.io/v1
kind: Pool
metadata: {name: web, namespace: default}
spec: {port: 30080, healthCheck: {type: tcp, interval: 1s}, members: [{ip: ${ip}, port: 8080}]}
`;
}

/** Sends requests, and counts by member who answered. */
async function requests(
  lab: Topology,
  port: number,
  total: number,
): Promise<Readonly<Record<string, number>>> {
  const { members } = await startTraffic(lab.client, {
    mode: "requests",
    ...{ host: lab.nodeIp, port, total, sources: lab.clientIps },
    concurrency: 4,
    timeoutMs: 2_000,
  }).finished();
  return members;
}
