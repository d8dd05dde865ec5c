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
