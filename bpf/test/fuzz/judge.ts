import { MEMBER_LOCAL } from "../layout.ts";
import { FLAGS, TCP } from "../packet.ts";
import { judgeError, quotedKey } from "./judge-error.ts";
import { macsOf, type Outcome, readMember } from "./outcome.ts";
import { type Frame, hasRightIpChecksum, hasRightTransportChecksum, IP_AT, readFrame } from "./read.ts";

const RESET_BYTES = 54;
const TTL_AT = IP_AT + 8;
const IP_CHECKSUM_AT = IP_AT + 10;

/** Counted though the packet, and its flow, go on. */
export const SIDE_COUNTERS: readonly string[] = ["halfOpenReclaimed", "affinityFull"];

/** What is wrong with the outcome; undefined when nothing is. */
export function judge(outcome: Outcome): string | undefined {
  const counted = Object.entries(outcome.drops).filter(([name]) => !SIDE_COUNTERS.includes(name));
  const count = counted.reduce((sum, [, rise]) => sum + rise, 0);
  if (outcome.drops["none"]) return "a drop without a reason was counted";
  if (outcome.verdict === "drop")
    return count === 1 ? concernsUs(outcome) : `dropped, and ${count} drop counters rose`;
  if (outcome.verdict === "pass") {
    if (count !== 0) return `passed, and ${JSON.stringify(outcome.drops)} was counted`;
    return outcome.got.equals(outcome.sent) ? undefined : "passed, but changed";
  }
  return concernsUs(outcome) ?? (count === 0 ? judgeForwarded(outcome) : judgeReset(outcome, count));
}

/** A packet to no connect address and of no flow is none of our business. */
function concernsUs(outcome: Outcome): string | undefined {
  const { sent, hook, isForUs, isService, before } = outcome;
  const frame = isForUs ? readFrame(sent) : undefined;
  const error = isForUs && hook === "ingress" ? quotedKey(sent) : undefined;
  const isKnown = frame && (before(frame.key) || (hook === "ingress" && isService(frame.key)));
  if (isKnown || (error && before(error))) return undefined;
  return `${outcome.verdict}, though it is to no connect address and of no flow`;
}

function judgeForwarded(outcome: Outcome): string | undefined {
  const frame = readFrame(outcome.sent);
  if (!frame) return judgeError(outcome);
  const entry = outcome.after(frame.key);
  if (!entry) return "forwarded, but there is no flow entry";
  const isUp = outcome.verdict === "ok";
  const isLocal = (outcome.flagsOf(readMember(entry)) & MEMBER_LOCAL) !== 0;
  if (isUp && !isLocal) return "given to the node's own stack, but the member is elsewhere";
  if (outcome.got.length !== outcome.sent.length) return "forwarded with another length";
  const known = isUp ? undefined : macsOf(entry);
  if (known && !outcome.got.subarray(0, 12).equals(known))
    return "sent to another MAC address than the flow's";
  return compareForwarded(frame, outcome.got, entry, isUp);
}

/** Byte by byte, but for MAC addresses; checksums are recomputed, and a packet whose own was wrong stays wrong. */
function compareForwarded(sent: Frame, got: Buffer, entry: Buffer, isUp: boolean): string | undefined {
  const expected = Buffer.from(sent.bytes);
  if (!isUp) expected.writeUInt8(expected.readUInt8(TTL_AT) - 1, TTL_AT);
  entry.copy(expected, IP_AT + 12, 0, 8);
  entry.copy(expected, sent.transportAt, 8, 12);
  const ignored = [IP_CHECKSUM_AT, sent.transportAt + (sent.protocol === TCP ? 16 : 6)];
  for (const at of ignored) got.copy(expected, at, at, at + 2);
  if (!got.subarray(12).equals(expected.subarray(12))) return "forwarded with other bytes than its flow's";
  const after = { ...sent, bytes: got };
  if (hasRightIpChecksum(got) !== hasRightIpChecksum(sent.bytes)) return "the IP checksum is wrong";
  if (hasRightTransportChecksum(after) !== hasRightTransportChecksum(sent))
    return "the TCP or UDP checksum is wrong";
  const at = sent.transportAt + 6;
  const [had, has] = [sent.bytes, got].map((bytes) => sent.protocol === TCP || bytes.readUInt16BE(at) !== 0);
  return had === has ? undefined : "a UDP checksum came or went";
}

function judgeReset({ sent, got, hook, drops }: Outcome, count: number): string | undefined {
  const frame = readFrame(sent);
  const reset = readFrame(got);
  if (count !== 1) return `redirected, and ${JSON.stringify(drops)} was counted`;
  if (hook === "egress" || !frame || frame.protocol !== TCP) return "a RST for what is not TCP, or leaves";
  if (!reset || got.length !== RESET_BYTES) return "counted as dropped and redirected, but no RST";
  if (!hasRightIpChecksum(got) || !hasRightTransportChecksum(reset)) return "a checksum of the RST is wrong";
  const expected = resetFor(frame);
  for (const at of [IP_CHECKSUM_AT, 50]) got.copy(expected, at, at, at + 2);
  return got.equals(expected) ? undefined : `the RST is not ${expected.toString("hex")}`;
}

/** RFC 9293, 3.10.7.1, case CLOSED. */
function resetFor({ bytes, transportAt, length }: Frame): Buffer {
  const flags = bytes.readUInt8(transportAt + 13);
  const headerBytes = (bytes.readUInt8(transportAt + 12) >> 4) * 4;
  const dataBytes = IP_AT + length - transportAt - headerBytes;
  const spoken = dataBytes + (flags & FLAGS.SYN ? 1 : 0) + (flags & FLAGS.FIN ? 1 : 0);
  const hasAck = (flags & FLAGS.ACK) !== 0;
  const reset = Buffer.alloc(RESET_BYTES);
  bytes.copy(reset, 0, 6, 12);
  bytes.copy(reset, 6, 0, 6);
  Buffer.from("0800450000280000400040060000", "hex").copy(reset, 12);
  bytes.copy(reset, 26, IP_AT + 16, IP_AT + 20);
  bytes.copy(reset, 30, IP_AT + 12, IP_AT + 16);
  bytes.copy(reset, 34, transportAt + 2, transportAt + 4);
  bytes.copy(reset, 36, transportAt, transportAt + 2);
  reset.writeUInt32BE(hasAck ? bytes.readUInt32BE(transportAt + 8) : 0, 38);
  reset.writeUInt32BE(hasAck ? 0 : (bytes.readUInt32BE(transportAt + 4) + spoken) >>> 0, 42);
  reset.writeUInt8(0x50, 46);
  reset.writeUInt8(hasAck ? FLAGS.RST : FLAGS.RST | FLAGS.ACK, 47);
  return reset;
}
