import { endianness } from "node:os";

/** Bytes of `struct nlmsghdr`. */
export const HEADER_BYTES = 16;
export const NLMSG_ERROR = 2;
export const NLMSG_DONE = 3;
export const NLM_F_REQUEST = 0x1;
export const NLM_F_MULTI = 0x2;
export const NLM_F_ACK = 0x4;
export const NLM_F_DUMP_INTR = 0x10;
export const NLM_F_DUMP = 0x300;

const IS_LITTLE = endianness() === "LE";
/** NLA_F_NESTED and NLA_F_NET_BYTEORDER. */
const ATTRIBUTE_TYPE_MASK = 0x3fff;

/** One netlink message without its header. */
export interface NetlinkMessage {
  readonly type: number;
  readonly flags: number;
  readonly sequence: number;
  readonly payload: Buffer;
}

/** Numbers in the CPU's byte order, as netlink has them. */
export const cpuOrder = {
  readU16: (bytes: Buffer, at: number) => (IS_LITTLE ? bytes.readUInt16LE(at) : bytes.readUInt16BE(at)),
  readU32: (bytes: Buffer, at: number) => (IS_LITTLE ? bytes.readUInt32LE(at) : bytes.readUInt32BE(at)),
  readI32: (bytes: Buffer, at: number) => (IS_LITTLE ? bytes.readInt32LE(at) : bytes.readInt32BE(at)),
  readU64: (bytes: Buffer, at: number) => (IS_LITTLE ? bytes.readBigUInt64LE(at) : bytes.readBigUInt64BE(at)),
  writeU16: (bytes: Buffer, value: number, at: number) =>
    IS_LITTLE ? bytes.writeUInt16LE(value, at) : bytes.writeUInt16BE(value, at),
  writeU32: (bytes: Buffer, value: number, at: number) =>
    IS_LITTLE ? bytes.writeUInt32LE(value, at) : bytes.writeUInt32BE(value, at),
};

/** Puts a header before `payload`. The port id is 0: the kernel fills it. */
export function encodeMessage(type: number, flags: number, sequence: number, payload: Buffer): Buffer {
  // From the pool: many small ones outside of it are slow to free.
  const message = Buffer.allocUnsafe(HEADER_BYTES + payload.length).fill(0, 0, HEADER_BYTES);
  cpuOrder.writeU32(message, message.length, 0);
  cpuOrder.writeU16(message, type, 4);
  cpuOrder.writeU16(message, flags, 6);
  cpuOrder.writeU32(message, sequence, 8);
  payload.copy(message, HEADER_BYTES);
  return message;
}

/** One attribute: length, type, value, padding to four bytes. */
export function encodeAttribute(type: number, value: Uint8Array): Buffer {
  const attribute = Buffer.alloc(align(4 + value.length));
  cpuOrder.writeU16(attribute, 4 + value.length, 0);
  cpuOrder.writeU16(attribute, type, 2);
  attribute.set(value, 4);
  return attribute;
}

/** Splits what one recv() returned. */
export function decodeMessages(bytes: Buffer): readonly NetlinkMessage[] {
  return splitMessages(bytes).messages;
}

/** Splits what one recv() returned; `isWhole` is false where it ends within a message. */
export function splitMessages(bytes: Buffer): {
  readonly messages: readonly NetlinkMessage[];
  readonly isWhole: boolean;
} {
  const messages: NetlinkMessage[] = [];
  let at = 0;
  while (at + HEADER_BYTES <= bytes.length) {
    const length = cpuOrder.readU32(bytes, at);
    if (length < HEADER_BYTES || at + length > bytes.length) break;
    messages.push({
      type: cpuOrder.readU16(bytes, at + 4),
      flags: cpuOrder.readU16(bytes, at + 6),
      sequence: cpuOrder.readU32(bytes, at + 8),
      payload: bytes.subarray(at + HEADER_BYTES, at + length),
    });
    at += align(length);
  }
  return { messages, isWhole: at >= bytes.length };
}

/** Attributes by type; of two with the same type the last one stays. Flags of the type are taken off. */
export function decodeAttributes(bytes: Buffer): ReadonlyMap<number, Buffer> {
  const attributes = new Map<number, Buffer>();
  eachAttribute(bytes, 0, bytes.length, (type, at, end) => {
    attributes.set(type, bytes.subarray(at, end));
  });
  return attributes;
}

/** Calls `visit` with type, first byte and end of each attribute's value between `from` and `to`. */
export function eachAttribute(
  bytes: Buffer,
  from: number,
  to: number,
  visit: (type: number, at: number, end: number) => void,
): void {
  for (let at = from; at + 4 <= to; ) {
    const length = cpuOrder.readU16(bytes, at);
    if (length < 4 || at + length > to) break;
    visit(cpuOrder.readU16(bytes, at + 2) & ATTRIBUTE_TYPE_MASK, at + 4, at + length);
    at += align(length);
  }
}

/** Rounds up to four bytes. */
export function align(length: number): number {
  return (length + 3) & ~3;
}
