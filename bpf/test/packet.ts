/** Ethernet + IPv4 + TCP or UDP, from a description to bytes and back. */

export const FLAGS = { FIN: 1, SYN: 2, RST: 4, PSH: 8, ACK: 16 } as const;
export const TCP = 6;
export const UDP = 17;
const ETHERNET_BYTES = 14;

export interface Packet {
  /** MAC addresses in hexadecimal. */
  readonly destinationMac: string;
  readonly sourceMac: string;
  /** Dotted quads. */
  readonly source: string;
  readonly destination: string;
  /** 6 or 17. */
  readonly protocol: number;
  /** 1-65535. */
  readonly sourcePort: number;
  readonly destinationPort: number;
  readonly ttl: number;
  /** Bits of {@link FLAGS}. */
  readonly flags: number;
  readonly sequence: number;
  readonly ack: number;
  /** Options in hexadecimal, a multiple of 4 bytes. */
  readonly ipOptions: string;
  readonly tcpOptions: string;
  /** Text behind the headers. */
  readonly payload: string;
  /** The IP header's flags and fragment offset. */
  readonly fragment: number;
  /** UDP: send checksum 0. */
  readonly zeroChecksum: boolean;
}

export function buildPacket(packet: Packet): Buffer {
  const transport = packet.protocol === TCP ? buildTcp(packet) : buildUdp(packet);
  const options = Buffer.from(packet.ipOptions, "hex");
  const ip = Buffer.alloc(20 + options.length);
  ip[0] = 0x40 | (ip.length / 4);
  ip.writeUInt16BE(ip.length + transport.length, 2);
  ip.writeUInt16BE(packet.fragment, 6);
  ip[8] = packet.ttl;
  ip[9] = packet.protocol;
  quad(packet.source).copy(ip, 12);
  quad(packet.destination).copy(ip, 16);
  options.copy(ip, 20);
  ip.writeUInt16BE(checksum(ip), 10);
  const ethernet = Buffer.from(`${packet.destinationMac}${packet.sourceMac}0800`, "hex");
  return Buffer.concat([ethernet, ip, transport]);
}

function buildTcp(packet: Packet): Buffer {
  const options = Buffer.from(packet.tcpOptions, "hex");
  const header = Buffer.alloc(20 + options.length);
  header.writeUInt16BE(packet.sourcePort, 0);
  header.writeUInt16BE(packet.destinationPort, 2);
  header.writeUInt32BE(packet.sequence, 4);
  header.writeUInt32BE(packet.ack, 8);
  header[12] = (header.length / 4) << 4;
  header[13] = packet.flags;
  header.writeUInt16BE(65535, 14);
  options.copy(header, 20);
  const segment = Buffer.concat([header, Buffer.from(packet.payload)]);
  segment.writeUInt16BE(transportChecksum(packet, segment), 16);
  return segment;
}

function buildUdp(packet: Packet): Buffer {
  const datagram = Buffer.concat([Buffer.alloc(8), Buffer.from(packet.payload)]);
  datagram.writeUInt16BE(packet.sourcePort, 0);
  datagram.writeUInt16BE(packet.destinationPort, 2);
  datagram.writeUInt16BE(datagram.length, 4);
  if (!packet.zeroChecksum) datagram.writeUInt16BE(transportChecksum(packet, datagram) || 0xffff, 6);
  return datagram;
}

/** @throws Error when a checksum of the packet is wrong */
export function parsePacket(bytes: Buffer): Packet {
  const headerBytes = (bytes.readUInt8(ETHERNET_BYTES) & 15) * 4;
  const length = bytes.readUInt16BE(ETHERNET_BYTES + 2);
  const ip = bytes.subarray(ETHERNET_BYTES, ETHERNET_BYTES + headerBytes);
  const transport = bytes.subarray(ETHERNET_BYTES + headerBytes, ETHERNET_BYTES + length);
  const protocol = ip.readUInt8(9);
  const addresses = {
    source: [...ip.subarray(12, 16)].join("."),
    destination: [...ip.subarray(16, 20)].join("."),
    protocol,
  };
  const isTcp = protocol === TCP;
  const tcpBytes = isTcp ? (transport.readUInt8(12) >> 4) * 4 : 8;
  const isZero = !isTcp && transport.readUInt16BE(6) === 0;
  if (checksum(ip) !== 0) throw new Error("The IP checksum is wrong");
  if (!isZero && transportChecksum(addresses, transport) !== 0)
    throw new Error("The TCP or UDP checksum is wrong");
  return {
    destinationMac: bytes.subarray(0, 6).toString("hex"),
    sourceMac: bytes.subarray(6, 12).toString("hex"),
    ...addresses,
    sourcePort: transport.readUInt16BE(0),
    destinationPort: transport.readUInt16BE(2),
    ttl: ip.readUInt8(8),
    flags: isTcp ? transport.readUInt8(13) : 0,
    sequence: isTcp ? transport.readUInt32BE(4) : 0,
    ack: isTcp ? transport.readUInt32BE(8) : 0,
    ipOptions: ip.subarray(20).toString("hex"),
    tcpOptions: isTcp ? transport.subarray(20, tcpBytes).toString("hex") : "",
    payload: transport.subarray(tcpBytes).toString(),
    fragment: ip.readUInt16BE(6),
    zeroChecksum: isZero,
  };
}

/** NOP NOP timestamp, as hosts send it. */
export function timestampOption(value: number): string {
  return `0101080a${value.toString(16).padStart(8, "0")}00000000`;
}

/** 0 when `bytes` hold their own checksum, and it is right. */
export function checksum(bytes: Uint8Array, start = 0): number {
  let sum = start;
  for (let at = 0; at < bytes.length; at += 2) sum += ((bytes[at] ?? 0) << 8) + (bytes[at + 1] ?? 0);
  while (sum > 0xffff) sum = (sum & 0xffff) + Math.floor(sum / 0x10000);
  return sum ^ 0xffff;
}

function transportChecksum(
  { source, destination, protocol }: Pick<Packet, "source" | "destination" | "protocol">,
  segment: Uint8Array,
): number {
  const pseudo = Buffer.concat([quad(source), quad(destination)]);
  return checksum(segment, (checksum(pseudo) ^ 0xffff) + protocol + segment.length);
}

function quad(address: string): Buffer {
  return Buffer.from(address.split(".").map(Number));
}
