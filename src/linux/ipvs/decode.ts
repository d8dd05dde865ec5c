import { formatIpv4 } from "../../foundation/index.ts";
import { COMMAND_BYTES } from "../generic-netlink.ts";
import { Attributes } from "../netlink-attributes.ts";
import {
  ADDRESS_FAMILY,
  COMMAND_ATTRIBUTE,
  DAEMON_ATTRIBUTE,
  DAEMON_STATE,
  DESTINATION_ATTRIBUTE,
  FORWARDING,
  INFO_ATTRIBUTE,
  PROTOCOL_NUMBER,
  SERVICE_ATTRIBUTE,
  SERVICE_FLAG,
  STATS_ATTRIBUTE,
  TUNNEL_CHECKSUM,
  TUNNEL_TYPE,
} from "./protocol.ts";
import type {
  IpvsDaemon,
  IpvsDestination,
  IpvsInfo,
  IpvsRates,
  IpvsService,
  IpvsServiceFlags,
  IpvsServiceKey,
  IpvsStats,
  IpvsTimeouts,
  IpvsTunnel,
} from "./types.ts";

const FORWARDING_MASK = 7;
/** Every flag of {@link SERVICE_FLAG}. */
const FLAGS_MASK = 0x3d;
/** Most members of a table have few addresses; beyond this many, their texts are made anew. */
const KNOWN_ADDRESSES = 4_096;
const NO_RATES: IpvsRates = { connections: 0n, inPackets: 0n, outPackets: 0n, inBytes: 0n, outBytes: 0n };
const NO_STATS: IpvsStats = { ...NO_RATES, rates: NO_RATES };
const COUNTERS = Object.values(STATS_ATTRIBUTE);

/**
 * Reads services and destinations. A node has a hundred thousand of them, so that equal parts (idle counters, flags, texts
 * of addresses) are shared between them.
 */
export class IpvsDecoder {
  readonly #message = new Attributes();
  readonly #object = new Attributes();
  readonly #stats = new Attributes();
  readonly #flags: IpvsServiceFlags[] = [];
  readonly #addresses = new Map<number, string>();

  /** Reads the answer to GET_SERVICE: what follows the netlink header. */
  service(payload: Buffer): IpvsService {
    const service = this.#message
      .read(payload, COMMAND_BYTES)
      .nested(COMMAND_ATTRIBUTE.SERVICE, this.#object);
    const key = this.#key(service);
    const engine = service.text(SERVICE_ATTRIBUTE.PE_NAME);
    const settings = {
      key,
      scheduler: service.text(SERVICE_ATTRIBUTE.SCHED_NAME),
      flags: this.#readFlags(service.u32(SERVICE_ATTRIBUTE.FLAGS)),
      persistenceSeconds: service.u32(SERVICE_ATTRIBUTE.TIMEOUT),
      netmask:
        key.family === 6
          ? service.u32(SERVICE_ATTRIBUTE.NETMASK)
          : countBits(service.mask(SERVICE_ATTRIBUTE.NETMASK)),
      stats: this.#readStats(service, SERVICE_ATTRIBUTE),
    };
    return engine === "" ? settings : { ...settings, persistenceEngine: engine };
  }

  /** Reads the answer to GET_DEST: what follows the netlink header. */
  destination(payload: Buffer): IpvsDestination {
    const destination = this.#message
      .read(payload, COMMAND_BYTES)
      .nested(COMMAND_ATTRIBUTE.DEST, this.#object);
    const family = decodeFamily(destination.u16(DESTINATION_ATTRIBUTE.ADDR_FAMILY));
    const method = destination.u32(DESTINATION_ATTRIBUTE.FWD_METHOD) & FORWARDING_MASK;
    const forwarding = FORWARDING[method] ?? "masq";
    const settings = {
      family,
      ip: this.#address(destination, DESTINATION_ATTRIBUTE.ADDR, family),
      port: destination.port(DESTINATION_ATTRIBUTE.PORT),
      forwarding,
      weight: destination.u32(DESTINATION_ATTRIBUTE.WEIGHT),
      upperThreshold: destination.u32(DESTINATION_ATTRIBUTE.U_THRESH),
      lowerThreshold: destination.u32(DESTINATION_ATTRIBUTE.L_THRESH),
      activeConnections: destination.u32(DESTINATION_ATTRIBUTE.ACTIVE_CONNS),
      inactiveConnections: destination.u32(DESTINATION_ATTRIBUTE.INACT_CONNS),
      persistentConnections: destination.u32(DESTINATION_ATTRIBUTE.PERSIST_CONNS),
      stats: this.#readStats(destination, DESTINATION_ATTRIBUTE),
    };
    return forwarding === "tunnel" ? { ...settings, tunnel: decodeTunnel(destination) } : settings;
  }

  #key(service: Attributes): IpvsServiceKey {
    const family = decodeFamily(service.u16(SERVICE_ATTRIBUTE.AF));
    if (service.has(SERVICE_ATTRIBUTE.FWMARK))
      return { kind: "mark", family, mark: service.u32(SERVICE_ATTRIBUTE.FWMARK) };
    const number = service.u16(SERVICE_ATTRIBUTE.PROTOCOL);
    return {
      kind: "address",
      family,
      protocol: number === PROTOCOL_NUMBER.UDP ? "UDP" : number === PROTOCOL_NUMBER.SCTP ? "SCTP" : "TCP",
      ip: this.#address(service, SERVICE_ATTRIBUTE.ADDR, family),
      port: service.port(SERVICE_ATTRIBUTE.PORT),
    };
  }

  #address(object: Attributes, type: number, family: 4 | 6): string {
    if (family === 6) return object.ipv6(type);
    const address = object.mask(type);
    const known = this.#addresses.get(address);
    if (known !== undefined) return known;
    if (this.#addresses.size >= KNOWN_ADDRESSES) this.#addresses.clear();
    const text = formatIpv4(address);
    this.#addresses.set(address, text);
    return text;
  }

  #readFlags(bits: number): IpvsServiceFlags {
    const known = this.#flags[bits & FLAGS_MASK];
    if (known !== undefined) return known;
    const flags = decodeFlags(bits);
    this.#flags[bits & FLAGS_MASK] = flags;
    return flags;
  }

  /** Kernels before 4.1 have no STATS64. */
  #readStats(object: Attributes, type: { readonly STATS: number; readonly STATS64: number }): IpvsStats {
    const stats = object.nested(object.has(type.STATS64) ? type.STATS64 : type.STATS, this.#stats);
    return COUNTERS.every((counter) => stats.counter(counter) === 0n) ? NO_STATS : decodeStats(stats);
  }
}

function decodeFamily(family: number): 4 | 6 {
  return family === ADDRESS_FAMILY[6] ? 6 : 4;
}

function decodeFlags(bits: number): IpvsServiceFlags {
  return {
    persistent: (bits & SERVICE_FLAG.persistent) !== 0,
    onePacket: (bits & SERVICE_FLAG.onePacket) !== 0,
    sched1: (bits & SERVICE_FLAG.sched1) !== 0,
    sched2: (bits & SERVICE_FLAG.sched2) !== 0,
    sched3: (bits & SERVICE_FLAG.sched3) !== 0,
  };
}

function countBits(mask: number): number {
  return Math.clz32(~mask);
}

/** Kernels before 5.3 know IPIP only and do not say so. */
function decodeTunnel(destination: Attributes): IpvsTunnel {
  return {
    type: TUNNEL_TYPE[destination.u8(DESTINATION_ATTRIBUTE.TUN_TYPE)] ?? "ipip",
    port: destination.port(DESTINATION_ATTRIBUTE.TUN_PORT),
    checksum: TUNNEL_CHECKSUM[destination.u16(DESTINATION_ATTRIBUTE.TUN_FLAGS)] ?? "none",
  };
}

function decodeStats(stats: Attributes): IpvsStats {
  return {
    connections: stats.counter(STATS_ATTRIBUTE.CONNS),
    inPackets: stats.counter(STATS_ATTRIBUTE.INPKTS),
    outPackets: stats.counter(STATS_ATTRIBUTE.OUTPKTS),
    inBytes: stats.counter(STATS_ATTRIBUTE.INBYTES),
    outBytes: stats.counter(STATS_ATTRIBUTE.OUTBYTES),
    rates: {
      connections: stats.counter(STATS_ATTRIBUTE.CPS),
      inPackets: stats.counter(STATS_ATTRIBUTE.INPPS),
      outPackets: stats.counter(STATS_ATTRIBUTE.OUTPPS),
      inBytes: stats.counter(STATS_ATTRIBUTE.INBPS),
      outBytes: stats.counter(STATS_ATTRIBUTE.OUTBPS),
    },
  };
}

/** Reads the answer to GET_CONFIG. */
export function decodeTimeouts(payload: Buffer): IpvsTimeouts {
  const attributes = new Attributes().read(payload, COMMAND_BYTES);
  return {
    tcpSeconds: attributes.u32(COMMAND_ATTRIBUTE.TIMEOUT_TCP),
    tcpFinSeconds: attributes.u32(COMMAND_ATTRIBUTE.TIMEOUT_TCP_FIN),
    udpSeconds: attributes.u32(COMMAND_ATTRIBUTE.TIMEOUT_UDP),
  };
}

/** Reads the answer to GET_INFO. */
export function decodeInfo(payload: Buffer): IpvsInfo {
  const attributes = new Attributes().read(payload, COMMAND_BYTES);
  const version = attributes.u32(INFO_ATTRIBUTE.VERSION);
  return {
    version: [16, 8, 0].map((shift) => (version >>> shift) & 255).join("."),
    connectionTableSize: attributes.u32(INFO_ATTRIBUTE.CONN_TAB_SIZE),
  };
}

/** Reads the answer to GET_DAEMON. */
export function decodeDaemon(payload: Buffer): IpvsDaemon {
  const daemon = new Attributes()
    .read(payload, COMMAND_BYTES)
    .nested(COMMAND_ATTRIBUTE.DAEMON, new Attributes());
  const isIpv6 = daemon.has(DAEMON_ATTRIBUTE.MCAST_GROUP6);
  return {
    state: daemon.u32(DAEMON_ATTRIBUTE.STATE) === DAEMON_STATE.backup ? "backup" : "master",
    interface: daemon.text(DAEMON_ATTRIBUTE.MCAST_IFN),
    syncId: daemon.u32(DAEMON_ATTRIBUTE.SYNC_ID),
    maximumBytes: daemon.u16(DAEMON_ATTRIBUTE.SYNC_MAXLEN),
    multicastGroup: isIpv6
      ? daemon.ipv6(DAEMON_ATTRIBUTE.MCAST_GROUP6)
      : formatIpv4(daemon.mask(DAEMON_ATTRIBUTE.MCAST_GROUP)),
    multicastPort: daemon.u16(DAEMON_ATTRIBUTE.MCAST_PORT),
    multicastTtl: daemon.u8(DAEMON_ATTRIBUTE.MCAST_TTL),
  };
}
