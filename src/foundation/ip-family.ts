import { isIPv4 } from "node:net";
import { formatIpv6, parseIpv6 } from "./ipv6-address.ts";

/** Version of the Internet Protocol. */
export type IpFamily = 4 | 6;

/** The family of an address, or undefined when it is none. One of IPv6 must be in its canonical text: it is compared as text. */
export function familyOfIp(ip: string): IpFamily | undefined {
  if (isIPv4(ip)) return 4;
  return canonicalIpv6(ip) === ip ? 6 : undefined;
}

/** The one text of an IPv6 address that RFC 5952 allows; undefined when it is none. */
export function canonicalIpv6(text: string): string | undefined {
  const bytes = parseIpv6(text);
  return bytes && formatIpv6(bytes);
}

/** `10.0.0.1:80`, `[2001:db8::1]:80`, `*:80`. */
export function formatHostPort(host: string, port: number): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}

/** Reads what {@link formatHostPort} writes of an address; undefined when it is no address and port 1-65535. */
export function parseHostPort(text: string): { readonly ip: string; readonly port: number } | undefined {
  const match = /^(?:\[([^\]]+)\]|([^:]+)):(\d{1,5})$/.exec(text);
  const ip = match?.[1] === undefined ? match?.[2] : canonicalIpv6(match[1]);
  const port = Number(match?.[3]);
  if (ip === undefined || familyOfIp(ip) === undefined || port < 1 || port > 65_535) return undefined;
  return { ip, port };
}
