import type { Namespace } from "./namespaces.ts";
import {
  addClientAddresses,
  configure,
  inNamespaces,
  join,
  type MemberMachine,
  type Topology,
  writeSysctls,
} from "./topology.ts";

/** One of several nodes. */
export interface NodeMachine {
  readonly namespace: Namespace;
  /** Its own address, which the router sends packets to the service through. */
  readonly ip: string;
}

/** A topology in which members answer past the nodes. */
export interface DirectTopology extends Topology {
  readonly router: Namespace;
  readonly nodes: readonly NodeMachine[];
  /** Sends packets to the service through these nodes, spread by address and port. */
  routeThrough(nodes: readonly NodeMachine[]): void;
}

/** How members take packets for the service's address: off the wire, or out of IPIP. */
export type DirectMode = "dsr" | "tunnel";

/** The service's address, which every node and every member has. */
const SERVICE_IP = "198.51.100.7";
/** One that pools may ask for: members have it, a node once a pool is there. */
export const OWN_SERVICE_IP = "198.51.100.8";

/**
 * Clients, a router, and behind it nodes and members on one wire:
 *
 *     client 10.90.0.2 ── 10.90.0.1 router 10.91.0.1 ──┬── node n 10.91.0.10+n
 *     (and 10.77.16.x on its loopback)                 └── member k 10.91.0.20+k
 *
 * The router sends packets to the service through nodes; members send theirs through the router. They have the service's
 * address on their loopback and do not say so on the wire.
 */
export function openDirectTopology(options: {
  readonly mode: DirectMode;
  readonly memberCount: number;
  readonly nodeCount?: number;
}): Promise<DirectTopology> {
  return inNamespaces((make) => connect(make, options));
}

function connect(
  make: (name: string) => Namespace,
  { mode, memberCount, nodeCount = 1 }: Parameters<typeof openDirectTopology>[0],
): Omit<DirectTopology, typeof Symbol.asyncDispose> {
  const client = make("client");
  const router = make("router");
  join(router, "client", "10.90.0.1/30", client, "router", "10.90.0.2/30");
  configure(client, "route add default via 10.90.0.1");
  const clientIps = addClientAddresses(client, 64);
  configure(
    router,
    "route add 10.77.16.0/20 via 10.90.0.2",
    "link add wire type bridge",
    "address add 10.91.0.1/24 dev wire",
    "link set wire up",
  );
  writeSysctls(router, { ...ROUTING, fib_multipath_hash_policy: "1" });
  const nodes = numbered(nodeCount).map((number) => {
    const namespace = make(`node${number}`);
    const ip = `10.91.0.${10 + number}`;
    plugIn(router, namespace, `n${number}`, ip);
    configure(namespace, `address add ${SERVICE_IP}/32 dev lo`);
    writeSysctls(namespace, ROUTING);
    return { namespace, ip };
  });
  const members = numbered(memberCount).map((number) => joinMember(router, make(`m${number}`), number, mode));
  const routeThrough = (through: readonly NodeMachine[]) => {
    const hops = through.map(({ ip }) => `nexthop via ${ip}`).join(" ");
    configure(
      router,
      ...[SERVICE_IP, OWN_SERVICE_IP].map((service) => `route replace ${service}/32 ${hops}`),
    );
  };
  routeThrough(nodes);
  const [first] = nodes;
  if (!first) throw new Error("Cannot build a topology without a node");
  const node = first.namespace;
  return { client, router, node, nodes, members, nodeIp: SERVICE_IP, clientIps, routeThrough };
}

const ROUTING = { ip_forward: "1", "conf/all/rp_filter": "0", "conf/default/rp_filter": "0" };

function numbered(count: number): readonly number[] {
  return Array.from({ length: count }, (_, index) => index + 1);
}

/** Puts a machine on the wire. */
function plugIn(router: Namespace, namespace: Namespace, port: string, ip: string): void {
  join(router, port, undefined, namespace, "wire", `${ip}/24`);
  configure(router, `link set ${port} master wire`);
  configure(namespace, "route add default via 10.91.0.1");
}

/** What a member must set, as docs/reference/drivers.md has it. */
function joinMember(
  router: Namespace,
  namespace: Namespace,
  number: number,
  mode: DirectMode,
): MemberMachine {
  const ip = `10.91.0.${20 + number}`;
  // Before the addresses are there, so that nobody hears of them.
  writeSysctls(namespace, {
    "conf/all/arp_ignore": "1",
    "conf/all/arp_announce": "2",
    "conf/all/rp_filter": "0",
    "conf/default/rp_filter": "0",
  });
  plugIn(router, namespace, `m${number}`, ip);
  configure(namespace, ...[SERVICE_IP, OWN_SERVICE_IP].map((service) => `address add ${service}/32 dev lo`));
  if (mode === "tunnel")
    configure(namespace, `link add services type ipip local ${ip}`, "link set services up");
  return { namespace, ip, name: `m${number}` };
}
