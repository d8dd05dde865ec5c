import { readFileSync } from "node:fs";
import { formatIpv4, formatIpv6, parseIpv6 } from "../../foundation/index.ts";
import { ipvsServiceName } from "./names.ts";
import type { IpvsServiceKey } from "./types.ts";

const FILE = "/proc/net/ip_vs";
/** The numbers of connections, which are no part of what is programmed: `ip_vs_info_seq_show` of ip_vs_ctl.c. */
const CONNECTION_COUNTS = /(-> \S+ +\S+ +-?\d+).*/g;
const MARK = /^FWM +([0-9A-F]{8}) /;
const SERVICE = /^(TCP|UDP|SCTP) +(?:\[([0-9a-f:]+)\]|([0-9A-F]{8})):([0-9A-F]{4}) /;

/**
 * Every service with its destinations in the kernel's own words, without what traffic changes. Two are equal as long as
 * nobody has changed the table, except what the kernel does not tell there: switches of schedulers, thresholds, and the
 * kind of a tunnel. It costs a fraction of a dump, and no message.
 */
export function readIpvsListing(): string {
  return withoutTraffic(readFileSync(FILE, "latin1"));
}

/** Takes the numbers of connections out of the kernel's listing. */
export function withoutTraffic(listing: string): string {
  return listing.replace(CONNECTION_COUNTS, "$1");
}

/**
 * The services that differ between two listings: changed, added or removed. Of a mark the kernel does not tell the family:
 * such a service is there for both.
 *
 * @returns undefined when a line is not understood
 */
export function changedIpvsServices(before: string, after: string): readonly IpvsServiceKey[] | undefined {
  if (before === after) return [];
  const [old, fresh] = [splitServices(before), splitServices(after)];
  const changed = new Map<string, IpvsServiceKey>();
  for (const [head, destinations] of fresh) {
    const isSame = old.get(head) === destinations;
    old.delete(head);
    if (!isSame && !note(head)) return undefined;
  }
  for (const head of old.keys()) if (!note(head)) return undefined;
  return [...changed.values()];

  function note(head: string): boolean {
    const keys = parseService(head);
    for (const key of keys) changed.set(ipvsServiceName(key), key);
    return keys.length > 0;
  }
}

/** The lines of destinations by the line of their service. */
function splitServices(listing: string): Map<string, string> {
  const services = new Map<string, string>();
  let head = "";
  for (const line of listing.split("\n").slice(HEADER_LINES)) {
    if (line.startsWith("  ->")) services.set(head, services.get(head) + line);
    else if (line !== "") {
      head = line;
      if (!services.has(head)) services.set(head, "");
    }
  }
  return services;
}

const HEADER_LINES = 3;

function parseService(line: string): readonly IpvsServiceKey[] {
  const [, hexadecimal] = MARK.exec(line) ?? [];
  if (hexadecimal === undefined) return parseAddress(line);
  const mark = Number.parseInt(hexadecimal, 16);
  return ([4, 6] as const).map((family) => ({ kind: "mark", family, mark }));
}

function parseAddress(line: string): readonly IpvsServiceKey[] {
  const [, protocol, ipv6, ipv4, port = ""] = SERVICE.exec(line) ?? [];
  if (protocol !== "TCP" && protocol !== "UDP" && protocol !== "SCTP") return [];
  const place = { kind: "address", protocol, port: Number.parseInt(port, 16) } as const;
  if (ipv4 !== undefined) return [{ ...place, family: 4, ip: formatIpv4(Number.parseInt(ipv4, 16)) }];
  const bytes = parseIpv6(ipv6 ?? "");
  return bytes ? [{ ...place, family: 6, ip: formatIpv6(bytes) }] : [];
}
