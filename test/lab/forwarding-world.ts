import type { Driver } from "../../src/dataplane/index.ts";
import type { DriverWorld, TestFlow } from "../contract/driver-world.ts";
import { type Remote, remoteDriver, startRemote } from "./remote.ts";
import { openTopology, type Topology } from "./topology.ts";
import { startMember } from "./traffic.ts";

const MEMBER_PORT = 8080;

/** Clients, a node that forwards, and members, all real. */
export interface ForwardingWorld<Options> extends DriverWorld {
  readonly topology: Topology;
  readonly options: Options;
  /** Dials any address, by default from the first client address. @returns `reset` when refused */
  dial(ip: string, port: number, clientIp?: string): Promise<TestFlow | "reset">;
  /** The process that has the driver. */
  host(): Remote;
  /** Ends the driver politely and opens another one. */
  restart(prefix?: readonly string[], change?: Partial<Options>): Promise<void>;
}

/**
 * Opens it; disposing it removes the namespaces and what the driver left.
 *
 * @param optionsFor What the driver is opened with, for a node of this name.
 * @param uninstall Takes away what outlives the node's network namespace.
 */
export async function openForwardingWorld<Options extends object>(
  memberCount: number,
  optionsFor: (node: string) => Options,
  uninstall: (options: Options) => void,
): Promise<ForwardingWorld<Options>> {
  const topology = await openTopology({ memberCount });
  const options = optionsFor(`paratest-${process.pid}-${topology.node.id}`);
  try {
    return await connectWorld(topology, options, uninstall, { port: MEMBER_PORT });
  } catch (failure) {
    uninstall(options);
    await topology[Symbol.asyncDispose]();
    throw failure;
  }
}

/**
 * Starts members, a client and the driver in a topology; disposing the world disposes it too.
 *
 * @param member Port of the members' servers, and the address that they listen on if not on every one.
 */
export async function connectWorld<Options extends object>(
  topology: Topology,
  options: Options,
  uninstall: (options: Options) => void,
  member: { readonly port: number; readonly serviceIp?: string },
): Promise<ForwardingWorld<Options>> {
  const { port: memberPort, serviceIp } = member;
  const udpPort = serviceIp === undefined ? undefined : memberPort;
  await Promise.all(topology.members.map((machine) => startMember(machine, memberPort, udpPort, serviceIp)));
  const client = await startRemote(topology.client, "flow-client.ts");
  const open = async (prefix?: readonly string[], change: Partial<Options> = {}) => {
    const words = [JSON.stringify({ ...options, ...change })];
    host = await startRemote(topology.node, "driver-host.ts", words, prefix);
    driver = await remoteDriver(host);
    await driver.setNodeAddresses([topology.nodeIp]);
  };
  let host: Remote;
  let driver: Driver;
  await open();
  const places = topology.members.map(({ ip }) => ({ ip, port: memberPort }));
  const names = new Map(topology.members.map(({ name, ip }) => [name, `${ip}:${memberPort}`]));
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
    dial: (ip, port, clientIp = topology.clientIps[0]) => connectFlow(client, ip, port, clientIp, nameOf),
    connect: (port, clientIp = topology.clientIps[0]) =>
      connectFlow(client, topology.nodeIp, port, clientIp, nameOf),
    wait: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
    async [Symbol.asyncDispose]() {
      await topology[Symbol.asyncDispose]();
      uninstall(options);
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
