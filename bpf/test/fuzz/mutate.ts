import type { Random } from "../../../test/lab/random.ts";
import { checksum } from "../packet.ts";

const IP_AT = 14;
/** Test runs of newer kernels ask for a whole IP header, and for IPv6's in its frames. */
const SHORTEST = IP_AT + 20;
const SHORTEST_IPV6 = IP_AT + 40;
const IPV6 = 0x86dd;
/** Behind it mutations would only reach the payload. */
const HEADERS = 96;

type Mutation = (bytes: Buffer, random: Random) => Buffer;

/** In `bytes`, which are the mutation's own. */
const MUTATIONS: readonly Mutation[] = [
  (bytes, random) => bytes.subarray(0, SHORTEST + random.below(bytes.length - SHORTEST + 1)),
  (bytes, random) => Buffer.concat([bytes, Buffer.alloc(1 + random.below(20), 0xaa)]),
  // Any bit, any byte.
  (bytes, random) => flip(bytes, random.below(Math.min(bytes.length, HEADERS)), 1 << random.below(8)),
  (bytes, random) => set(bytes, random.below(Math.min(bytes.length, HEADERS)), random.below(256)),
  // Version and header length of IP; its total length; fragments; protocol.
  (bytes, random) => set(bytes, IP_AT, (random.chance(0.8) ? 0x40 : 0x60) | random.below(16)),
  (bytes, random) => setWide(bytes, IP_AT + 2, nearOr(random, bytes.length - IP_AT)),
  (bytes, random) => setWide(bytes, IP_AT + 6, random.pick([0x2000, 0x0001, 0x3fff, 0x1fff, 0x8000])),
  (bytes, random) => set(bytes, IP_AT + 9, random.pick([1, 2, 6, 17, 41, 47, 132])),
  // TCP's header length, or UDP's length.
  (bytes, random) => set(bytes, transportAt(bytes) + 12, random.below(256)),
  (bytes, random) => setWide(bytes, transportAt(bytes) + 4, random.below(65_536)),
  // Another frame: VLAN, ARP, IPv6, another machine's.
  (bytes) => Buffer.concat([bytes.subarray(0, 12), Buffer.from("81000064", "hex"), bytes.subarray(12)]),
  (bytes, random) => setWide(bytes, 12, random.pick([0x0806, IPV6, 0x8100, 0x88a8, 0x0600])),
  (bytes, random) => set(bytes, random.below(6), random.below(256)),
  // What an ICMP error quotes.
  (bytes, random) => set(bytes, transportAt(bytes) + 8 + random.below(24), random.below(256)),
];

/** A broken copy. Half of those have a right IP checksum all the same. */
export function mutate(random: Random, bytes: Buffer): Buffer {
  const broken = random.pick(MUTATIONS)(Buffer.from(bytes), random);
  if (random.chance(0.5)) repairIpChecksum(broken);
  const missing = broken.readUInt16BE(12) === IPV6 ? SHORTEST_IPV6 - broken.length : 0;
  return missing > 0 ? Buffer.concat([broken, Buffer.alloc(missing)]) : broken;
}

function repairIpChecksum(bytes: Buffer): void {
  const end = IP_AT + (bytes.readUInt8(IP_AT) & 15) * 4;
  if (end < SHORTEST || end > bytes.length) return;
  bytes.writeUInt16BE(0, IP_AT + 10);
  bytes.writeUInt16BE(checksum(bytes.subarray(IP_AT, end)), IP_AT + 10);
}

function transportAt(bytes: Buffer): number {
  return IP_AT + (bytes.readUInt8(IP_AT) & 15) * 4;
}

function nearOr(random: Random, length: number): number {
  return random.chance(0.7) ? Math.max(0, length - 4 + random.below(9)) : random.below(65_536);
}

function flip(bytes: Buffer, at: number, bits: number): Buffer {
  return set(bytes, at, (bytes[at] ?? 0) ^ bits);
}

function set(bytes: Buffer, at: number, value: number): Buffer {
  if (at < bytes.length) bytes[at] = value;
  return bytes;
}

function setWide(bytes: Buffer, at: number, value: number): Buffer {
  if (at + 2 <= bytes.length) bytes.writeUInt16BE(value, at);
  return bytes;
}
