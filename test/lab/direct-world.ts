import { rmSync } from "node:fs";
import path from "node:path";
import { type DirectMode, type DirectTopology, openDirectTopology } from "./direct-topology.ts";
import { connectWorld, type ForwardingWorld } from "./forwarding-world.ts";
import { IPVS_RECORDS, type IpvsWorldOptions } from "./ipvs-world.ts";
import { runProgram } from "./namespaces.ts";

/** Port of the service, which with `dsr` and `tunnel` is the members' too. */
export const DIRECT_PORT = 30_001;

/** Clients, a node that passes packets on with IPVS, and members that answer past it, all real. */
export interface DirectWorld extends ForwardingWorld<IpvsWorldOptions> {
  readonly topology: DirectTopology;
}

/** Opens it; disposing it removes the namespaces, with which the nodes' services go. */
export async function openDirectWorld(
  mode: DirectMode,
  { memberCount = 4, nodeCount = 1 } = {},
): Promise<DirectWorld> {
  for (const module of mode === "tunnel" ? ["ipip", "bridge"] : ["bridge"]) runProgram("modprobe", [module]);
  const topology = await openDirectTopology({ mode, memberCount, nodeCount });
  const options: IpvsWorldOptions = {
    node: `paratest-${process.pid}-${topology.node.id}`,
    driver: "ipvs",
  };
  const forget = ({ node }: IpvsWorldOptions) =>
    rmSync(path.join(IPVS_RECORDS, `${node}.jsonl`), { force: true });
  try {
    const member = { port: DIRECT_PORT, serviceIp: topology.nodeIp };
    const world = await connectWorld(topology, options, forget, member);
    return { ...world, topology, forwarding: mode, countsReplies: false };
  } catch (failure) {
    forget(options);
    await topology[Symbol.asyncDispose]();
    throw failure;
  }
}
