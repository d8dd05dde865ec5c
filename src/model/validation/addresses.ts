import { classifyIpv4, classifyIpv6, type FieldError, parseIpv4, parseIpv6 } from "../../foundation/index.ts";
import { invalid } from "./field-errors.ts";
import { ipComplaint } from "./formats.ts";

/** Outside 169.254.0.0/16, where clouds serve credentials to whoever asks: Alibaba, Azure, Oracle, AWS over IPv6. */
const METADATA_ADDRESSES: ReadonlySet<string> = new Set([
  ...["100.100.100.200", "168.63.129.16", "192.0.0.192", "fd00:ec2::254"],
]);

const REFUSED = {
  unspecified: "must not be an address of 0.0.0.0/8",
  loopback: "must not be a loopback address (127.0.0.0/8): every node has its own",
  "link-local": "must not be a link-local address (169.254.0.0/16): metadata services live there",
  multicast: "must not be a multicast or reserved address (224.0.0.0/3)",
  broadcast: "must not be the broadcast address",
} as const;

const REFUSED_IPV6 = {
  unspecified: "must not be the unspecified address ::",
  loopback: "must not be the loopback address ::1: every node has its own",
  "link-local": "must not be a link-local address (fe80::/10): it means another one on every device",
  multicast: "must not be a multicast address (ff00::/8)",
  mapped: "must not be an IPv4 address written as one of IPv6 (::ffff:0:0/96)",
} as const;

/** Refuses what can be neither a member nor a connect address: loopback, link-local, multicast, metadata services. */
export function unicastErrors(field: string, ip: string): FieldError[] {
  const complaint = ipComplaint(ip);
  if (complaint) return [invalid(field, ip, complaint)];
  if (METADATA_ADDRESSES.has(ip)) return [invalid(field, ip, "must not be a cloud's metadata service")];
  const refusal = refusalOf(ip);
  return refusal ? [invalid(field, ip, refusal)] : [];
}

function refusalOf(ip: string): string | undefined {
  const bytes = parseIpv6(ip);
  if (bytes) {
    const kind = classifyIpv6(bytes);
    return kind === "unicast" ? undefined : REFUSED_IPV6[kind];
  }
  const kind = classifyIpv4(parseIpv4(ip) ?? 0);
  return kind === "unicast" ? undefined : REFUSED[kind];
}
