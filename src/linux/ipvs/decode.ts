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
  IpvsService,
  IpvsServiceFlags,
  IpvsServiceKey,
  IpvsStats,
  IpvsTimeouts,
  IpvsTunnel,
} from "./types.ts";

const FORWARDING_MASK = 7;

/** Reads the answer to GET_SERVICE: what follows the netlink header. */
export function decodeService(payload: Buffer): IpvsService {
  const service = new Attributes(payload, COMMAND_BYTES).nested(COMMAND_ATTRIBUTE.SERVICE);
  const key = decodeKey(service);
  const engine = service.text(SERVICE_ATTRIBUTE.PE_NAME);
  return {
    key,
    scheduler: service.text(SERVICE_ATTRIBUTE.SCHED_NAME),
    flags: decodeFlags(service.u32(SERVICE_ATTRIBUTE.FLAGS)),
    persistenceSeconds: service.u32(SERVICE_ATTRIBUTE.TIMEOUT),
    netmask:
      key.family === 6
        ? service.u32(SERVICE_ATTRIBUTE.NETMASK)
        : countBits(service.mask(SERVICE_ATTRIBUTE.NETMASK)),
    ...(engine === "" ? {} : { persistenceEngine: engine }),
    stats: decodeStats(service, SERVICE_ATTRIBUTE),
  };
}

function decodeKey(service: Attributes): IpvsServiceKey {
  const family = decodeFamily(service.u16(SERVICE_ATTRIBUTE.AF));
  if (service.has(SERVICE_ATTRIBUTE.FWMARK))
    return { kind: "mark", family, mark: service.u32(SERVICE_ATTRIBUTE.FWMARK) };
  const number = service.u16(SERVICE_ATTRIBUTE.PROTOCOL);
  return {
    kind: "address",
    family,
    protocol: number === PROTOCOL_NUMBER.UDP ? "UDP" : number === PROTOCOL_NUMBER.SCTP ? "SCTP" : "TCP",
    ip: service.address(SERVICE_ATTRIBUTE.ADDR, family),
    port: service.port(SERVICE_ATTRIBUTE.PORT),
  };
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

/** Reads the answer to GET_DEST: what follows the netlink header. */
export function decodeDestination(payload: Buffer): IpvsDestination {
  const destination = new Attributes(payload, COMMAND_BYTES).nested(COMMAND_ATTRIBUTE.DEST);
  const family = decodeFamily(destination.u16(DESTINATION_ATTRIBUTE.ADDR_FAMILY));
  const method = destination.u32(DESTINATION_ATTRIBUTE.FWD_METHOD) & FORWARDING_MASK;
  const forwarding = FORWARDING[method] ?? "masq";
  return {
    family,
    ip: destination.address(DESTINATION_ATTRIBUTE.ADDR, family),
    port: destination.port(DESTINATION_ATTRIBUTE.PORT),
    forwarding,
    weight: destination.u32(DESTINATION_ATTRIBUTE.WEIGHT),
    upperThreshold: destination.u32(DESTINATION_ATTRIBUTE.U_THRESH),
    lowerThreshold: destination.u32(DESTINATION_ATTRIBUTE.L_THRESH),
    ...(forwarding === "tunnel" ? { tunnel: decodeTunnel(destination) } : {}),
    activeConnections: destination.u32(DESTINATION_ATTRIBUTE.ACTIVE_CONNS),
    inactiveConnections: destination.u32(DESTINATION_ATTRIBUTE.INACT_CONNS),
    persistentConnections: destination.u32(DESTINATION_ATTRIBUTE.PERSIST_CONNS),
    stats: decodeStats(destination, DESTINATION_ATTRIBUTE),
  };
}

/** Kernels before 5.3 know IPIP only and do not say so. */
function decodeTunnel(destination: Attributes): IpvsTunnel {
  return {
    type: TUNNEL_TYPE[destination.u8(DESTINATION_ATTRIBUTE.TUN_TYPE)] ?? "ipip",
    port: destination.port(DESTINATION_ATTRIBUTE.TUN_PORT),
    checksum: TUNNEL_CHECKSUM[destination.u16(DESTINATION_ATTRIBUTE.TUN_FLAGS)] ?? "none",
  };
}

/** Kernels before 4.1 have no STATS64. */
function decodeStats(
  object: Attributes,
  type: { readonly STATS: number; readonly STATS64: number },
): IpvsStats {
  const stats = object.nested(object.has(type.STATS64) ? type.STATS64 : type.STATS);
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
  const attributes = new Attributes(payload, COMMAND_BYTES);
  return {
    tcpSeconds: attributes.u32(COMMAND_ATTRIBUTE.TIMEOUT_TCP),
    tcpFinSeconds: attributes.u32(COMMAND_ATTRIBUTE.TIMEOUT_TCP_FIN),
    udpSeconds: attributes.u32(COMMAND_ATTRIBUTE.TIMEOUT_UDP),
  };
}

/** Reads the answer to GET_INFO. */
export function decodeInfo(payload: Buffer): IpvsInfo {
  const attributes = new Attributes(payload, COMMAND_BYTES);
  const version = attributes.u32(INFO_ATTRIBUTE.VERSION);
  return {
    version: [16, 8, 0].map((shift) => (version >>> shift) & 255).join("."),
    connectionTableSize: attributes.u32(INFO_ATTRIBUTE.CONN_TAB_SIZE),
  };
}

/** Reads the answer to GET_DAEMON. */
export function decodeDaemon(payload: Buffer): IpvsDaemon {
  const daemon = new Attributes(payload, COMMAND_BYTES).nested(COMMAND_ATTRIBUTE.DAEMON);
  const isIpv6 = daemon.has(DAEMON_ATTRIBUTE.MCAST_GROUP6);
  return {
    state: daemon.u32(DAEMON_ATTRIBUTE.STATE) === DAEMON_STATE.backup ? "backup" : "master",
    interface: daemon.text(DAEMON_ATTRIBUTE.MCAST_IFN),
    syncId: daemon.u32(DAEMON_ATTRIBUTE.SYNC_ID),
    maximumBytes: daemon.u16(DAEMON_ATTRIBUTE.SYNC_MAXLEN),
    multicastGroup: isIpv6
      ? daemon.address(DAEMON_ATTRIBUTE.MCAST_GROUP6, 6)
      : daemon.address(DAEMON_ATTRIBUTE.MCAST_GROUP, 4),
    multicastPort: daemon.u16(DAEMON_ATTRIBUTE.MCAST_PORT),
    multicastTtl: daemon.u8(DAEMON_ATTRIBUTE.MCAST_TTL),
  };
}
