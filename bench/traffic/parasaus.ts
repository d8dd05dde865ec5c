import { type Product, startProduct, waitUntil } from "../../test/lab/product.ts";
import { BULK_PORT, type Contender, HTTP_PORT, onNode } from "./peers.ts";
import type { BenchTopology } from "./topology.ts";

const SOURCE_COUNT = 8;
const CHANGE_INTERVAL_MS = 100;
const PORTS = { nat: { http: 31_101, bulk: 31_111 }, fullnat: { http: 31_102, bulk: 31_112 } };

/** Starts the product on its node and one pool for each forwarding mode. The caller disposes the product. */
export async function startParasaus(
  lab: BenchTopology,
): Promise<{ readonly product: Product; readonly contenders: readonly Contender[] }> {
  const node = lab.nodes.para;
  const sources = Array.from({ length: SOURCE_COUNT }, (_, index) => `10.102.200.${index + 1}`);
  for (const source of sources) node.run("ip", "address", "add", `${source}/32`, "dev", "lo");
  const product = await startProduct({
    namespace: node,
    flags: ["--address", lab.nodeIp("para"), "--source-addresses", sources.join(","), "--log-level", "warn"],
  });
  for (const forwarding of ["nat", "fullnat"] as const) {
    const members = lab.members.map((_, index) => lab.memberIp("para", index));
    await putPool(
      product,
      `http-${forwarding}`,
      forwarding,
      PORTS[forwarding].http,
      members.map((ip) => ({ ip, port: HTTP_PORT })),
    );
    await putPool(
      product,
      `bulk-${forwarding}`,
      forwarding,
      PORTS[forwarding].bulk,
      members.slice(0, 1).map((ip) => ({ ip, port: BULK_PORT })),
    );
  }
  return {
    product,
    contenders: [
      onNode(lab, "parasaus-ebpf-tc-nat", "para", PORTS.nat),
      {
        ...onNode(lab, "parasaus-ebpf-tc-nat-changing", "para", PORTS.nat),
        disturb: (signal) => changePool(product, "http-nat", signal),
      },
      onNode(lab, "parasaus-ebpf-tc-fullnat", "para", PORTS.fullnat),
    ],
  };
}

/** Changes weights and scheduler of a pool ten times a second, and leaves it as it was. */
async function changePool(product: Product, name: string, signal: AbortSignal): Promise<void> {
  const { scheduler, members = [] } = (await product.getPool(name)).spec;
  for (let change = 1; !signal.aborted; change += 1) {
    await product.patchPool(name, {
      spec: {
        scheduler: change % 2 ? "wrr" : "rr",
        members: members.map((member, index) => ({ ...member, weight: 1 + ((change + index) % 3) })),
      },
    });
    await new Promise((resolve) => setTimeout(resolve, CHANGE_INTERVAL_MS));
  }
  await product.patchPool(name, { spec: { scheduler, members } });
}

async function putPool(
  product: Product,
  name: string,
  forwarding: string,
  port: number,
  members: readonly unknown[],
): Promise<void> {
  await product.putPool(name, {
    forwarding,
    port,
    members,
    healthCheck: { type: "tcp", interval: "1s", rise: 1 },
  });
  await waitUntil(
    `${name} is up`,
    async () =>
      (await product.getPool(name)).status?.members?.filter((member) => member.verdict === "up").length ===
      members.length,
    product.log,
  );
}
