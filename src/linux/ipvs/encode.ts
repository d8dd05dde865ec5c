import { parseIpv4, parseIpv6 } from "../../foundation/index.ts";
import { encodeCommandHeader } from "../generic-netlink.ts";
import type { MessageBatch } from "../netlink-batch.ts";
import { cpuOrder } from "../netlink-codec.ts";
import {
  ADDRESS_BYTES,
  ADDRESS_FAMILY,
  COMMAND,
  COMMAND_ATTRIBUTE,
  DAEMON_ATTRIBUTE,
  DAEMON_STATE,
  DESTINATION_ATTRIBUTE,
  FAMILY_VERSION,
  FORWARDING,
  PROTOCOL_NUMBER,
  SERVICE_ATTRIBUTE,
  SERVICE_FLAG,
  TUNNEL_CHECKSUM,
  TUNNEL_TYPE,
} from "./protocol.ts";
import type {
  IpvsCommand,
  IpvsDaemon,
  IpvsDestinationKey,
  IpvsDestinationSettings,
  IpvsServiceFlags,
  IpvsServiceKey,
  IpvsServiceSettings,
  IpvsTimeouts,
} from "./types.ts";

const COMMAND_OF: Readonly<Record<IpvsCommand["kind"], number>> = {
  "add-service": COMMAND.NEW_SERVICE,
  "edit-service": COMMAND.SET_SERVICE,
  "delete-service": COMMAND.DEL_SERVICE,
  "add-destination": COMMAND.NEW_DEST,
  "edit-destination": COMMAND.SET_DEST,
  "delete-destination": COMMAND.DEL_DEST,
};

/** Adds a command, which {@link complaintAboutCommand} found in order, to `batch`. */
export function encodeCommand(batch: MessageBatch, family: number, command: IpvsCommand): void {
  batch.begin(family, encodeCommandHeader(COMMAND_OF[command.kind], FAMILY_VERSION));
  if ("key" in command) putKeyOnly(batch, command.key);
  else if ("destination" in command) {
    putKeyOnly(batch, command.service);
    putDestination(batch, command.destination);
  } else putService(batch, command.service);
  batch.end();
}

/** Adds a question about one service to `batch`. @param command What is asked for, of {@link COMMAND}. */
export function encodeQuery(batch: MessageBatch, family: number, command: number, key: IpvsServiceKey): void {
  batch.begin(family, encodeCommandHeader(command, FAMILY_VERSION));
  putKeyOnly(batch, key);
  batch.end();
}

/** Adds new time-outs; all three, because the kernel keeps what is not named. */
export function encodeTimeouts(batch: MessageBatch, family: number, timeouts: IpvsTimeouts): void {
  batch.begin(family, encodeCommandHeader(COMMAND.SET_CONFIG, FAMILY_VERSION));
  batch.putU32(COMMAND_ATTRIBUTE.TIMEOUT_TCP, timeouts.tcpSeconds);
  batch.putU32(COMMAND_ATTRIBUTE.TIMEOUT_TCP_FIN, timeouts.tcpFinSeconds);
  batch.putU32(COMMAND_ATTRIBUTE.TIMEOUT_UDP, timeouts.udpSeconds);
  batch.end();
}

/** Adds the start of a synchronisation daemon. */
export function encodeDaemonStart(batch: MessageBatch, family: number, daemon: IpvsDaemon): void {
  batch.begin(family, encodeCommandHeader(COMMAND.NEW_DAEMON, FAMILY_VERSION));
  batch.nest(COMMAND_ATTRIBUTE.DAEMON, () => {
    batch.putU32(DAEMON_ATTRIBUTE.STATE, DAEMON_STATE[daemon.state]);
    batch.putText(DAEMON_ATTRIBUTE.MCAST_IFN, daemon.interface);
    batch.putU32(DAEMON_ATTRIBUTE.SYNC_ID, daemon.syncId);
    putDaemonOptions(batch, daemon);
  });
  batch.end();
}

function putDaemonOptions(batch: MessageBatch, daemon: IpvsDaemon): void {
  const { maximumBytes, multicastGroup, multicastPort, multicastTtl } = daemon;
  if (maximumBytes !== undefined) batch.putU16(DAEMON_ATTRIBUTE.SYNC_MAXLEN, maximumBytes);
  if (multicastGroup !== undefined) {
    const isIpv6 = multicastGroup.includes(":");
    const type = isIpv6 ? DAEMON_ATTRIBUTE.MCAST_GROUP6 : DAEMON_ATTRIBUTE.MCAST_GROUP;
    writeAddress(batch.bytes, isIpv6 ? 6 : 4, multicastGroup, batch.reserve(type, isIpv6 ? 16 : 4));
  }
  if (multicastPort !== undefined) batch.putU16(DAEMON_ATTRIBUTE.MCAST_PORT, multicastPort);
  if (multicastTtl !== undefined) batch.putU8(DAEMON_ATTRIBUTE.MCAST_TTL, multicastTtl);
}

/** Adds the end of a synchronisation daemon. */
export function encodeDaemonStop(batch: MessageBatch, family: number, state: IpvsDaemon["state"]): void {
  batch.begin(family, encodeCommandHeader(COMMAND.DEL_DAEMON, FAMILY_VERSION));
  batch.nest(COMMAND_ATTRIBUTE.DAEMON, () => {
    batch.putU32(DAEMON_ATTRIBUTE.STATE, DAEMON_STATE[state]);
  });
  batch.end();
}

function putKeyOnly(batch: MessageBatch, key: IpvsServiceKey): void {
  batch.nest(COMMAND_ATTRIBUTE.SERVICE, () => putKey(batch, key));
}

function putKey(batch: MessageBatch, key: IpvsServiceKey): void {
  batch.putU16(SERVICE_ATTRIBUTE.AF, ADDRESS_FAMILY[key.family]);
  if (key.kind === "mark") {
    batch.putU32(SERVICE_ATTRIBUTE.FWMARK, key.mark);
    return;
  }
  batch.putU16(SERVICE_ATTRIBUTE.PROTOCOL, PROTOCOL_NUMBER[key.protocol]);
  putAddress(batch, SERVICE_ATTRIBUTE.ADDR, key);
  batch.putPort(SERVICE_ATTRIBUTE.PORT, key.port);
}

// The kernel answers EINVAL unless scheduler, flags, timeout and netmask are all present, zero or not
// (ip_vs_genl_parse_service in net/netfilter/ipvs/ip_vs_ctl.c).
function putService(batch: MessageBatch, service: IpvsServiceSettings): void {
  batch.nest(COMMAND_ATTRIBUTE.SERVICE, () => {
    putKey(batch, service.key);
    batch.putText(SERVICE_ATTRIBUTE.SCHED_NAME, service.scheduler);
    if (service.persistenceEngine !== undefined)
      batch.putText(SERVICE_ATTRIBUTE.PE_NAME, service.persistenceEngine);
    const at = batch.reserve(SERVICE_ATTRIBUTE.FLAGS, 8);
    cpuOrder.writeU32(batch.bytes, encodeFlags(service.flags), at);
    cpuOrder.writeU32(batch.bytes, 0xffffffff, at + 4);
    batch.putU32(SERVICE_ATTRIBUTE.TIMEOUT, service.persistenceSeconds);
    putNetmask(batch, service);
  });
}

function encodeFlags(flags: IpvsServiceFlags): number {
  return (
    (flags.persistent ? SERVICE_FLAG.persistent : 0) |
    (flags.onePacket ? SERVICE_FLAG.onePacket : 0) |
    (flags.sched1 ? SERVICE_FLAG.sched1 : 0) |
    (flags.sched2 ? SERVICE_FLAG.sched2 : 0) |
    (flags.sched3 ? SERVICE_FLAG.sched3 : 0)
  );
}

/** A mask in network order for IPv4, the number of bits in the CPU's order for IPv6. */
function putNetmask(batch: MessageBatch, { key, netmask }: IpvsServiceSettings): void {
  if (key.family === 6) batch.putU32(SERVICE_ATTRIBUTE.NETMASK, netmask);
  else {
    const mask = (0xffffffff << (32 - netmask)) >>> 0;
    batch.bytes.writeUInt32BE(mask, batch.reserve(SERVICE_ATTRIBUTE.NETMASK, 4));
  }
}

function putDestination(
  batch: MessageBatch,
  destination: IpvsDestinationKey | IpvsDestinationSettings,
): void {
  batch.nest(COMMAND_ATTRIBUTE.DEST, () => {
    batch.putU16(DESTINATION_ATTRIBUTE.ADDR_FAMILY, ADDRESS_FAMILY[destination.family]);
    putAddress(batch, DESTINATION_ATTRIBUTE.ADDR, destination);
    batch.putPort(DESTINATION_ATTRIBUTE.PORT, destination.port);
    if (!("forwarding" in destination)) return;
    const { tunnel } = destination;
    batch.putU32(DESTINATION_ATTRIBUTE.FWD_METHOD, FORWARDING.indexOf(destination.forwarding));
    batch.putU32(DESTINATION_ATTRIBUTE.WEIGHT, destination.weight);
    batch.putU8(DESTINATION_ATTRIBUTE.TUN_TYPE, tunnel ? TUNNEL_TYPE.indexOf(tunnel.type) : 0);
    batch.putPort(DESTINATION_ATTRIBUTE.TUN_PORT, tunnel?.port ?? 0);
    batch.putU16(DESTINATION_ATTRIBUTE.TUN_FLAGS, tunnel ? TUNNEL_CHECKSUM.indexOf(tunnel.checksum) : 0);
    batch.putU32(DESTINATION_ATTRIBUTE.U_THRESH, destination.upperThreshold);
    batch.putU32(DESTINATION_ATTRIBUTE.L_THRESH, destination.lowerThreshold);
  });
}

function putAddress(
  batch: MessageBatch,
  type: number,
  { family, ip }: { readonly family: 4 | 6; readonly ip: string },
): void {
  writeAddress(batch.bytes, family, ip, batch.reserve(type, ADDRESS_BYTES));
}

function writeAddress(bytes: Buffer, family: 4 | 6, ip: string, at: number): void {
  if (family === 4) bytes.writeUInt32BE(parseIpv4(ip) ?? 0, at);
  else bytes.set(parseIpv6(ip) ?? [], at);
}
