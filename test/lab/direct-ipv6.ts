import type { DirectTopology } from "./direct-topology.ts";
import { configure } from "./topology.ts";
import { labProgram, linesOf, nextLine } from "./traffic.ts";

/** Addresses of IPv6 in a direct topology. */
export interface DirectIpv6 {
  /** The service's: every member has it, a node once a pool is there. */
  readonly serviceIp: string;
  readonly clientIp: string;
  readonly memberIps: readonly string[];
}

/** Port of the service and of members over IPv6: on that of IPv4 they have a server already. */
export const DIRECT_IPV6_PORT = 30_003;

const SERVICE_IP = "2001:db8:7::80";

/**
 * Gives a direct topology of one node addresses of IPv6 beside those of IPv4, and members that answer there and take packets
 * as they are or wrapped in IPv6.
 */
export async function joinDirectByIpv6(topology: DirectTopology): Promise<DirectIpv6> {
  const { client, router, nodes, members } = topology;
  for (const module of ["ipv6", "ip6_tunnel"]) client.run("modprobe", module);
  const clientIp = "2001:db8:90::2";
  configure(client, `address add ${clientIp}/64 dev router nodad`, "route add default via 2001:db8:90::1");
  configure(
    router,
    "address add 2001:db8:90::1/64 dev client nodad",
    "address add 2001:db8:91::1/64 dev wire nodad",
    `route add ${SERVICE_IP}/128 via 2001:db8:91::11`,
  );
  router.run("sysctl", "-qw", "net.ipv6.conf.all.forwarding=1");
  for (const { namespace } of nodes)
    configure(
      namespace,
      "address add 2001:db8:91::11/64 dev wire nodad",
      "route add default via 2001:db8:91::1",
    );
  const memberIps = members.map((_member, index) => `2001:db8:91::2${index + 1}`);
  for (const [index, { namespace, name }] of members.entries()) {
    const ip = memberIps[index];
    configure(
      namespace,
      `address add ${ip}/64 dev wire nodad`,
      "route add default via 2001:db8:91::1",
      `address add ${SERVICE_IP}/128 dev lo nodad`,
      `link add services6 type ip6tnl mode ip6ip6 local ${ip} remote ::`,
      "link set services6 up",
    );
    const child = namespace.start(labProgram("member.ts", name, String(DIRECT_IPV6_PORT), "", "::"));
    await nextLine(linesOf(child), child);
  }
  return { serviceIp: SERVICE_IP, clientIp, memberIps };
}
