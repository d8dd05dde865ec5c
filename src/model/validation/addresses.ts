import { classifyIpv4, type FieldError, parseIpv4 } from "../../foundation/index.ts";
import { invalid } from "./field-errors.ts";
import { ipv4Complaint } from "./formats.ts";

/** Outside 169.254.0.0/16, where clouds serve credentials to whoever asks: Alibaba, Azure, Oracle. */
const METADATA_ADDRESSES: ReadonlySet<string> = new Set(["100.100.100.200", "168.63.129.16", "192.0.0.192"]);

const REFUSED = {
  unspecified: "must not be an address of 0.0.0.0/8",
  loopback: "must not be a loopback address (127.0.0.0/8): every node has its own",
  "link-local": "must not be a link-local address (169.254.0.0/16): metadata services live there",
  multicast: "must not be a multicast or reserved address (224.0.0.0/3)",
  broadcast: "must not be the broadcast address",
} as const;

/** Refuses what can be neither a member nor a connect address: loopback, link-local, multicast, metadata services. */
export function unicastErrors(field: string, ip: string): FieldError[] {
  const address = parseIpv4(ip);
  if (address === undefined) return [invalid(field, ip, ipv4Complaint(ip) ?? "must be an IPv4 address")];
  if (METADATA_ADDRESSES.has(ip)) return [invalid(field, ip, "must not be a cloud's metadata service")];
  const kind = classifyIpv4(address);
  return kind === "unicast" ? [] : [invalid(field, ip, REFUSED[kind])];
}
