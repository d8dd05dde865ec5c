import type { IpvsDaemon, IpvsForwarding, IpvsProtocol, IpvsTunnel } from "./types.ts";

// Names and numbers of include/uapi/linux/ip_vs.h.

export const FAMILY_NAME = "IPVS";
export const FAMILY_VERSION = 1;

/** IPVS_CMD_*. */
export const COMMAND = {
  NEW_SERVICE: 1,
  SET_SERVICE: 2,
  DEL_SERVICE: 3,
  GET_SERVICE: 4,
  NEW_DEST: 5,
  SET_DEST: 6,
  DEL_DEST: 7,
  GET_DEST: 8,
  NEW_DAEMON: 9,
  DEL_DAEMON: 10,
  GET_DAEMON: 11,
  SET_CONFIG: 12,
  GET_CONFIG: 13,
  GET_INFO: 15,
} as const;

/** IPVS_CMD_ATTR_*. */
export const COMMAND_ATTRIBUTE = {
  SERVICE: 1,
  DEST: 2,
  DAEMON: 3,
  TIMEOUT_TCP: 4,
  TIMEOUT_TCP_FIN: 5,
  TIMEOUT_UDP: 6,
} as const;

/** IPVS_SVC_ATTR_*. */
export const SERVICE_ATTRIBUTE = {
  AF: 1,
  PROTOCOL: 2,
  ADDR: 3,
  PORT: 4,
  FWMARK: 5,
  SCHED_NAME: 6,
  FLAGS: 7,
  TIMEOUT: 8,
  NETMASK: 9,
  STATS: 10,
  PE_NAME: 11,
  STATS64: 12,
} as const;

/** IPVS_DEST_ATTR_*. */
export const DESTINATION_ATTRIBUTE = {
  ADDR: 1,
  PORT: 2,
  FWD_METHOD: 3,
  WEIGHT: 4,
  U_THRESH: 5,
  L_THRESH: 6,
  ACTIVE_CONNS: 7,
  INACT_CONNS: 8,
  PERSIST_CONNS: 9,
  STATS: 10,
  ADDR_FAMILY: 11,
  STATS64: 12,
  TUN_TYPE: 13,
  TUN_PORT: 14,
  TUN_FLAGS: 15,
} as const;

/** IPVS_STATS_ATTR_*. */
export const STATS_ATTRIBUTE = {
  CONNS: 1,
  INPKTS: 2,
  OUTPKTS: 3,
  INBYTES: 4,
  OUTBYTES: 5,
  CPS: 6,
  INPPS: 7,
  OUTPPS: 8,
  INBPS: 9,
  OUTBPS: 10,
} as const;

/** IPVS_DAEMON_ATTR_*. */
export const DAEMON_ATTRIBUTE = {
  STATE: 1,
  MCAST_IFN: 2,
  SYNC_ID: 3,
  SYNC_MAXLEN: 4,
  MCAST_GROUP: 5,
  MCAST_GROUP6: 6,
  MCAST_PORT: 7,
  MCAST_TTL: 8,
} as const;

/** IPVS_INFO_ATTR_*. */
export const INFO_ATTRIBUTE = { VERSION: 1, CONN_TAB_SIZE: 2 } as const;

/** IP_VS_SVC_F_*; the kernel's own 0x2 (hashed) is nobody's setting. */
export const SERVICE_FLAG = {
  persistent: 0x1,
  onePacket: 0x4,
  sched1: 0x8,
  sched2: 0x10,
  sched3: 0x20,
} as const;

/** AF_INET and AF_INET6. */
export const ADDRESS_FAMILY = { 4: 2, 6: 10 } as const;

/** The kernel's `union nf_inet_addr`. */
export const ADDRESS_BYTES = 16;

/** IP_VS_SCHEDNAME_MAXLEN and IP_VS_PENAME_MAXLEN, without the NUL. */
export const NAME_CHARACTERS = 15;

export const PROTOCOL_NUMBER: Readonly<Record<IpvsProtocol, number>> = { TCP: 6, UDP: 17, SCTP: 132 };

/** By IP_VS_CONN_F_FWD_MASK. */
export const FORWARDING: readonly IpvsForwarding[] = ["masq", "local", "tunnel", "route", "bypass"];

/** By IP_VS_CONN_F_TUNNEL_TYPE_*. */
export const TUNNEL_TYPE: readonly IpvsTunnel["type"][] = ["ipip", "gue", "gre"];

/** By IP_VS_TUNNEL_ENCAP_FLAG_*. */
export const TUNNEL_CHECKSUM: readonly IpvsTunnel["checksum"][] = ["none", "outer", "remote"];

/** IP_VS_STATE_*. */
export const DAEMON_STATE: Readonly<Record<IpvsDaemon["state"], number>> = { master: 1, backup: 2 };
