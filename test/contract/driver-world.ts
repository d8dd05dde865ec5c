import type { DesiredPool, Driver, FlowTuple } from "../../src/dataplane/index.ts";
import { planOperations } from "../../src/dataplane/index.ts";

/** One connection of the suite's client. */
export interface TestFlow {
  readonly tuple: FlowTuple;
  /** `ip:port` of the member that answered first. */
  readonly member: string;
  /** Sends something and waits for the answer. @returns `ip:port` of the member that answered, or `reset` */
  exchange(): Promise<string>;
  close(): Promise<void>;
}

/** A kernel with clients and members around it: simulated, or made of namespaces and sockets. */
export interface DriverWorld extends AsyncDisposable {
  /** The driver that runs now. */
  driver(): Driver;
  /** Abandons the driver as a SIGKILL would and opens another one over the same kernel. */
  reopen(): Promise<void>;
  /** How the suite's pools forward. Default fullnat. */
  readonly forwarding?: DesiredPool["forwarding"];
  /** Whether replies pass the node, which then counts them. Default true. */
  readonly countsReplies?: boolean;
  /** Where members answer; at least four. */
  readonly places: readonly { readonly ip: string; readonly port: number }[];
  /** The node's address that clients dial. */
  readonly nodeIp: string;
  /** Addresses to dial from; at least 16. */
  readonly clientIps: readonly string[];
  /** Dials the node's port over TCP, by default from the first client address. @returns `reset` when refused */
  connect(port: number, clientIp?: string): Promise<TestFlow | "reset">;
  /** Lets so much time pass, milliseconds. */
  wait(ms: number): Promise<void>;
}

/** A pool on port 30001 with the world's first `memberCount` places as active members. */
export function poolIn(
  world: DriverWorld,
  memberCount: number,
  change: Partial<DesiredPool> = {},
): DesiredPool {
  return {
    uid: "0b0e7a4c-0000-4000-8000-000000000001",
    addresses: [{ ip: "*", port: 30001, protocol: "TCP" }],
    scheduler: "rr",
    forwarding: world.forwarding ?? "fullnat",
    affinitySeconds: 0,
    drainSeconds: 30,
    members: world.places.slice(0, memberCount).map(({ ip, port }) => ({
      ip,
      port,
      weight: 1,
      disposition: "active" as const,
      drainSeconds: 30,
    })),
    ...change,
  };
}

/** The pool with one of its members changed. */
export function withMember(
  pool: DesiredPool,
  index: number,
  change: Partial<DesiredPool["members"][number]>,
): DesiredPool {
  return {
    ...pool,
    members: pool.members.map((member, at) => (at === index ? { ...member, ...change } : member)),
  };
}

/** Brings the kernel to `desired`, as the agent does. Throws when the driver refuses anything. */
export async function program(world: DriverWorld, ...desired: readonly DesiredPool[]): Promise<void> {
  const driver = world.driver();
  const operations = planOperations(desired, await driver.observe(), driver.nowMs());
  const failures = await driver.apply(operations);
  if (failures.length > 0) throw new Error(`the driver refused: ${JSON.stringify(failures)}`);
}

/** Dials and fails the test when refused. */
export async function connected(world: DriverWorld, port = 30001, clientIp?: string): Promise<TestFlow> {
  const flow = await world.connect(port, clientIp);
  if (flow === "reset") throw new Error(`port ${port} refused the connection`);
  return flow;
}

/** Dials `count` times in turn. @returns the flows, still open */
export async function connectTimes(world: DriverWorld, count: number): Promise<TestFlow[]> {
  const flows: TestFlow[] = [];
  for (let made = 0; made < count; made += 1) flows.push(await connected(world));
  return flows;
}

/** Closes them all. */
export async function closeAll(flows: readonly TestFlow[]): Promise<void> {
  for (const flow of flows) await flow.close();
}

/** How many flows each member has got, by `ip:port`. */
export function spreadOf(flows: readonly TestFlow[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const flow of flows) counts.set(flow.member, (counts.get(flow.member) ?? 0) + 1);
  return counts;
}

/** `ip:port` of the world's places, in order. */
export function placesOf(world: DriverWorld): string[] {
  return world.places.map(({ ip, port }) => `${ip}:${port}`);
}
