import { checksum, TCP, UDP } from "../packet.ts";

export const IP_AT = 14;
const SHORTEST = { [TCP]: 20, [UDP]: 8 } as const;

/** Where things are in a frame that the programs can read. */
export interface Frame {
  readonly bytes: Buffer;
  /** Of the IP packet: its header says so. */
  readonly length: number;
  readonly transportAt: number;
  readonly protocol: number;
  /** As `flow` has it: addresses, ports, protocol. */
  readonly key: Buffer;
}

/** What RFC 791, 793 and 768 make of a frame; undefined when it is no whole TCP or UDP packet, or not its first part. */
export function readFrame(bytes: Buffer): Frame | undefined {
  const ip = readIp(bytes);
  if (!ip || (ip.protocol !== TCP && ip.protocol !== UDP)) return undefined;
  const { transportAt, protocol } = ip;
  const length = bytes.readUInt16BE(IP_AT + 2) || bytes.length - IP_AT;
  if (IP_AT + length > bytes.length || IP_AT + length < transportAt + SHORTEST[protocol]) return undefined;
  return { bytes, length, transportAt, protocol, key: keyOf(bytes, IP_AT, transportAt) };
}

/** IPv4 and no later fragment. */
export function readIp(bytes: Buffer): Pick<Frame, "transportAt" | "protocol"> | undefined {
  const first = bytes.readUInt8(IP_AT);
  if (bytes.readUInt16BE(12) !== 0x0800 || first >> 4 !== 4 || (first & 15) < 5) return undefined;
  if ((bytes.readUInt16BE(IP_AT + 6) & 0x1fff) !== 0) return undefined;
  return { transportAt: IP_AT + (first & 15) * 4, protocol: bytes.readUInt8(IP_AT + 9) };
}

/** Key of the flow entry that a packet has which begins at `ipAt`. */
export function keyOf(bytes: Buffer, ipAt: number, transportAt: number): Buffer {
  const key = Buffer.alloc(16);
  bytes.copy(key, 0, ipAt + 12, ipAt + 20);
  bytes.copy(key, 8, transportAt, transportAt + 4);
  key[12] = bytes.readUInt8(ipAt + 9);
  return key;
}

/** The key of packets in the other direction. */
export function swapKey(key: Buffer): Buffer {
  const swapped = Buffer.from(key);
  key.copy(swapped, 0, 4, 8);
  key.copy(swapped, 4, 0, 4);
  key.copy(swapped, 8, 10, 12);
  key.copy(swapped, 10, 8, 10);
  return swapped;
}

export function hasRightIpChecksum(bytes: Buffer, ipAt = IP_AT): boolean {
  return checksum(bytes.subarray(ipAt, ipAt + (bytes.readUInt8(ipAt) & 15) * 4)) === 0;
}

/** TCP's or UDP's; a UDP packet without one is right. */
export function hasRightTransportChecksum({ bytes, transportAt, length, protocol }: Frame): boolean {
  if (protocol === UDP && bytes.readUInt16BE(transportAt + 6) === 0) return true;
  const segment = bytes.subarray(transportAt, IP_AT + length);
  const pseudo = checksum(bytes.subarray(IP_AT + 12, IP_AT + 20)) ^ 0xffff;
  return checksum(segment, pseudo + protocol + segment.length) === 0;
}
