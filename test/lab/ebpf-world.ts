import { existsSync } from "node:fs";
import path from "node:path";
import type { EbpfDriverOptions } from "../../src/dataplane/ebpf/index.ts";
import { uninstallEbpf } from "../../src/dataplane/ebpf/index.ts";
import type { Driver } from "../../src/dataplane/index.ts";
import type { DriverWorld, TestFlow } from "../contract/driver-world.ts";
import { canMakeNamespaces } from "./namespaces.ts";
import { type Remote, remoteDriver, startRemote } from "./remote.ts";
import { openTopology, type Topology } from "./topology.ts";
import { startMember } from "./traffic.ts";

export const BPF_OBJECT = path.resolve("bpf/build/parasaus.bpf.o");
const MEMBER_PORT = 8080;

/** Why eBPF cannot be tested here; empty when it can. Goes into the names of skipped tests. */
export function missingForEbpf(): string {
  if (!canMakeNamespaces()) return " (skipped: needs root and network namespaces)";
  return existsSync(BPF_OBJECT) ? "" : " (skipped: bpf/build/parasaus.bpf.o is not built)";
}

/** Clients, a node that forwards with eBPF, and members, all real. */
export interface EbpfWorld extends DriverWorld {
  readonly topology: Topology;
  readonly options: Partial<EbpfDriverOptions> & { readonly node: string };
  /** The process that has the driver. */
  host(): Remote;
  /** Ends the driver politely and opens another one. */
  restart(prefix?: readonly string[], change?: Partial<EbpfDriverOptions>): Promise<void>;
}

/** Opens it; disposing it removes namespaces and pins. */
export async function openEbpfWorld(
  change: Partial<EbpfDriverOptions> = {},
  memberCount = 4,
): Promise<EbpfWorld> {
  const topology = await openTopology({ memberCount });
  const options = {
    node: `paratest-${process.pid}-${topology.node.id}`,
    objectFile: BPF_OBJECT,
    localClients: "off" as const,
    ...change,
  };
  try {
    return await connectWorld(topology, options);
  } catch (failure) {
    uninstallEbpf(options);
    await topology[Symbol.asyncDispose]();
    throw failure;
  }
}

async function connectWorld(
  topology: Topology,
  options: Partial<EbpfDriverOptions> & { readonly node: string },
): Promise<EbpfWorld> {
  await Promise.all(topology.members.map((machine) => startMember(machine, MEMBER_PORT)));
  const client = await startRemote(topology.client, "flow-client.ts");
  const open = async (prefix?: readonly string[], change: Partial<EbpfDriverOptions> = {}) => {
    const words = [JSON.stringify({ ...options, ...change })];
    host = await startRemote(topology.node, "driver-host.ts", words, prefix);
    driver = remoteDriver(host);
    await driver.setNodeAddresses([topology.nodeIp]);
  };
  let host: Remote;
  let driver: Driver;
  await open();
  const places = topology.members.map(({ ip }) => ({ ip, port: MEMBER_PORT }));
  const names = new Map(topology.members.map(({ name, ip }) => [name, `${ip}:${MEMBER_PORT}`]));
  const nameOf = (answer: unknown) => names.get(String(answer).split("\n")[0] ?? "") ?? String(answer);
  return {
    topology,
    options,
    host: () => host,
    driver: () => driver,
    reopen: async () => {
      await host.kill();
      await open();
    },
    restart: async (prefix, change) => {
      await host.end();
      await open(prefix, change);
    },
    places,
    nodeIp: topology.nodeIp,
    clientIps: topology.clientIps,
    connect: (port, clientIp = topology.clientIps[0]) =>
      connectFlow(client, topology.nodeIp, port, clientIp, nameOf),
    wait: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
    async [Symbol.asyncDispose]() {
      await topology[Symbol.asyncDispose]();
      uninstallEbpf(options);
    },
  };
}

/** Dials through the client program. The first answer tells the member. */
export async function connectFlow(
  client: Remote,
  ip: string,
  port: number,
  clientIp: string | undefined,
  nameOf: (answer: unknown) => string,
): Promise<TestFlow | "reset"> {
  const opened = (await client.call("connect", ip, port, clientIp)) as
    | { readonly flow: number; readonly clientIp: string; readonly clientPort: number }
    | undefined;
  if (!opened) return "reset";
  const exchange = async () => nameOf(await client.call("exchange", opened.flow));
  const member = await exchange();
  if (member === "reset") return "reset";
  const { clientIp: source, clientPort } = opened;
  return {
    tuple: { protocol: "TCP", clientIp: source, clientPort, ip, port },
    member,
    exchange,
    close: async () => {
      await client.call("close", opened.flow);
    },
  };
}
