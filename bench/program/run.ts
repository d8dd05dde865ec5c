import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { openMap } from "../../test/lab/kernel.ts";
import type { Namespace } from "../../test/lab/namespaces.ts";
import { type Product, startProduct, waitUntil } from "../../test/lab/product.ts";
import { openTopology } from "../../test/lab/topology.ts";
import { type Figure, figure, quantile } from "../statistics.ts";

/** How large. */
export interface ProgramOptions {
  readonly poolCount: number;
  readonly changeCount: number;
  readonly print: (line: string) => void;
}

const PACKET_COST = fileURLToPath(new URL("packet-cost.ts", import.meta.url));
const WRITERS = 32;
const MEMBER_ROW_BYTES = 56;
const WEIGHT_AT = 28;
const SYNC_TIMEOUT_MS = 180_000;

/** Fills a node with pools, starts it cold, and changes one pool after the other. Removes everything afterwards. */
export async function runProgram(options: ProgramOptions): Promise<readonly Figure[]> {
  await using lab = await openTopology({ memberCount: 1, clientAddressCount: 1 });
  lab.node.run("ip", "route", "add", "10.80.0.0/12", "via", "10.78.1.2");
  lab.node.run("ip", "neigh", "replace", "10.78.1.2", "lladdr", "02:00:00:00:00:01", "dev", "m1");
  await using product = await startProduct({
    namespace: lab.node,
    flags: ["--address", lab.nodeIp, "--log-level", "warn"],
  });
  const alone = { name: "probe", index: 60_000 };
  await product.putPool(alone.name, spec(alone.index, 1));
  const single = await measureChanges(product, alone, options.changeCount);
  await product.deletePool(alone.name);
  const createMs = await timed(() => createPools(product, options));
  options.print(`program: ${options.poolCount} pools created in ${(createMs / 1_000).toFixed(1)} s`);
  await waitForPools(product, options.poolCount);
  options.print("program: the node holds them all");
  const last = options.poolCount - 1;
  const full = await measureChanges(product, { name: `pool-${last}`, index: last }, options.changeCount);
  const cost = packetCost(lab.node, product, await addressOf(product, "pool-0", lab.nodeIp));
  const cold = await coldStart(product, options.poolCount);
  options.print(`program: cold start ${(cold.ms / 1_000).toFixed(1)} s`);
  return [
    figure("ns-per-packet", "parasaus-ebpf-tc", "ns", [cost.flow]),
    figure("ns-per-packet", "not-ours", "ns", [cost.foreign]),
    figure("apply-all-pools", "api", "s", [createMs / 1_000]),
    figure("program-all-pools", "parasaus-ebpf-tc", "s", [cold.ms / 1_000]),
    figure("change-to-kernel-p99", "one-pool", "ms", [quantile(single, 0.99)]),
    figure("change-to-kernel-p99", `${options.poolCount}-pools`, "ms", [quantile(full, 0.99)]),
    figure("change-to-kernel-median", `${options.poolCount}-pools`, "ms", [quantile(full, 0.5)]),
    figure("agent-memory", "parasaus-ebpf-tc", "MB", [cold.peakMb]),
    figure("map-memory", "parasaus-ebpf-tc", "MB", [mapMemoryMb(product.agentPid())]),
  ];
}

function spec(index: number, weight: number): Record<string, unknown> {
  const ip = (last: number) => `10.${80 + (index >> 14)}.${(index >> 6) & 255}.${((index & 63) << 2) + last}`;
  return {
    healthCheck: { type: "none" },
    members: [
      { ip: ip(1), port: 8080, weight },
      { ip: ip(2), port: 8080 },
    ],
  };
}

async function createPools(product: Product, options: ProgramOptions): Promise<void> {
  let next = 0;
  const writer = async () => {
    while (next < options.poolCount) {
      const index = next++;
      await product.putPool(`pool-${index}`, spec(index, 1));
      if (index % 5_000 === 4_999) options.print(`program: ${index + 1} pools`);
    }
  };
  await Promise.all(Array.from({ length: WRITERS }, writer));
}

async function waitForPools(product: Product, count: number): Promise<void> {
  await waitUntil(
    `the node holds ${count} pools`,
    async () => (await nodePoolCount(product)) >= count,
    product.log,
    undefined,
    SYNC_TIMEOUT_MS,
  );
}

async function nodePoolCount(product: Product): Promise<number> {
  const { body } = await product.call("GET", `/apis/parasaus.io/v1/nodes/${product.nodeName}`);
  return (body as { readonly status?: { readonly poolCount?: number } }).status?.poolCount ?? 0;
}

/** Milliseconds from the API call of a weight change until the kernel's member row has it. */
async function measureChanges(
  product: Product,
  { name, index }: { readonly name: string; readonly index: number },
  count: number,
): Promise<number[]> {
  const row = await waitForRow(product, index);
  const times: number[] = [];
  for (let round = 0; round < count; round += 1) {
    const weight = 2 + (round % 200);
    const startMs = performance.now();
    await product.patchPool(name, { spec: { members: spec(index, weight)["members"] } });
    await waitForWeight(product, row, weight);
    times.push(performance.now() - startMs);
  }
  return times;
}

async function waitForRow(product: Product, index: number): Promise<number> {
  const wanted = Buffer.from(
    String((spec(index, 1)["members"] as { readonly ip: string }[])[0]?.ip)
      .split(".")
      .map(Number),
  );
  let found = -1;
  await waitUntil(
    "the kernel has the pool",
    async () => {
      found = findMember(product, wanted);
      return found >= 0;
    },
    product.log,
  );
  return found;
}

function findMember(product: Product, address: Buffer): number {
  const map = openMap(product.nodeName, "member");
  try {
    for (const batch of map.batches(4_096)) {
      for (let index = 0; index < batch.count; index += 1) {
        const at = index * MEMBER_ROW_BYTES;
        if (batch.values.subarray(at + 16, at + 20).equals(address))
          return batch.keys.readUInt32LE(index * 4);
      }
    }
    return -1;
  } finally {
    map.close();
  }
}

async function waitForWeight(product: Product, index: number, weight: number): Promise<void> {
  const map = openMap(product.nodeName, "member");
  const key = Buffer.alloc(4);
  key.writeUInt32LE(index);
  const value = Buffer.alloc(MEMBER_ROW_BYTES);
  const deadlineMs = performance.now() + 10_000;
  try {
    while (map.lookup(key, value) && value.readUInt32LE(WEIGHT_AT) !== weight) {
      if (performance.now() > deadlineMs)
        throw new Error(`Cannot measure: weight ${weight} has not come within 10 s`);
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
  } finally {
    map.close();
  }
}

/** Takes the node's kernel state away and lets a new agent fill it. */
async function coldStart(
  product: Product,
  count: number,
): Promise<{ readonly ms: number; readonly peakMb: number }> {
  const old = product.agentPid();
  product.uninstallNode();
  process.kill(old, "SIGKILL");
  const startMs = performance.now();
  await waitUntil("a new agent runs", async () => product.agentPid() !== old);
  await waitUntil(
    "the kernel is full again",
    async () => countServices(product) >= count,
    product.log,
    undefined,
    SYNC_TIMEOUT_MS,
  );
  const ms = performance.now() - startMs;
  return { ms, peakMb: peakMemoryMb(product.agentPid()) };
}

function countServices(product: Product): number {
  const map = openMap(product.nodeName, "service");
  try {
    return [...map.batches(8_192)].reduce((sum, batch) => sum + batch.count, 0);
  } finally {
    map.close();
  }
}

function peakMemoryMb(pid: number): number {
  return (
    Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? Number.NaN) / 1_024
  );
}

function mapMemoryMb(pid: number): number {
  const bytes = readdirSync(`/proc/${pid}/fdinfo`).map((fd) => {
    const text = readFileSync(`/proc/${pid}/fdinfo/${fd}`, "utf8");
    return text.includes("map_id") ? Number(/memlock:\s+(\d+)/.exec(text)?.[1] ?? 0) : 0;
  });
  return bytes.reduce((sum, each) => sum + each, 0) / 1_048_576;
}

async function addressOf(product: Product, pool: string, ip: string): Promise<readonly string[]> {
  const port = (await product.getPool(pool)).status?.connectAddresses?.[0]?.port;
  return [ip, String(port)];
}

function packetCost(
  node: Namespace,
  product: Product,
  address: readonly string[],
): { readonly flow: number; readonly foreign: number } {
  return JSON.parse(
    node.run(
      process.execPath,
      "--import",
      import.meta.resolve("tsx"),
      PACKET_COST,
      product.nodeName,
      ...address,
    ),
  );
}

async function timed(work: () => Promise<void>): Promise<number> {
  const startMs = performance.now();
  await work();
  return performance.now() - startMs;
}
