import { isIPv4 } from "node:net";

/** First and last IPv4 address of a range, as unsigned 32-bit numbers in host order. */
export interface Ipv4Range {
  /** First address, 0 to 2^32-1. */
  readonly first: number;
  /** Last address, included, 0 to 2^32-1. */
  readonly last: number;
}

/** The unsigned 32-bit number of a dotted-quad address, or undefined when it is none. No octal, no short forms. */
export function parseIpv4(text: string): number | undefined {
  if (!isIPv4(text)) return undefined;
  let address = 0;
  let octet = 0;
  for (let index = 0; index < text.length; index += 1) {
    const code = text.charCodeAt(index);
    if (code === 0x2e) {
      address = address * 256 + octet;
      octet = 0;
    } else {
      octet = octet * 10 + (code - 0x30);
    }
  }
  return address * 256 + octet;
}

/** Dotted quad of an unsigned 32-bit number. */
export function formatIpv4(address: number): string {
  return [24, 16, 8, 0].map((shift) => (address >>> shift) & 255).join(".");
}

/** Reads `10.0.0.0/24`, `10.0.0.1-10.0.0.9` or a single address; undefined when it is none of them. */
export function parseIpv4Range(text: string): Ipv4Range | undefined {
  if (text.includes("/")) return parseCidr(text);
  const [from, to, ...rest] = text.split("-").map((part) => part.trim());
  if (from === undefined || rest.length > 0) return undefined;
  const first = parseIpv4(from);
  const last = to === undefined ? first : parseIpv4(to);
  return first === undefined || last === undefined || last < first ? undefined : { first, last };
}

function parseCidr(text: string): Ipv4Range | undefined {
  const match = /^([0-9.]+)\/([0-9]|[12][0-9]|3[0-2])$/.exec(text);
  const address = match?.[1] === undefined ? undefined : parseIpv4(match[1]);
  if (address === undefined) return undefined;
  const size = 2 ** (32 - Number(match?.[2]));
  const first = Math.floor(address / size) * size;
  return { first, last: first + size - 1 };
}

/** Address classes that have rules of their own as members, probe targets or connect addresses. */
export type Ipv4Class = "unspecified" | "loopback" | "link-local" | "multicast" | "broadcast" | "unicast";

/** The class of a valid IPv4 address. */
export function classifyIpv4(address: number): Ipv4Class {
  const first = address >>> 24;
  if (first === 0) return "unspecified";
  if (first === 127) return "loopback";
  if (address >>> 16 === 0xa9fe) return "link-local";
  if (address === 0xffffffff) return "broadcast";
  return first >= 224 ? "multicast" : "unicast";
}
