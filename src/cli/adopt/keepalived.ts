import { canonicalIpv6, familyOfIp, formatIpv4, ParasausError, parseIpv4 } from "../../foundation/index.ts";
import { PROTOCOLS, type Protocol } from "../../model/index.ts";
import { readCheck } from "./keepalived-check.ts";
import { type ReadIncluded, readKeepalivedTree, type Statement } from "./keepalived-tree.ts";
import { parsePrefixLength } from "./prefix-length.ts";
import type { AdoptedForwarding, AdoptedMember, VirtualServer, Warn } from "./virtual-server.ts";

/** As man keepalived.conf has it. */
const DEFAULT_AFFINITY_SECONDS = 360;
const FORWARDING: Readonly<Record<string, AdoptedForwarding>> = { NAT: "nat", DR: "dsr", TUN: "tunnel" };

/** What a pool says with another word, or does anyway, so that nothing is lost. */
const TRANSLATED = new Set([
  ...[
    "lb_algo",
    "lvs_sched",
    "lb_kind",
    "lvs_method",
    "persistence_timeout",
    "persistence_granularity",
    "protocol",
    "real_server",
  ],
  ...["delay_loop", "retry", "delay_before_retry", "connect_timeout", "alpha", "weight"],
  ...["inhibit_on_failure", "ops", "virtualhost", "ip_family"],
]);

/** An address of a virtual server, or what keeps it from being a pool's. */
type Address = { readonly ip: string; readonly port: number } | { readonly obstacle: string };

/**
 * Reads the `virtual_server` blocks of a keepalived.conf. Pure but for `include`.
 *
 * @param name Of the file; empty = places are told by the line alone.
 * @throws ParasausError `BadRequest` where the syntax is not keepalived's
 */
export function readKeepalived(
  text: string,
  name: string,
  include: ReadIncluded,
  warn: Warn,
): readonly VirtualServer[] {
  const statements = readKeepalivedTree(text, name, include);
  const groups = new Map(
    statements
      .filter(({ keyword }) => keyword === "virtual_server_group")
      .map(({ values, block = [] }) => [values[0] ?? "", block]),
  );
  return statements.flatMap((statement) => {
    if (statement.keyword === "virtual_server") return readServer(statement, groups, warn);
    if (statement.keyword !== "virtual_server_group")
      warn(statement.where, `${statement.keyword} is not adopted: only virtual servers are`);
    return [];
  });
}

function readServer(
  statement: Statement,
  groups: ReadonlyMap<string, readonly Statement[]>,
  warn: Warn,
): readonly VirtualServer[] {
  const { where, block = [] } = statement;
  const protocol = readProtocol(block, where);
  const addresses = addressesOf(statement, groups).flatMap((address) => {
    if ("ip" in address) return [address];
    warn(where, `virtual_server ${statement.values.join(" ")} is left out: ${address.obstacle}`);
    return [];
  });
  if (addresses.length === 0) return [];
  const servers = block.filter(({ keyword }) => keyword === "real_server");
  warnAboutRest(block, warn);
  // The kernel, too, passes it over for other protocols.
  const isOnePacket = protocol === "UDP" && block.some(({ keyword }) => keyword === "ops");
  const healthCheck = readCheck(block, servers, protocol, warn);
  return addresses.map(({ ip, port }, index) => ({
    where,
    protocol,
    ip,
    port,
    scheduler: firstValue(block, "lb_algo", "lvs_sched") ?? "wlc",
    ...readAffinity(block, ip),
    ...(isOnePacket ? { isOnePacket } : {}),
    healthCheck,
    // Said once, not for every address.
    members: servers.flatMap((server) =>
      readMember(server, block, { ip, port }, index === 0 ? warn : () => undefined),
    ),
  }));
}

function readProtocol(block: readonly Statement[], where: string): Protocol {
  const name = firstValue(block, "protocol") ?? "TCP";
  const protocol = PROTOCOLS.find((each) => each === name.toUpperCase());
  if (protocol) return protocol;
  throw new ParasausError("BadRequest", `Cannot read ${where}: "${name}" is no protocol of a virtual server`);
}

function warnAboutRest(block: readonly Statement[], warn: Warn): void {
  for (const { keyword, where } of block)
    if (!TRANSLATED.has(keyword)) warn(where, `${keyword} has no counterpart`);
}

/** @returns nothing where a client is not kept on its member. */
function readAffinity(
  block: readonly Statement[],
  ip: string,
): Pick<VirtualServer, "affinitySeconds" | "affinityPrefixLength"> {
  const persistence = block.findLast(({ keyword }) => keyword === "persistence_timeout");
  if (!persistence) return {};
  const affinitySeconds = numberOf(
    persistence.values[0] ?? String(DEFAULT_AFFINITY_SECONDS),
    persistence.where,
  );
  if (affinitySeconds === 0) return {};
  const granularity = block.findLast(({ keyword }) => keyword === "persistence_granularity");
  if (!granularity) return { affinitySeconds };
  const [netmask = ""] = granularity.values;
  const affinityPrefixLength = parsePrefixLength(netmask, familyOfIp(ip) ?? 4);
  if (affinityPrefixLength !== undefined) return { affinitySeconds, affinityPrefixLength };
  throw new ParasausError("BadRequest", `Cannot read ${granularity.where}: "${netmask}" is no netmask`);
}

function addressesOf(
  { values, where }: Statement,
  groups: ReadonlyMap<string, readonly Statement[]>,
): readonly Address[] {
  if (values[0] !== "group") return readAddresses(values, where);
  const group = groups.get(values[1] ?? "");
  if (!group) {
    throw new ParasausError(
      "BadRequest",
      `Cannot read ${where}: there is no virtual_server_group "${values[1] ?? ""}"`,
    );
  }
  return group.flatMap(({ keyword, values: rest, where: place }) => readAddresses([keyword, ...rest], place));
}

/** `10.0.0.1 80`, `10.0.0.1-9 80` (the last number counts up), `fwmark 7`. */
function readAddresses(values: readonly string[], where: string): readonly Address[] {
  const [address = "", port] = values;
  if (address === "fwmark") return [{ obstacle: `firewall mark ${port ?? ""}: a pool has an address` }];
  if (address.includes(":")) return [readIpv6(address, port, where)];
  const [from = "", to] = address.split("-");
  const first = parseIpv4(from);
  const last = first === undefined || to === undefined ? first : first - (first % 256) + Number(to);
  if (first === undefined || last === undefined || !(last >= first && last - first < 256)) {
    throw new ParasausError("BadRequest", `Cannot read ${where}: "${address}" is no address`);
  }
  const number = port === undefined ? 0 : numberOf(port, where);
  if (number === 0) return [{ obstacle: `${address} without a port: a pool has one port` }];
  return Array.from({ length: last - first + 1 }, (_, index) => ({
    ip: formatIpv4(first + index),
    port: number,
  }));
}

function readIpv6(text: string, port: string | undefined, where: string): Address {
  if (text.includes("-")) return { obstacle: `${text}: a range of IPv6 addresses` };
  const ip = canonicalIpv6(text);
  if (ip === undefined)
    throw new ParasausError("BadRequest", `Cannot read ${where}: "${text}" is no address`);
  const number = port === undefined ? 0 : numberOf(port, where);
  return number === 0 ? { obstacle: `${text} without a port: a pool has one port` } : { ip, port: number };
}

function readMember(
  { values, where, block = [] }: Statement,
  parent: readonly Statement[],
  address: { readonly ip: string; readonly port: number },
  warn: Warn,
): readonly AdoptedMember[] {
  const [text = "", port] = values;
  const ip = canonicalIpv6(text) ?? text;
  const family = familyOfIp(ip);
  if (family === undefined)
    throw new ParasausError("BadRequest", `Cannot read ${where}: "${text}" is no address`);
  if (family !== familyOfIp(address.ip)) {
    warn(where, `real_server ${text} is left out: the pool's family is IPv${familyOfIp(address.ip)}`);
    return [];
  }
  warnAboutRest(
    block.filter(({ block: inner }) => inner === undefined),
    warn,
  );
  const kind =
    firstValue(block, "lvs_method", "lb_kind") ?? firstValue(parent, "lvs_method", "lb_kind") ?? "NAT";
  const weight = firstValue(block, "weight") ?? firstValue(parent, "weight") ?? "1";
  return [
    {
      where,
      ip,
      port: port === undefined ? address.port : numberOf(port, where) || address.port,
      weight: numberOf(weight, where),
      forwarding: FORWARDING[kind.toUpperCase()] ?? "nat",
    },
  ];
}

/** The first value of the last statement with one of these keywords. */
function firstValue(block: readonly Statement[], ...keywords: readonly string[]): string | undefined {
  return block.findLast(({ keyword }) => keywords.includes(keyword))?.values[0];
}

function numberOf(text: string, where: string): number {
  if (!/^\d{1,9}$/.test(text))
    throw new ParasausError("BadRequest", `Cannot read ${where}: "${text}" is no number`);
  return Number(text);
}
