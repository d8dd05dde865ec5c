import { type Logger, ParasausError, parseIpv4 } from "../../foundation/index.ts";
import { netnsCookie, networkDigest, readSysctl, writeSysctl } from "../../linux/index.ts";
import type { Kernel } from "./kernel.ts";
import { LAYOUT, LOCAL_CLIENTS, MAX_SOURCES, OTHER_DRIVER } from "./layout.ts";
import type { EbpfDriverOptions, EbpfTimeouts, OtherDriver } from "./options.ts";
import { indexKey, words } from "./words.ts";

const { config: CONFIG } = LAYOUT;
const IP_FORWARD = "net.ipv4.ip_forward";
const FIRST_SOURCE_PORT = 1024;
const LAST_SOURCE_PORT = 29_999;
const NS_PER_MS = 1_000_000n;

interface SourcePorts {
  readonly firstPort: number;
  readonly lastPort: number;
}

/**
 * The ports that fullnat sends from.
 *
 * @param localPortRange What `net.ipv4.ip_local_port_range` says.
 * @throws ParasausError `Usage` when the node's own connections could use the same ports
 */
export function sourcePortsFor(
  options: Pick<EbpfDriverOptions, "sourceAddresses" | "sourcePorts">,
  localPortRange: string | undefined,
): SourcePorts {
  const hasOwnAddresses = (options.sourceAddresses?.length ?? 0) > 0;
  const lastPort = hasOwnAddresses ? 65_535 : LAST_SOURCE_PORT;
  const ports = options.sourcePorts ?? { firstPort: FIRST_SOURCE_PORT, lastPort };
  const [lowest = 32_768, highest = 60_999] = (localPortRange ?? "").split(/\s+/).filter(Boolean).map(Number);
  if (hasOwnAddresses || ports.lastPort < lowest || ports.firstPort > highest) return ports;
  throw new ParasausError(
    "Usage",
    `Cannot send from ports ${ports.firstPort}-${ports.lastPort}: net.ipv4.ip_local_port_range is ${lowest}-${highest}, and the node's own connections use those; give other ports, or --source-addresses`,
  );
}

/** Brings the row of `config` up to date; writes nothing when it is. */
export function writeSettings(kernel: Kernel, options: EbpfDriverOptions, timeouts: EbpfTimeouts): void {
  const ports = sourcePortsFor(options, readSysctl("net.ipv4.ip_local_port_range"));
  const held = Buffer.alloc(CONFIG.size);
  kernel.maps.config.lookup(indexKey(0), held);
  const wanted = Buffer.from(held);
  encodeTimeouts(wanted, timeouts);
  words.writeU32(wanted, kernel.maps.half_open_ring.capacityCount, CONFIG.half_open_count);
  encodeSources(wanted, options, ports);
  const clients = options.localClients ?? "host";
  wanted[CONFIG.local_clients] =
    clients === "off" || clients === "host" ? LOCAL_CLIENTS[clients] : LOCAL_CLIENTS.all;
  if (options.otherDriver) wanted[CONFIG.other_driver] = OTHER_DRIVER[options.otherDriver];
  words.writeBigU64(wanted, netnsCookie(), CONFIG.netns_cookie);
  if (!wanted.equals(held)) kernel.maps.config.update(indexKey(0), wanted);
}

/** Tells the programs what another driver of this node is to have; writes nothing when they know. */
export function writeOtherDriver(kernel: Kernel, other: OtherDriver): void {
  const row = Buffer.alloc(CONFIG.size);
  kernel.maps.config.lookup(indexKey(0), row);
  if (row[CONFIG.other_driver] === OTHER_DRIVER[other]) return;
  row[CONFIG.other_driver] = OTHER_DRIVER[other];
  kernel.maps.config.update(indexKey(0), row);
}

function encodeTimeouts(row: Buffer, timeouts: EbpfTimeouts): void {
  const fields = [
    [CONFIG.established_ns, timeouts.establishedMs],
    [CONFIG.half_open_ns, timeouts.halfOpenMs],
    [CONFIG.closing_ns, timeouts.closingMs],
    [CONFIG.closed_ns, timeouts.closedMs],
    [CONFIG.datagram_ns, timeouts.datagramMs],
  ] as const;
  for (const [at, ms] of fields) words.writeBigU64(row, BigInt(Math.round(ms)) * NS_PER_MS, at);
}

function encodeSources(row: Buffer, options: EbpfDriverOptions, ports: SourcePorts): void {
  const addresses = (options.sourceAddresses ?? []).map((text) => {
    const address = parseIpv4(text);
    if (address === undefined)
      throw new ParasausError("Usage", `Cannot send from "${text}": it is no IPv4 address`);
    return address;
  });
  if (addresses.length > MAX_SOURCES) {
    throw new ParasausError(
      "Usage",
      `Cannot send from ${addresses.length} addresses: at most ${MAX_SOURCES}`,
    );
  }
  words.writeU16(row, ports.firstPort, CONFIG.source_port_first);
  words.writeU16(row, ports.lastPort, CONFIG.source_port_last);
  words.writeU16(row, addresses.length, CONFIG.source_count);
  row.fill(0, CONFIG.sources, CONFIG.sources + 4 * MAX_SOURCES);
  for (const [place, address] of addresses.entries()) row.writeUInt32BE(address, CONFIG.sources + 4 * place);
}

/**
 * Tells the programs that next hops may have changed: each flow looks its own up again.
 *
 * @param isCertain Something has changed; otherwise nothing is done while devices, addresses and routes are as they
 *   were the last time, which may have been before a restart.
 */
export function raiseRouteEpoch(kernel: Kernel, isCertain: boolean): void {
  const row = Buffer.alloc(CONFIG.size);
  kernel.maps.config.lookup(indexKey(0), row);
  const digest = networkDigest();
  if (!isCertain && words.readBigU64(row, CONFIG.network_digest) === digest) return;
  words.writeU32(row, words.readU32(row, CONFIG.route_epoch) + 1, CONFIG.route_epoch);
  words.writeBigU64(row, digest, CONFIG.network_digest);
  kernel.maps.config.update(indexKey(0), row);
}

/**
 * Lets this network namespace forward: `bpf_fib_lookup` finds no route on devices that may not.
 *
 * @throws ParasausError `KernelError` when it does not forward and must stay so
 */
export function enableForwarding(logger: Logger): void {
  if (readSysctl(IP_FORWARD) === "1") return;
  writeSysctl(IP_FORWARD, "1");
  logger.info("forwarding enabled", { sysctl: IP_FORWARD });
}

/** Brings `node_address` up to date: what a connect address of `*` stands for. Writes only what differs. */
export function writeNodeAddresses(kernel: Kernel, addresses: readonly string[]): void {
  const map = kernel.maps.node_address;
  const wanted = new Set(addresses.map((text) => parseIpv4(text) ?? 0).filter((address) => address !== 0));
  const held = new Set<number>();
  for (const { keys, count } of map.batches(1024)) {
    for (let place = 0; place < count; place += 1) held.add(keys.readUInt32BE(place * 4));
  }
  for (const address of wanted) if (!held.has(address)) map.update(addressKey(address), indexKey(1));
  for (const address of held) if (!wanted.has(address)) map.delete(addressKey(address));
}

function addressKey(address: number): Buffer {
  const key = Buffer.alloc(4);
  key.writeUInt32BE(address);
  return key;
}
