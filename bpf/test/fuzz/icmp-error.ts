import { checksum } from "../packet.ts";

const ICMP = 1;
const IP_AT = 14;
const MTU = 1400;

/** An ICMP error and what it quotes. */
export interface IcmpError {
  /** MAC addresses in hexadecimal. */
  readonly destinationMac: string;
  readonly sourceMac: string;
  readonly sender: string;
  readonly receiver: string;
  readonly type: number;
  readonly ttl: number;
  /** The packet with its Ethernet header; all behind that is quoted. */
  readonly quoted: Buffer;
}

export function buildError(error: IcmpError): Buffer {
  const message = Buffer.concat([
    Buffer.from([error.type, 4, 0, 0, 0, 0, MTU >> 8, MTU & 255]),
    error.quoted.subarray(IP_AT),
  ]);
  message.writeUInt16BE(checksum(message), 2);
  const ip = Buffer.alloc(20);
  ip[0] = 0x45;
  ip.writeUInt16BE(ip.length + message.length, 2);
  ip[8] = error.ttl;
  ip[9] = ICMP;
  Buffer.from([...error.sender.split("."), ...error.receiver.split(".")].map(Number)).copy(ip, 12);
  ip.writeUInt16BE(checksum(ip), 10);
  const ethernet = Buffer.from(`${error.destinationMac}${error.sourceMac}0800`, "hex");
  return Buffer.concat([ethernet, ip, message]);
}
