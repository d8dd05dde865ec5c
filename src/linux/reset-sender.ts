import { closeSync } from "node:fs";
import { ERRNO } from "./kernel-error.ts";
import { callLibc, loadLibc } from "./libc.ts";
import { unlessMissing } from "./netlink.ts";
import { cpuOrder } from "./netlink-codec.ts";

const AF_INET = 2;
const SOCK_RAW = 3;
const SOCK_CLOEXEC = 0o2000000;
const IPPROTO_RAW = 255;
const IP_BYTES = 20;
const TCP_BYTES = 20;
const RST_ACK = 0x14;

/** A TCP reset in the name of somebody else. */
export interface TcpReset {
  /** IPv4, unsigned 32-bit number in host order. */
  readonly sourceAddress: number;
  /** 1-65535. */
  readonly sourcePort: number;
  /** IPv4, unsigned 32-bit number in host order. */
  readonly destinationAddress: number;
  /** 1-65535. */
  readonly destinationPort: number;
  /** What the receiver expects next: its last ACK. */
  readonly sequence: number;
  /** What the receiver has sent so far. */
  readonly acknowledged: number;
}

/** Sends resets with any source address. */
export interface ResetSender extends Disposable {
  /** @returns false when there is no way to the destination. */
  send(reset: TcpReset): boolean;
}

/** Opens a raw socket, which takes CAP_NET_RAW. */
export function openResetSender(): ResetSender {
  const libc = loadLibc();
  const fd = callLibc("open a raw socket", () => libc.socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_RAW));
  return {
    send(reset) {
      const packet = encodeReset(reset);
      const address = Buffer.alloc(16);
      cpuOrder.writeU16(address, AF_INET, 0);
      address.writeUInt32BE(reset.destinationAddress, 4);
      const sent = unlessMissing(
        () => callLibc("send a TCP reset", () => libc.sendto(fd, packet, packet.length, 0, address, 16)),
        [ERRNO.ENETUNREACH, ERRNO.EHOSTUNREACH, ERRNO.EPERM, ERRNO.EINVAL, ERRNO.ENOBUFS],
      );
      return sent !== undefined;
    },
    [Symbol.dispose]: () => closeSync(fd),
  };
}

/** IPv4 and TCP header with checksums; the kernel fills the IP id. */
export function encodeReset(reset: TcpReset): Buffer {
  const packet = Buffer.alloc(IP_BYTES + TCP_BYTES);
  packet[0] = 0x45;
  packet.writeUInt16BE(packet.length, 2);
  packet[8] = 64;
  packet[9] = 6;
  packet.writeUInt32BE(reset.sourceAddress, 12);
  packet.writeUInt32BE(reset.destinationAddress, 16);
  packet.writeUInt16BE(internetChecksum(packet.subarray(0, IP_BYTES), 0), 10);
  const tcp = packet.subarray(IP_BYTES);
  tcp.writeUInt16BE(reset.sourcePort, 0);
  tcp.writeUInt16BE(reset.destinationPort, 2);
  tcp.writeUInt32BE(reset.sequence >>> 0, 4);
  tcp.writeUInt32BE(reset.acknowledged >>> 0, 8);
  tcp[12] = (TCP_BYTES / 4) << 4;
  tcp[13] = RST_ACK;
  const pseudoHeader = sumWords(packet.subarray(12, 20)) + 6 + TCP_BYTES;
  tcp.writeUInt16BE(internetChecksum(tcp, pseudoHeader), 16);
  return packet;
}

function internetChecksum(bytes: Buffer, start: number): number {
  let sum = start + sumWords(bytes);
  while (sum > 0xffff) sum = (sum & 0xffff) + Math.floor(sum / 0x10000);
  return ~sum & 0xffff;
}

function sumWords(bytes: Buffer): number {
  let sum = 0;
  for (let at = 0; at < bytes.length; at += 2) sum += bytes.readUInt16BE(at);
  return sum;
}
