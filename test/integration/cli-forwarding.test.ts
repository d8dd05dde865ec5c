import type { ChildProcess } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import type { Interface } from "node:readline";
import { expect, it } from "vitest";
import { canMakeNamespaces, type Namespace } from "../lab/namespaces.ts";
import { startProduct, waitUntil } from "../lab/product.ts";
import { openTopology } from "../lab/topology.ts";
import { linesOf, nextLine, startMember } from "../lab/traffic.ts";
import { buildProgram } from "../scenario/program.ts";

const CONNECT_PORT = 40_796;
const POOL = ["pool/snake-demo-svc4", "-n", "parasaus"];

const service = (ips: readonly string[], check: string) => `
kind: Service
apiVersion: v1
metadata: { name: snake-demo-svc4, namespace: parasaus }
spec:
  ports:
  - { nodePort: ${CONNECT_PORT}, port: ${CONNECT_PORT}, protocol: TCP, name: dcmp-svc4, type: NodePort }
---
kind: Endpoints
apiVersion: v1
metadata: { name: snake-demo-svc4, namespace: parasaus }
annotations: { calledSource: "kubectl-client-side-apply", healthCheckType: "${check}" }
subsets:
${ips.map((ip) => `- addresses: [{ ip: ${ip} }]\n  ports: [{ port: 8080, name: dcmp-svc4 }]`).join("\n")}
`;

/** Says its port, then passes lines on, so that a member answers each with its name. */
const DIAL = `
  const socket = require("node:net").connect({ host: process.argv[1], port: Number(process.argv[2]) });
  socket.on("connect", () => console.log(socket.localPort));
  socket.on("close", () => console.log("closed"));
  process.stdin.on("data", () => socket.write("x"));
  socket.pipe(process.stdout);`;

interface Connection {
  readonly child: ChildProcess;
  readonly lines: Interface;
  /** Client's port. */
  readonly port: number;
}

async function dial(client: Namespace, ip: string): Promise<Connection> {
  const child = client.start([process.execPath, "-e", DIAL, ip, String(CONNECT_PORT)]);
  const lines = linesOf(child);
  return { child, lines, port: Number(await nextLine(lines, child)) };
}

/** Name of the member that answers. */
function ask({ child, lines }: Connection): Promise<string> {
  const answer = nextLine(lines, child);
  child.stdin?.write("\n");
  return answer;
}

it.skipIf(!canMakeNamespaces())(
  "applies a Service, explains its connections and drains a member (needs root)",
  async () => {
    buildProgram();
    await using topology = await openTopology({ memberCount: 2, clientAddressCount: 1 });
    for (const member of topology.members) await startMember(member);
    await using product = await startProduct({ namespace: topology.node });
    const folder = mkdtempSync(path.join(tmpdir(), "parasaus-test-"));
    const file = path.join(folder, "service.yaml");
    const ips = topology.members.map(({ ip }) => ip);
    const apply = (check: string) => {
      writeFileSync(file, service(ips, check));
      return product.cli("apply", "-f", file);
    };
    expect(apply("tcp")).toBe("service/snake-demo-svc4 created\nendpoints/snake-demo-svc4 created\n");
    expect(apply("tcp")).toBe("service/snake-demo-svc4 unchanged\nendpoints/snake-demo-svc4 unchanged\n");
    const isProgrammed = async () =>
      /2 of 2 members are up[\s\S]*1 of 1 nodes/.test(product.cli("describe", ...POOL));
    await waitUntil("both members are up in the kernel", isProgrammed, product.log);

    const held = await dial(topology.client, topology.nodeIp);
    const name = await ask(held);
    const chosen = topology.members.find((member) => member.name === name);
    const explained = product.cli("explain", `10.77.0.2:${held.port}`, `${topology.nodeIp}:${CONNECT_PORT}`);
    expect(explained).toContain("parasaus/snake-demo-svc4");
    expect(explained).toContain(`${chosen?.ip}:8080 (active)`);
    expect(explained).toContain("the scheduler picked it for a new flow");

    const draining = product.cli("drain", ...POOL, "--member", `${chosen?.ip}:8080`, "--for", "1m");
    expect(draining).toBe(
      `pool.parasaus.io/snake-demo-svc4 member ${chosen?.ip}:8080 draining: its connections may go on for 60s\n`,
    );
    await waitUntil("the node holds the change", isOnAllNodes, product.log);
    const others: string[] = [];
    for (let count = 0; count < 6; count += 1)
      others.push(await ask(await dial(topology.client, topology.nodeIp)));
    const [other] = topology.members.filter((member) => member.name !== name);
    expect(new Set(others)).toEqual(new Set([other?.name]));
    expect(await ask(held)).toBe(name);

    expect(apply("http")).toContain("endpoints/snake-demo-svc4 configured");
    const { body } = await product.call("GET", "/metrics");
    const labels = `namespace="parasaus",pool="snake-demo-svc4",member="${other?.ip}:8080"`;
    expect(body).toContain(`parasaus_member_connections_total{node="${product.nodeName}",${labels}} 6`);
    rmSync(folder, { recursive: true });

    async function isOnAllNodes(): Promise<boolean> {
      return /Programmed +True/.test(product.cli("describe", ...POOL));
    }
  },
);
