import { type Product, startProduct, waitUntil } from "../../test/lab/product.ts";
import { BULK_PORT, type Contender, HTTP_PORT, onNode } from "./peers.ts";
import type { BenchTopology } from "./topology.ts";

const SOURCE_COUNT = 8;
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
    contenders: (["nat", "fullnat"] as const).map((forwarding) =>
      onNode(lab, `parasaus-ebpf-tc-${forwarding}`, "para", PORTS[forwarding]),
    ),
  };
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
