import { classifyIpv4, classifyIpv6, parseIpv4, parseIpv6 } from "../foundation/index.ts";

/** Classes of addresses that are probed only when the operator says so: probing them reaches the checker's own machine or its cloud. */
export type GuardedAddressClass =
  | "unspecified"
  | "loopback"
  | "link-local"
  | "multicast"
  | "broadcast"
  | "metadata";

/** Where clouds answer with credentials of the machine that asks; 169.254.0.0/16 is guarded besides. */
const METADATA_ADDRESSES: ReadonlySet<string> = new Set([
  "169.254.169.254", // AWS, Azure, Google, OpenStack
  "169.254.170.2", // AWS container credentials
  "100.100.100.200", // Alibaba
  "168.63.129.16", // Azure's wire server
  "192.0.0.192", // Oracle
  "fd00:ec2::254", // AWS over IPv6
]);

/**
 * Why an address must not be probed.
 *
 * @param allowedClasses Classes that the operator permits; ordinary unicast needs no permission.
 * @returns undefined when it may be probed, else one sentence.
 */
export function refusalToProbe(
  ip: string,
  allowedClasses: ReadonlySet<GuardedAddressClass>,
): string | undefined {
  const [ipv4, ipv6] = [parseIpv4(ip), parseIpv6(ip)];
  if (ipv4 === undefined && ipv6 === undefined) return `"${ip}" is no IP address`;
  const found = ipv6 ? classifyIpv6(ipv6) : classifyIpv4(ipv4 ?? 0);
  if (found === "mapped") return "IPv4 addresses written as IPv6 are not probed";
  const addressClass = METADATA_ADDRESSES.has(ip) ? "metadata" : found;
  if (addressClass === "unicast" || allowedClasses.has(addressClass)) return undefined;
  return `${addressClass} addresses are not probed unless the operator allows them`;
}
