import { type AddressRanges, readRanges } from "../../controllers/index.ts";
import {
  formatHostPort,
  formatIpv4,
  formatIpv6Number,
  parseIpv4,
  parseIpv6Range,
} from "../../foundation/index.ts";
import {
  type AddressBlock,
  type AddressPool,
  type AddressPoolUse,
  type AddressRow,
  type ConnectAddress,
  lastPortOf,
  type Pool,
  type QuarantinedAddress,
} from "../../model/index.ts";

/** As many as fit on a screen and can be told apart. */
const MOST_BLOCKS = 256;
const EVERY_NODE = "*";

/** A row with its place in the order of the address pool, from 0. */
export interface PlacedAddress {
  readonly place: number;
  readonly row: AddressRow;
}

/** The connect addresses of one address pool in one line: every port of the first address, then of the second. */
export interface AddressLine {
  readonly capacityCount: number;
  /** Place of a connect address, from 0; undefined: it is none of these. */
  placeOf(ip: string, port: number): number | undefined;
  /** The connect address at a place. */
  addressAt(place: number): string;
}

/** Lays the connect addresses of an address pool out in a line. */
export function layOut(spec: AddressPool["spec"]): AddressLine {
  const ranges = readRanges(spec);
  const { portCount, ipCount } = ranges;
  return {
    capacityCount: Math.min(ipCount * portCount, Number.MAX_SAFE_INTEGER),
    placeOf(ip, port) {
      const [ipPlace, portPlace] = [placeOfIp(ranges, ip), placeIn(ranges.ports, port)];
      if (ipPlace === undefined || portPlace === undefined) return undefined;
      return ipPlace * portCount + portPlace;
    },
    addressAt: (place) =>
      formatHostPort(ipAt(ranges, Math.floor(place / portCount)), at(ranges.ports, place % portCount)),
  };
}

/** Who holds which connect address of an address pool, and what is kept back, in order. */
export function addressesIn(
  line: AddressLine,
  pool: AddressPool,
  pools: Iterable<Pool>,
): readonly PlacedAddress[] {
  const rows = [...Array.from(pools).flatMap(heldBy), ...(pool.status?.quarantine ?? []).map(keptBack)];
  const placed = rows.flatMap((row) => {
    const place = line.placeOf(row.ip, row.port);
    return place === undefined ? [] : [{ place, row }];
  });
  // Where one protocol holds what another keeps back, it is held.
  const isKept = ({ row }: PlacedAddress) => Number(row.until !== undefined);
  return placed.sort((a, b) => a.place - b.place || isKept(a) - isKept(b));
}

function heldBy({ metadata, status }: Pool): readonly AddressRow[] {
  const allocated = status?.conditions?.find(({ type }) => type === "Allocated");
  const since = allocated?.lastTransitionTime ?? metadata.creationTimestamp ?? "";
  const holder = { namespace: metadata.namespace ?? "", pool: metadata.name, since };
  return (status?.connectAddresses ?? []).map((address) => ({ ...whereOf(address), ...holder }));
}

function keptBack({ pool, until, ...address }: QuarantinedAddress): AddressRow {
  const [namespace = "", name = ""] = pool.split("/");
  return { ...whereOf(address), namespace, pool: name, since: "", until };
}

/** Counts what is held and kept back in each block of an address pool. */
export function useInBlocks(
  { metadata, spec }: AddressPool,
  line: AddressLine,
  placed: readonly PlacedAddress[],
): AddressPoolUse {
  const { capacityCount } = line;
  const blockSizeCount = blockSizeOf(line);
  const counts = Array.from({ length: Math.ceil(capacityCount / blockSizeCount) }, () => ({
    used: 0,
    kept: 0,
  }));
  for (const { place, isKept } of takenPlaces(placed)) {
    const count = counts[Math.floor(place / blockSizeCount)];
    if (count) count[isKept ? "kept" : "used"] += 1;
  }
  const { addresses, ports, autoAssign, quarantineSeconds } = spec;
  return {
    name: metadata.name,
    ...{ addresses, ports, autoAssign, quarantineSeconds },
    ...{ capacityCount, blockSizeCount },
    usedCount: counts.reduce((sum, { used }) => sum + used, 0),
    quarantinedCount: counts.reduce((sum, { kept }) => sum + kept, 0),
    blocks: counts.map(({ used, kept }, index) => blockAt(line, index, used, kept)),
  };
}

/** Each place that is held or kept back, once for all protocols, in order. */
function* takenPlaces(placed: readonly PlacedAddress[]): Generator<{ place: number; isKept: boolean }> {
  let next = 0;
  for (const { place: first, row } of placed) {
    const end = first + (row.lastPort ?? row.port) - row.port;
    for (let place = Math.max(first, next); place <= end; place += 1) {
      yield { place, isKept: row.until !== undefined };
    }
    next = Math.max(next, end + 1);
  }
}

/** Connect addresses in a block, a count. */
export function blockSizeOf({ capacityCount }: AddressLine): number {
  return Math.max(1, Math.ceil(capacityCount / MOST_BLOCKS));
}

function blockAt(
  line: AddressLine,
  index: number,
  usedCount: number,
  quarantinedCount: number,
): AddressBlock {
  const size = blockSizeOf(line);
  const [first, end] = [index * size, Math.min(line.capacityCount, (index + 1) * size)];
  return {
    ...{ first: line.addressAt(first), last: line.addressAt(end - 1), sizeCount: end - first },
    ...{ usedCount, quarantinedCount },
  };
}

function whereOf(
  address: Omit<ConnectAddress, "addressPool">,
): Pick<AddressRow, "ip" | "port" | "lastPort" | "protocol"> {
  const { ip, port, protocol } = address;
  const lastPort = lastPortOf(address);
  return { ip, port, protocol, ...(lastPort === port ? {} : { lastPort }) };
}

interface Interval {
  readonly first: number;
  readonly last: number;
}

function placeIn(intervals: readonly Interval[], value: number): number | undefined {
  let before = 0;
  for (const { first, last } of intervals) {
    if (value >= first && value <= last) return before + value - first;
    before += last - first + 1;
  }
  return undefined;
}

function at(intervals: readonly Interval[], place: number): number {
  let left = place;
  for (const { first, last } of intervals) {
    if (left <= last - first) return first + left;
    left -= last - first + 1;
  }
  return 0;
}

function sizeOf(intervals: readonly Interval[]): number {
  return intervals.reduce((sum, { first, last }) => sum + last - first + 1, 0);
}

function placeOfIp({ hasNodes, ips, ipv6s }: AddressRanges, ip: string): number | undefined {
  if (ip === EVERY_NODE) return hasNodes ? 0 : undefined;
  const nodes = hasNodes ? 1 : 0;
  const ipv4 = parseIpv4(ip);
  if (ipv4 !== undefined) {
    const place = placeIn(ips, ipv4);
    return place === undefined ? undefined : nodes + place;
  }
  const ipv6 = parseIpv6Range(ip)?.first;
  let before = BigInt(nodes + sizeOf(ips));
  for (const { first, last } of ipv6s) {
    if (ipv6 !== undefined && ipv6 >= first && ipv6 <= last) return Number(before + ipv6 - first);
    before += last - first + 1n;
  }
  return undefined;
}

function ipAt({ hasNodes, ips, ipv6s }: AddressRanges, place: number): string {
  const nodes = hasNodes ? 1 : 0;
  if (place < nodes) return EVERY_NODE;
  if (place < nodes + sizeOf(ips)) return formatIpv4(at(ips, place - nodes));
  let left = BigInt(place - nodes - sizeOf(ips));
  for (const { first, last } of ipv6s) {
    if (left <= last - first) return formatIpv6Number(first + left);
    left -= last - first + 1n;
  }
  return "";
}
