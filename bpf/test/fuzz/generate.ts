import type { Random } from "../../../test/lab/random.ts";
import { buildPacket, FLAGS, type Packet, TCP, timestampOption, UDP } from "../packet.ts";
import { CLIENT, FROM_CLIENT, MEMBER_MAC, NODE } from "../programs.ts";
import { buildError } from "./icmp-error.ts";
import { mutate } from "./mutate.ts";
import { TARGETS } from "./world.ts";

/** One packet, and where it meets the programs. */
export interface Shot {
  readonly hook: "ingress" | "egress";
  /** The device that it arrives by, or leaves by. */
  readonly side: "clients" | "members";
  /** It leaves, and was not sent by a socket of the node. */
  readonly isForwarded: boolean;
  readonly bytes: Buffer;
}

export type Tuple = Pick<Packet, "source" | "destination" | "sourcePort" | "destinationPort" | "protocol">;

/** A flow that the fuzz has opened: what its client sends, and what its member sees. */
export interface SeenFlow {
  readonly asSent: Tuple;
  readonly asSeen: Tuple;
}

const HOT_PORTS = 40;
const MUTATED = 0.3;
const { FIN, SYN, RST, PSH, ACK } = FLAGS;
const USUAL_FLAGS = [SYN, SYN, ACK, ACK, ACK, PSH | ACK, FIN | ACK, RST, RST | ACK, SYN | ACK, FIN | SYN, 0];
const NUMBERS = [0, 999, 1000, 1001, 1002, 5000, 5001, 5002, 0x7fffffff, 0x80000000, 0xffffffff];
const MAKERS = [
  ...Array.from({ length: 8 }, () => fromClient),
  ...Array.from({ length: 7 }, () => fromMember),
  ...[strangers, strangers, errors, errors, leaving, leaving],
];

/** Makes the next packet; most belong to flows in `seen`, a third is broken in some way. */
export function makeShot(random: Random, seen: readonly SeenFlow[]): Shot {
  const shot = random.pick(MAKERS)(random, seen);
  return random.chance(MUTATED) ? { ...shot, bytes: mutate(random, shot.bytes) } : shot;
}

export function swapped({ source, destination, sourcePort, destinationPort, protocol }: Tuple): Tuple {
  return {
    source: destination,
    destination: source,
    sourcePort: destinationPort,
    destinationPort: sourcePort,
    protocol,
  };
}

const ingress = (side: Shot["side"], bytes: Buffer): Shot => ({
  hook: "ingress",
  side,
  isForwarded: false,
  bytes,
});

function fromClient(random: Random, seen: readonly SeenFlow[] = []): Shot {
  if (seen.length > 0 && random.chance(0.6))
    return ingress("clients", build(random, random.pick(seen).asSent, "clients"));
  const target = random.pick(TARGETS);
  const tuple = {
    source: `10.0.1.${2 + random.below(4)}`,
    sourcePort: 40_000 + random.below(random.chance(0.9) ? HOT_PORTS : 20_000),
    destination: target.ip,
    destinationPort: target.port,
    protocol: random.chance(0.75) ? TCP : UDP,
  };
  return ingress("clients", build(random, tuple, "clients"));
}

function fromMember(random: Random, seen: readonly SeenFlow[]): Shot {
  if (seen.length === 0) return fromClient(random);
  return ingress("members", build(random, swapped(random.pick(seen).asSeen), "members"));
}

/** To no connect address. */
function strangers(random: Random): Shot {
  const target = random.pick(TARGETS);
  const tuple = {
    source: CLIENT.ip,
    sourcePort: 1 + random.below(65_535),
    destination: random.chance(0.5) ? target.ip : `198.51.100.${random.below(256)}`,
    destinationPort: random.chance(0.3) ? target.port : 1 + random.below(65_535),
    protocol: random.chance(0.5) ? TCP : UDP,
  };
  const side = random.chance(0.5) ? "clients" : "members";
  return ingress(side, build(random, tuple, side));
}

/** About a packet that went to a member, or to a client, or about none. */
function errors(random: Random, seen: readonly SeenFlow[]): Shot {
  if (seen.length === 0) return fromClient(random);
  const { asSent, asSeen } = random.pick(seen);
  const isFromMember = random.chance(0.6);
  const quoted = isFromMember ? asSeen : swapped(asSent);
  const side = isFromMember ? "members" : "clients";
  const router = `10.0.${isFromMember ? 2 : 1}.${2 + random.below(16)}`;
  const bytes = buildError({
    ...macsOf(side),
    sender: random.chance(0.5) ? router : quoted.destination,
    receiver: random.chance(0.95) ? quoted.source : router,
    type: random.pick([3, 3, 3, 11, 12, 8, 0, 5]),
    ttl: random.pick([0, 1, 2, 64]),
    quoted: buildPacket({ ...FROM_CLIENT, ...quoted, flags: ACK, payload: "x".repeat(random.below(64)) }),
  });
  return ingress(side, bytes);
}

function leaving(random: Random, seen: readonly SeenFlow[]): Shot {
  if (seen.length === 0) return fromClient(random);
  const local = seen.filter(({ asSeen }) => asSeen.destination === NODE.clientSide);
  const { asSeen } = random.pick(local.length > 0 && random.chance(0.8) ? local : seen);
  const bytes = build(random, swapped(asSeen), "clients");
  return { hook: "egress", side: "clients", isForwarded: random.chance(0.1), bytes };
}

function build(random: Random, tuple: Tuple, side: Shot["side"]): Buffer {
  return buildPacket({
    ...FROM_CLIENT,
    ...tuple,
    ...macsOf(side),
    flags: random.chance(0.95) ? random.pick(USUAL_FLAGS) : random.below(256),
    sequence: random.chance(0.9) ? random.pick(NUMBERS) : random.below(2 ** 32),
    ack: random.chance(0.9) ? random.pick(NUMBERS) : random.below(2 ** 32),
    ttl: random.chance(0.95) ? 64 : random.below(4),
    ipOptions: random.chance(0.9) ? "" : hex(random, 4 * (1 + random.below(10))),
    tcpOptions: tcpOptions(random),
    payload: "p".repeat(random.chance(0.95) ? random.below(40) : random.below(1800)),
    fragment: random.chance(0.95) ? 0x4000 : random.below(65_536),
    zeroChecksum: random.chance(0.1),
  });
}

function tcpOptions(random: Random): string {
  if (random.chance(0.5)) return "";
  if (random.chance(0.8)) return timestampOption(random.below(2 ** 32));
  return hex(random, 4 * random.below(11));
}

function macsOf(side: Shot["side"]) {
  return side === "clients"
    ? { destinationMac: NODE.clientMac, sourceMac: CLIENT.mac }
    : { destinationMac: NODE.memberMac, sourceMac: MEMBER_MAC };
}

function hex(random: Random, bytes: number): string {
  return Buffer.from(Array.from({ length: bytes }, () => random.below(256))).toString("hex");
}
