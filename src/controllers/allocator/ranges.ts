import { formatIpv4, type Ipv4Range, parseIpv4, parseIpv4Range } from "../../foundation/index.ts";
import { type AddressPool, type PortRange, parsePortRange } from "../../model/index.ts";

/** Every address of every node, as connect addresses write it. */
export const EVERY_NODE = "*";

/** What an address pool hands out, in a form that answers quickly. Unreadable entries hand out nothing. */
export interface AddressRanges {
  readonly hasNodes: boolean;
  readonly ips: readonly Ipv4Range[];
  readonly ports: readonly PortRange[];
  /** Addresses; `node` counts once. */
  readonly ipCount: number;
  /** Ports on each address. */
  readonly portCount: number;
}

/** Reads the ranges of an address pool; overlapping ranges count once. */
export function readRanges(spec: AddressPool["spec"]): AddressRanges {
  const texts = spec.addresses.map((text) => text.trim());
  const hasNodes = texts.includes("node");
  const ips = joined(texts.map(parseIpv4Range));
  const ports = joined(spec.ports.map(parsePortRange));
  return {
    hasNodes,
    ips,
    ports,
    ipCount: (hasNodes ? 1 : 0) + sizeOf(ips),
    portCount: sizeOf(ports),
  };
}

/** Whether the ranges hold this connect address. */
export function contains(ranges: AddressRanges, ip: string, port: number): boolean {
  return containsIp(ranges, ip) && containsPort(ranges, port);
}

/** Whether the ranges hold this address, on whatever port. */
export function containsIp(ranges: AddressRanges, ip: string): boolean {
  if (ip === EVERY_NODE) return ranges.hasNodes;
  const address = parseIpv4(ip);
  return address !== undefined && ranges.ips.some(({ first, last }) => address >= first && address <= last);
}

/** Whether the ranges hold this port, on whatever address. */
export function containsPort(ranges: AddressRanges, port: number): boolean {
  return ranges.ports.some(({ first, last }) => port >= first && port <= last);
}

/** Every address in order, `*` first. Lazy: a /8 has 16 million. */
export function* eachIp(ranges: AddressRanges): Generator<string> {
  if (ranges.hasNodes) yield EVERY_NODE;
  for (const { first, last } of ranges.ips) {
    for (let address = first; address <= last; address += 1) yield formatIpv4(address);
  }
}

/** Every port, beginning at `start` (or the first one after it) and going round once. */
export function* eachPort(ranges: AddressRanges, start: number): Generator<number> {
  for (const { first, last } of ranges.ports) {
    for (let port = Math.max(first, start); port <= last; port += 1) yield port;
  }
  for (const { first, last } of ranges.ports) {
    for (let port = first; port <= Math.min(last, start - 1); port += 1) yield port;
  }
}

interface Interval {
  readonly first: number;
  readonly last: number;
}

function joined(intervals: readonly (Interval | undefined)[]): Interval[] {
  const sorted = intervals.filter((each) => each !== undefined).sort((a, b) => a.first - b.first);
  const result: Interval[] = [];
  for (const next of sorted) {
    const before = result.at(-1);
    if (before && next.first <= before.last + 1) {
      result[result.length - 1] = { first: before.first, last: Math.max(before.last, next.last) };
    } else result.push(next);
  }
  return result;
}

function sizeOf(intervals: readonly Interval[]): number {
  return intervals.reduce((sum, { first, last }) => sum + last - first + 1, 0);
}
