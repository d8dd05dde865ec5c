import {
  familyOfIp,
  formatIpv4,
  formatIpv6Number,
  type IpFamily,
  type Ipv4Range,
  type Ipv6Range,
  parseIpv4,
  parseIpv4Range,
  parseIpv6Range,
} from "../../foundation/index.ts";
import {
  type AddressPool,
  type ConnectAddress,
  lastPortOf,
  type PortRange,
  parsePortRange,
} from "../../model/index.ts";

/** Every address of every node, as connect addresses write it. */
export const EVERY_NODE = "*";

/** What an address pool hands out, in a form that answers quickly. Unreadable entries hand out nothing. */
export interface AddressRanges {
  readonly hasNodes: boolean;
  readonly ips: readonly Ipv4Range[];
  readonly ipv6s: readonly Ipv6Range[];
  readonly ports: readonly PortRange[];
  /** Addresses; `node` counts once, and more than 2^53-1 as so many. */
  readonly ipCount: number;
  /** Ports on each address. */
  readonly portCount: number;
}

/** Reads the ranges of an address pool; overlapping ranges count once. */
export function readRanges(spec: AddressPool["spec"]): AddressRanges {
  const texts = spec.addresses.map((text) => text.trim());
  const hasNodes = texts.includes("node");
  const ips = joined(texts.map(parseIpv4Range));
  const ipv6s = joined6(texts.map(parseIpv6Range));
  const ports = joined(spec.ports.map(parsePortRange));
  return {
    hasNodes,
    ips,
    ipv6s,
    ports,
    ipCount: atMostSafe((hasNodes ? 1 : 0) + sizeOf(ips) + Number(size6Of(ipv6s))),
    portCount: sizeOf(ports),
  };
}

/** Whether the ranges hold this connect address. */
export function contains(ranges: AddressRanges, ip: string, port: number): boolean {
  return containsIp(ranges, ip) && containsPorts(ranges, { port });
}

/** Whether the ranges hold this address, on whatever port. */
export function containsIp(ranges: AddressRanges, ip: string): boolean {
  if (ip === EVERY_NODE) return ranges.hasNodes;
  const ipv6 = parseIpv6Range(ip)?.first;
  if (ipv6 !== undefined) return ranges.ipv6s.some(({ first, last }) => ipv6 >= first && ipv6 <= last);
  const address = parseIpv4(ip);
  return address !== undefined && ranges.ips.some(({ first, last }) => address >= first && address <= last);
}

/** Connect addresses that the ranges hold, a count; more than 2^53-1 count as so many. */
export function capacityOf({ ipCount, portCount }: AddressRanges): number {
  return atMostSafe(ipCount * portCount);
}

/** Whether the ranges hold an address of this family; `*` stands for addresses of IPv4. */
export function hasFamily(ranges: AddressRanges, family: IpFamily): boolean {
  return family === 6 ? ranges.ipv6s.length > 0 : ranges.hasNodes || ranges.ips.length > 0;
}

/** The family of a connect address; `*` stands for addresses of IPv4. */
export function familyOfAddress(ip: string): IpFamily | undefined {
  return ip === EVERY_NODE ? 4 : familyOfIp(ip);
}

function atMostSafe(count: number): number {
  return Math.min(count, Number.MAX_SAFE_INTEGER);
}

/** Whether the ranges hold all these ports, on whatever address. */
export function containsPorts(
  ranges: AddressRanges,
  ports: Pick<ConnectAddress, "port" | "lastPort">,
): boolean {
  return ranges.ports.some(({ first, last }) => ports.port >= first && lastPortOf(ports) <= last);
}

/** Every address of a family (absent: of both) in order, `*` first, IPv6 last. Lazy: a /8 has 16 million, a /64 more. */
export function* eachIp(ranges: AddressRanges, family?: IpFamily): Generator<string> {
  if (family !== 6) yield* eachIpv4(ranges);
  if (family === 4) return;
  for (const { first, last } of ranges.ipv6s) {
    for (let address = first; address <= last; address += 1n) yield formatIpv6Number(address);
  }
}

function* eachIpv4(ranges: AddressRanges): Generator<string> {
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

function joined6(intervals: readonly (Ipv6Range | undefined)[]): Ipv6Range[] {
  const sorted = intervals
    .filter((each) => each !== undefined)
    .sort((a, b) => Number(a.first > b.first) - Number(a.first < b.first));
  const result: Ipv6Range[] = [];
  for (const next of sorted) {
    const before = result.at(-1);
    if (before && next.first <= before.last + 1n) {
      const last = before.last > next.last ? before.last : next.last;
      result[result.length - 1] = { first: before.first, last };
    } else result.push(next);
  }
  return result;
}

function size6Of(intervals: readonly Ipv6Range[]): bigint {
  return intervals.reduce((sum, { first, last }) => sum + last - first + 1n, 0n);
}
