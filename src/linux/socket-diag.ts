import { formatIpv4 } from "../foundation/index.ts";
import { ERRNO } from "./kernel-error.ts";
import { NETLINK_SOCK_DIAG, openNetlink, unlessMissing } from "./netlink.ts";
import { cpuOrder, type NetlinkMessage, NLM_F_ACK, NLM_F_DUMP } from "./netlink-codec.ts";

const SOCK_DIAG_BY_FAMILY = 20;
const SOCK_DESTROY = 21;
const AF_INET = 2;
const AF_INET6 = 10;
const PROTOCOL_NUMBER = { TCP: 6, UDP: 17 } as const;
const ID_BYTES = 48;
const COOKIE_AT = 4 + 40;

/** One socket of this process's network namespace. */
export interface InetSocket {
  readonly protocol: "TCP" | "UDP";
  readonly family: "IPv4" | "IPv6";
  /** The kernel's name of the socket, the one that `bpf_get_socket_cookie` gives. */
  readonly cookie: bigint;
  readonly localIp: string;
  /** 0-65535. */
  readonly localPort: number;
  /** Empty for an IPv6 address that holds no IPv4 one. */
  readonly remoteIp: string;
  /** 0-65535; 0 = not connected. */
  readonly remotePort: number;
  /** `struct inet_diag_sockid`: names the socket when it is destroyed. */
  readonly id: Buffer;
}

/** All sockets of a protocol, listening ones too, IPv4 and IPv6. */
export function listSockets(protocol: "TCP" | "UDP"): readonly InetSocket[] {
  using netlink = openNetlink(NETLINK_SOCK_DIAG);
  return [AF_INET, AF_INET6].flatMap((family) => {
    const query = encodeSocketRequest(family, protocol, Buffer.alloc(ID_BYTES));
    const answer = unlessMissing(
      () => netlink.request(`list ${protocol} sockets`, SOCK_DIAG_BY_FAMILY, NLM_F_DUMP, query),
      [ERRNO.ENOENT],
    );
    return (answer ?? []).map((message) => decodeSocket(message, protocol));
  });
}

/**
 * Closes a socket as if its peer had: the program that has it reads ECONNABORTED.
 *
 * @returns false when the socket has gone meanwhile.
 * @throws ParasausError `KernelUnsupported` where the kernel is built without INET_DIAG_DESTROY
 */
export function destroySocket(socket: InetSocket): boolean {
  using netlink = openNetlink(NETLINK_SOCK_DIAG);
  const family = socket.family === "IPv4" ? AF_INET : AF_INET6;
  const query = encodeSocketRequest(family, socket.protocol, socket.id);
  const action = `destroy the ${socket.protocol} socket ${socket.localIp}:${socket.localPort}`;
  const done = unlessMissing(() => netlink.request(action, SOCK_DESTROY, NLM_F_ACK, query), [ERRNO.ENOENT]);
  return done !== undefined;
}

/** `struct inet_diag_req_v2`: family, protocol, extensions, padding, states, id. */
export function encodeSocketRequest(family: number, protocol: "TCP" | "UDP", id: Buffer): Buffer {
  const header = Buffer.alloc(8);
  header[0] = family;
  header[1] = PROTOCOL_NUMBER[protocol];
  cpuOrder.writeU32(header, 0xffffffff, 4);
  return Buffer.concat([header, id]);
}

/** `struct inet_diag_msg`: family, state, timer, retransmits, id, ... */
function decodeSocket({ payload }: NetlinkMessage, protocol: "TCP" | "UDP"): InetSocket {
  const isIpv6 = payload[0] === AF_INET6;
  const cookieLow = BigInt(cpuOrder.readU32(payload, COOKIE_AT));
  const cookieHigh = BigInt(cpuOrder.readU32(payload, COOKIE_AT + 4));
  return {
    protocol,
    family: isIpv6 ? "IPv6" : "IPv4",
    cookie: (cookieHigh << 32n) | cookieLow,
    localPort: payload.readUInt16BE(4),
    remotePort: payload.readUInt16BE(6),
    localIp: readAddress(payload.subarray(8, 24), isIpv6),
    remoteIp: readAddress(payload.subarray(24, 40), isIpv6),
    id: Buffer.from(payload.subarray(4, 4 + ID_BYTES)),
  };
}

function readAddress(bytes: Buffer, isIpv6: boolean): string {
  if (!isIpv6) return formatIpv4(bytes.readUInt32BE(0));
  const isMapped = bytes.subarray(0, 10).every((byte) => byte === 0) && bytes.readUInt16BE(10) === 0xffff;
  return isMapped ? formatIpv4(bytes.readUInt32BE(12)) : "";
}
