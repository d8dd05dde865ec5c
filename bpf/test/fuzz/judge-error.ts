import { FLOW, MEMBER_LOCAL } from "../layout.ts";
import { checksum } from "../packet.ts";
import { macsOf, type Outcome, readMember } from "./outcome.ts";
import { hasRightIpChecksum, IP_AT, keyOf, readIp, swapKey } from "./read.ts";

const ICMP = 1;
const ERROR_TYPES = [3, 11, 12];
const FORWARD = 1;
/** ICMP's header, an IP header without options, two ports. */
const QUOTED_BYTES = 8 + 20 + 4;

/** Key of the flow entry by which an answer to the quoted packet would go; undefined when the packet is no ICMP error. */
export function quotedKey(bytes: Buffer): Buffer | undefined {
  const ip = readIp(bytes);
  if (!ip || ip.protocol !== ICMP || bytes.length < ip.transportAt + QUOTED_BYTES) return undefined;
  const quotedAt = ip.transportAt + 8;
  if (!ERROR_TYPES.includes(bytes.readUInt8(ip.transportAt))) return undefined;
  if ((bytes.readUInt8(quotedAt) & 15) !== 5) return undefined;
  // Whoever is told of the error must have sent what it quotes.
  if (!bytes.subarray(IP_AT + 16, IP_AT + 20).equals(bytes.subarray(quotedAt + 12, quotedAt + 16)))
    return undefined;
  return swapKey(keyOf(bytes, quotedAt, quotedAt + 20));
}

/** What is wrong with a forwarded ICMP error. */
export function judgeError({ sent, got, verdict, before, flagsOf }: Outcome): string | undefined {
  const key = quotedKey(sent);
  const entry = key && before(key);
  const at = readIp(sent)?.transportAt ?? 0;
  if (!entry) return "forwarded, but neither of a flow nor about one";
  const isUp = verdict === "ok";
  const isForLocal =
    entry[FLOW.offsets.role] === FORWARD && (flagsOf(readMember(entry)) & MEMBER_LOCAL) !== 0;
  if (isUp !== isForLocal) return "an ICMP error went to the wrong stack";
  const known = isUp ? undefined : macsOf(entry);
  if (known && !got.subarray(0, 12).equals(known)) return "an ICMP error went to another MAC address";
  const expected = expectedError(sent, got, entry, at, isUp);
  if (!got.subarray(12).equals(expected.subarray(12))) return `the error is not ${expected.toString("hex")}`;
  return checksumsOf(sent, at) === checksumsOf(got, at) ? undefined : "a checksum of an ICMP error is wrong";
}

/** The receiver hears of the packet that it sent. Checksums are taken as they came, and looked at apart. */
function expectedError(sent: Buffer, got: Buffer, entry: Buffer, at: number, isUp: boolean): Buffer {
  const expected = Buffer.from(sent);
  const quotedAt = at + 8;
  const [source, destination] = [entry.subarray(0, 4), entry.subarray(4, 8)];
  if (!isUp) expected.writeUInt8(expected.readUInt8(IP_AT + 8) - 1, IP_AT + 8);
  const isFromMember = sent
    .subarray(IP_AT + 12, IP_AT + 16)
    .equals(sent.subarray(quotedAt + 16, quotedAt + 20));
  if (isFromMember) source.copy(expected, IP_AT + 12);
  destination.copy(expected, IP_AT + 16);
  destination.copy(expected, quotedAt + 12);
  source.copy(expected, quotedAt + 16);
  entry.copy(expected, quotedAt + 20, 10, 12);
  entry.copy(expected, quotedAt + 22, 8, 10);
  for (const field of [IP_AT + 10, at + 2, quotedAt + 10]) got.copy(expected, field, field, field + 2);
  return expected;
}

/** Which of the three are right. ICMP's is known only where the packet has the length that it says. */
function checksumsOf(bytes: Buffer, at: number): string {
  const end = IP_AT + bytes.readUInt16BE(IP_AT + 2);
  const isWhole = end <= bytes.length && end >= at + QUOTED_BYTES;
  const rights = [
    hasRightIpChecksum(bytes),
    hasRightIpChecksum(bytes, at + 8),
    isWhole && checksum(bytes.subarray(at, end)) === 0,
  ];
  return rights.join();
}
