import { makeNamespace, type Namespace } from "../../test/lab/namespaces.ts";

/** Names of the node namespaces: what one contender loads into its kernel must not slow the others. */
const NODE_NAMES = ["plain", "nft", "para"] as const;
/** One of {@link NODE_NAMES}. */
export type NodeName = (typeof NODE_NAMES)[number];

/** Clients and members, joined by three nodes side by side; each path has the same length. */
export interface BenchTopology extends AsyncDisposable {
  readonly clients: readonly Namespace[];
  readonly members: readonly Namespace[];
  readonly nodes: Readonly<Record<NodeName, Namespace>>;
  /** The node's address that clients dial. */
  nodeIp(node: NodeName): string;
  /** A member's address when it is reached through `node`. `member` counts from 0. */
  memberIp(node: NodeName, member: number): string;
  /** An address of every member: the plain node routes each connection to one of them. */
  readonly sharedIp: string;
}

const CLIENT_COUNT = 4;
/** Members behind every contender. */
const MEMBER_COUNT = 2;
const SHARED_IP = "10.120.0.1";

/** Builds it: client k has 10.(100+n).k.2 towards node n, member m has 10.(110+n).m.2. */
export async function openBenchTopology(): Promise<BenchTopology> {
  const made: Namespace[] = [];
  const make = (name: string) => {
    const namespace = makeNamespace(name);
    made.push(namespace);
    return namespace;
  };
  const remove = async () => {
    await Promise.all(made.splice(0).map((namespace) => namespace[Symbol.asyncDispose]()));
  };
  try {
    const clients = Array.from({ length: CLIENT_COUNT }, (_, index) => make(`c${index}`));
    const members = Array.from({ length: MEMBER_COUNT }, (_, index) => make(`m${index}`));
    const nodes = { plain: make("plain"), nft: make("nft"), para: make("para") };
    for (const [number, name] of NODE_NAMES.entries()) wireNode(number, nodes[name], clients, members);
    for (const member of members) setSysctl(member, "net/ipv4/tcp_max_tw_buckets", "512");
    shareAddress(nodes.plain, clients, members);
    return {
      clients,
      members,
      nodes,
      nodeIp: (node) => `10.${100 + NODE_NAMES.indexOf(node)}.0.1`,
      sharedIp: SHARED_IP,
      memberIp: (node, member) => `10.${110 + NODE_NAMES.indexOf(node)}.${member}.2`,
      [Symbol.asyncDispose]: remove,
    };
  } catch (failure) {
    await remove();
    throw failure;
  }
}

function wireNode(
  number: number,
  node: Namespace,
  clients: readonly Namespace[],
  members: readonly Namespace[],
): void {
  setSysctl(node, "net/ipv4/conf/all/rp_filter", "0");
  setSysctl(node, "net/ipv4/conf/default/rp_filter", "0");
  for (const [index, client] of clients.entries()) {
    wire(node, `c${index}`, client, `n${number}`, `10.${100 + number}.${index}`);
    client.run("ip", "route", "add", `10.${110 + number}.0.0/16`, "via", `10.${100 + number}.${index}.1`);
    if (index > 0)
      client.run("ip", "route", "add", `10.${100 + number}.0.1/32`, "via", `10.${100 + number}.${index}.1`);
  }
  for (const [index, member] of members.entries()) {
    wire(node, `m${index}`, member, `n${number}`, `10.${110 + number}.${index}`);
    member.run("ip", "route", "add", `10.${100 + number}.0.0/16`, "via", `10.${110 + number}.${index}.1`);
  }
  setSysctl(node, "net/ipv4/ip_forward", "1");
}

/** Routes one address over all members by a hash of addresses and ports, so that plain routing alternates them too. */
function shareAddress(plain: Namespace, clients: readonly Namespace[], members: readonly Namespace[]): void {
  for (const member of members) member.run("ip", "address", "add", `${SHARED_IP}/32`, "dev", "lo");
  setSysctl(plain, "net/ipv4/fib_multipath_hash_policy", "1");
  const hops = members.flatMap((_, index) => ["nexthop", "via", `10.110.${index}.2`]);
  plain.run("ip", "route", "add", SHARED_IP, ...hops);
  for (const [index, client] of clients.entries())
    client.run("ip", "route", "add", SHARED_IP, "via", `10.100.${index}.1`);
}

function wire(
  node: Namespace,
  nodeDevice: string,
  other: Namespace,
  otherDevice: string,
  prefix: string,
): void {
  node.run("ip", "link", "add", nodeDevice, "type", "veth", "peer", "name", otherDevice, "netns", other.id);
  node.run("ip", "address", "add", `${prefix}.1/30`, "dev", nodeDevice);
  other.run("ip", "address", "add", `${prefix}.2/30`, "dev", otherDevice);
  node.run("ip", "link", "set", nodeDevice, "up");
  other.run("ip", "link", "set", otherDevice, "up");
}

/** Writes one sysctl inside a namespace. */
function setSysctl(namespace: Namespace, name: string, value: string): void {
  namespace.run("sh", "-c", `echo ${value} > /proc/sys/${name}`);
}
