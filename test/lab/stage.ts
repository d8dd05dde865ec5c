import { type Product, startProduct, untilListens, waitUntil } from "./product.ts";
import { openTopology, type Topology } from "./topology.ts";
import { startMember, startTraffic } from "./traffic.ts";

/** Port of the members' servers. */
export const MEMBER_PORT = 8080;

/** Which driver the node has; a guest whose kernel has IPVS says `ipvs`. */
export const STAGE_DRIVER = process.env["PARASAUS_LAB_DRIVER"] === "ipvs" ? "ipvs" : "ebpf";
const DRIVER_FLAGS = STAGE_DRIVER === "ipvs" ? ["--driver", STAGE_DRIVER] : [];
/** What that driver is tried with. */
export const STAGE_FORWARDING = STAGE_DRIVER === "ipvs" ? (["nat"] as const) : (["fullnat", "nat"] as const);

/** A topology with members that serve and the product on the node: what every traffic scenario begins with. */
export interface Stage extends AsyncDisposable {
  readonly lab: Topology;
  readonly product: Product;
  /** A Pool's spec with the first `count` members, check every second, `change` merged in. */
  poolSpec(count: number, change?: Readonly<Record<string, unknown>>): Record<string, unknown>;
  /** Creates the pool and waits until every one of its members has answered a client. Returns its connect port. */
  openPool(name: string, spec: Record<string, unknown>): Promise<number>;
}

/** Opens it; disposing it removes everything. */
export async function openStage(options: {
  readonly memberCount: number;
  readonly clientAddressCount?: number;
  readonly flags?: readonly string[];
  readonly prefix?: readonly string[];
  readonly launcher?: string;
}): Promise<Stage> {
  const lab = await openTopology(options);
  try {
    await Promise.all(lab.members.map((member) => startMember(member)));
    const product = await startProduct({
      namespace: lab.node,
      flags: ["--address", lab.nodeIp, ...DRIVER_FLAGS, ...(options.flags ?? [])],
      ...(options.prefix ? { prefix: options.prefix } : {}),
      ...(options.launcher ? { launcher: options.launcher } : {}),
    });
    return stage(lab, product);
  } catch (failure) {
    await lab[Symbol.asyncDispose]();
    throw failure;
  }
}

function stage(lab: Topology, product: Product): Stage {
  return {
    lab,
    product,
    poolSpec: (count, change = {}) => ({
      members: lab.members.slice(0, count).map((member) => ({ ip: member.ip, port: MEMBER_PORT })),
      healthCheck: { type: "tcp", interval: "1s", timeout: "500ms", rise: 1, fall: 2 },
      forwarding: STAGE_FORWARDING[0],
      ...change,
    }),
    async openPool(name, spec) {
      await product.putPool(name, spec);
      const wanted = (spec["members"] as readonly unknown[]).length;
      const port = await untilListens(name, () => product.getPool(name), wanted, product.log);
      await waitUntil(`${name} forwards`, async () => (await tryOnce(lab, port)) === wanted, product.log);
      return port;
    },
    async [Symbol.asyncDispose]() {
      await product[Symbol.asyncDispose]();
      await lab[Symbol.asyncDispose]();
    },
  };
}

async function tryOnce(lab: Topology, port: number): Promise<number> {
  const report = await startTraffic(lab.client, {
    mode: "requests",
    host: lab.nodeIp,
    port,
    total: 60,
    concurrency: 4,
    sources: lab.clientIps,
    timeoutMs: 500,
  }).finished();
  return Object.keys(report.members).length;
}
