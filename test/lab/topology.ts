import { makeNamespace, type Namespace, runProgram } from "./namespaces.ts";

/** One member's machine. */
export interface MemberMachine {
  readonly namespace: Namespace;
  /** Its address, reached from the clients through the node. */
  readonly ip: string;
  /** Its name, which its servers answer with: `m1`. */
  readonly name: string;
}

/**
 * Clients, one node and members:
 *
 *     client 10.77.0.2 ── 10.77.0.1 node 10.78.k.1 ── 10.78.k.2 member k
 *     (and 10.77.16.x on its loopback, routed through the one next hop)
 *
 * The node routes, so that `direct` (client to member) is plain routing, and members send replies back through it.
 */
export interface Topology extends AsyncDisposable {
  readonly client: Namespace;
  readonly node: Namespace;
  readonly members: readonly MemberMachine[];
  /** The node's address on the clients' side. */
  readonly nodeIp: string;
  /** Client addresses to connect from. */
  readonly clientIps: readonly string[];
}

/** How large. */
export interface TopologyOptions {
  readonly memberCount: number;
  /** Default 64. */
  readonly clientAddressCount?: number;
}

/** Builds the topology; disposing it removes every namespace and ends what runs in them. */
export function openTopology(options: TopologyOptions): Promise<Topology> {
  return inNamespaces((make) => connect(make, options));
}

/** What `connect` builds of the namespaces that it makes; disposing it removes them, as a failure does. */
export async function inNamespaces<Built extends object>(
  connect: (make: (name: string) => Namespace) => Built,
): Promise<Built & AsyncDisposable> {
  const made: Namespace[] = [];
  const remove = async () => {
    await Promise.all(made.splice(0).map((namespace) => namespace[Symbol.asyncDispose]()));
  };
  const make = (name: string) => {
    const namespace = makeNamespace(name);
    made.push(namespace);
    return namespace;
  };
  try {
    return { ...connect(make), [Symbol.asyncDispose]: remove };
  } catch (failure) {
    await remove();
    throw failure;
  }
}

function connect(
  make: (name: string) => Namespace,
  options: TopologyOptions,
): Omit<Topology, typeof Symbol.asyncDispose> {
  const client = make("client");
  const node = make("node");
  join(node, "client", "10.77.0.1/30", client, "node", "10.77.0.2/30");
  configure(client, "route add default via 10.77.0.1");
  configure(node, "route add 10.77.16.0/20 via 10.77.0.2");
  const clientIps = addClientAddresses(client, options.clientAddressCount ?? 64);
  writeSysctls(node, { ip_forward: "1", "conf/all/rp_filter": "0", "conf/default/rp_filter": "0" });
  const members = Array.from({ length: options.memberCount }, (_, index) =>
    joinMember(node, make(`m${index + 1}`), index + 1),
  );
  return { client, node, members, nodeIp: "10.77.0.1", clientIps };
}

function joinMember(node: Namespace, namespace: Namespace, number: number): MemberMachine {
  join(node, `m${number}`, `10.78.${number}.1/30`, namespace, "node", `10.78.${number}.2/30`);
  configure(namespace, `route add default via 10.78.${number}.1`);
  return { namespace, ip: `10.78.${number}.2`, name: `m${number}` };
}

/** Gives the clients' machine that many addresses to dial from. */
export function addClientAddresses(client: Namespace, count: number): string[] {
  const addresses = Array.from(
    { length: count },
    (_, index) => `10.77.${16 + Math.floor(index / 250)}.${1 + (index % 250)}`,
  );
  configure(client, ...addresses.map((address) => `address add ${address}/32 dev lo`));
  return addresses;
}

/** Connects two machines by a cable. `leftIp` undefined = none, as a switch's port has it. */
export function join(
  left: Namespace,
  leftDevice: string,
  leftIp: string | undefined,
  right: Namespace,
  rightDevice: string,
  rightIp: string,
): void {
  configure(
    left,
    `link add ${leftDevice} type veth peer name ${rightDevice} netns ${right.id}`,
    ...(leftIp === undefined ? [] : [`address add ${leftIp} dev ${leftDevice}`]),
    `link set ${leftDevice} up`,
  );
  configure(right, `address add ${rightIp} dev ${rightDevice}`, `link set ${rightDevice} up`);
}

/** Runs commands of `ip` in a namespace, all by one process: on a slow machine processes are what building costs. */
export function configure(namespace: Namespace, ...commands: readonly string[]): void {
  runProgram("ip", ["-n", namespace.id, "-batch", "-"], commands.join("\n"));
}

/** Writes settings under `net.ipv4`, by their path. */
export function writeSysctls(node: Namespace, values: Readonly<Record<string, string>>): void {
  const lines = Object.entries(values).map(([name, value]) => `echo ${value} > /proc/sys/net/ipv4/${name}`);
  node.run("sh", "-ec", lines.join("\n"));
}
