import { isIPv6 } from "node:net";
import { formatIpv4, parseIpv4 } from "./ip-address.ts";

const BYTES = 16;

/** The 16 bytes of an IPv6 address in network order, or undefined when it is none. No zone, no prefix. */
export function parseIpv6(text: string): Buffer | undefined {
  if (!isIPv6(text) || text.includes("%")) return undefined;
  const [head = "", tail] = text.split("::");
  const left = parseGroups(head);
  const right = parseGroups(tail ?? "");
  const bytes = Buffer.alloc(BYTES);
  bytes.set(left, 0);
  bytes.set(right, BYTES - right.length);
  return bytes;
}

function parseGroups(text: string): readonly number[] {
  if (text === "") return [];
  return text.split(":").flatMap((group) => {
    const word = group.includes(".") ? (parseIpv4(group) ?? 0) : Number.parseInt(group, 16);
    const octets = [(word >>> 8) & 255, word & 255];
    return group.includes(".") ? [word >>> 24, (word >>> 16) & 255, ...octets] : octets;
  });
}

/**
 * Canonical text of the IPv6 address that begins at `at`.
 *
 * @param at Byte where its 16 bytes begin.
 * @see RFC 5952, sections 4 and 5
 */
export function formatIpv6(bytes: Buffer, at = 0): string {
  const groups = Array.from({ length: 8 }, (_, index) => bytes.readUInt16BE(at + 2 * index));
  const isMapped = groups[5] === 0xffff && groups.slice(0, 5).every((group) => group === 0);
  if (isMapped) return `::ffff:${formatIpv4(bytes.readUInt32BE(at + 12))}`;
  const words = groups.map((group) => group.toString(16));
  const { first, length } = longestRunOfZeros(groups);
  if (length < 2) return words.join(":");
  return `${words.slice(0, first).join(":")}::${words.slice(first + length).join(":")}`;
}

function longestRunOfZeros(groups: readonly number[]): { readonly first: number; readonly length: number } {
  let best = { first: 0, length: 0 };
  let run = 0;
  for (const [index, group] of groups.entries()) {
    run = group === 0 ? run + 1 : 0;
    if (run > best.length) best = { first: index + 1 - run, length: run };
  }
  return best;
}

/** First and last IPv6 address of a range, as unsigned 128-bit numbers. */
export interface Ipv6Range {
  /** First address, 0 to 2^128-1. */
  readonly first: bigint;
  /** Last address, included, 0 to 2^128-1. */
  readonly last: bigint;
}

/** Reads `2001:db8::/64`, `2001:db8::1-2001:db8::9` or a single address; undefined when it is none of them. */
export function parseIpv6Range(text: string): Ipv6Range | undefined {
  if (text.includes("/")) return parsePrefix(text);
  const [from = "", to, ...rest] = text.split("-").map((part) => part.trim());
  if (rest.length > 0) return undefined;
  const first = numberOf(from);
  const last = to === undefined ? first : numberOf(to);
  return first === undefined || last === undefined || last < first ? undefined : { first, last };
}

function parsePrefix(text: string): Ipv6Range | undefined {
  const [head = "", length = "", ...rest] = text.split("/");
  const address = numberOf(head);
  if (address === undefined || rest.length > 0 || !/^(?:\d|[1-9]\d|1[01]\d|12[0-8])$/.test(length))
    return undefined;
  const size = 1n << BigInt(8 * BYTES - Number(length));
  const first = (address / size) * size;
  return { first, last: first + size - 1n };
}

/** The unsigned 128-bit number of an IPv6 address, or undefined when it is none. */
function numberOf(text: string): bigint | undefined {
  const bytes = parseIpv6(text);
  return bytes && BigInt(`0x${bytes.toString("hex")}`);
}

/** Canonical text of an unsigned 128-bit number. */
export function formatIpv6Number(address: bigint): string {
  return formatIpv6(Buffer.from(address.toString(16).padStart(2 * BYTES, "0"), "hex"));
}

/** Address classes that have rules of their own as members, probe targets or connect addresses. */
export type Ipv6Class = "unspecified" | "loopback" | "link-local" | "multicast" | "mapped" | "unicast";

/** The class of an IPv6 address; `mapped` stands for one of IPv4. */
export function classifyIpv6(bytes: Buffer): Ipv6Class {
  const [first = 0, second = 0] = bytes;
  if (first === 0xff) return "multicast";
  if (first === 0xfe && (second & 0xc0) === 0x80) return "link-local";
  const leading = bytes.subarray(0, 10);
  if (leading.some((octet) => octet !== 0)) return "unicast";
  const group = bytes.readUInt16BE(10);
  if (group === 0xffff) return "mapped";
  const rest = bytes.readUInt32BE(12);
  if (group !== 0 || rest > 1) return "unicast";
  return rest === 0 ? "unspecified" : "loopback";
}
