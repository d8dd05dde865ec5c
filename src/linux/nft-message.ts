import { align, cpuOrder, encodeAttribute, HEADER_BYTES, NLM_F_ACK, NLM_F_REQUEST } from "./netlink-codec.ts";

const NLA_F_NESTED = 0x8000;
const SUBSYSTEM_NFTABLES = 10;
const BATCH_BEGIN = 16;
const BATCH_END = 17;
const NFPROTO_UNSPEC = 0;
const LIST_ELEMENT = 1;

/** NFT_MSG_* of include/uapi/linux/netfilter/nf_tables.h. */
export const NFT = {
  NEWTABLE: 0,
  DELTABLE: 2,
  NEWCHAIN: 3,
  NEWRULE: 6,
  GETRULE: 7,
  NEWSET: 9,
  NEWSETELEM: 12,
  GETSETELEM: 13,
  DELSETELEM: 14,
} as const;

/** NFPROTO_*: whose packets a table sees; `inet` has those of both families. */
export const NFT_PROTOCOL = { inet: 1, ip: 2, ip6: 10 } as const;

/** The kind of a table; two kinds may have tables of the same name. */
export type NftProtocol = keyof typeof NFT_PROTOCOL;

/** One message to nf_tables. */
export interface NftMessage {
  readonly type: (typeof NFT)[keyof typeof NFT];
  readonly flags: number;
  readonly attributes: Buffer;
}

/** The type of a message as netlink has it. */
export function nftType(type: number): number {
  return (SUBSYSTEM_NFTABLES << 8) | type;
}

/** `struct nfgenmsg` and what follows it. */
export function nftPayload(attributes: Buffer, protocol: NftProtocol): Buffer {
  return Buffer.concat([generic(NFT_PROTOCOL[protocol], 0), attributes]);
}

/**
 * Messages that are carried out together or not at all.
 *
 * @param firstSequence Of the first message; those after it follow.
 */
export function encodeNftBatch(
  messages: readonly NftMessage[],
  firstSequence: number,
  protocol: NftProtocol,
): Buffer {
  const frame = (type: number, sequence: number) =>
    message(type, NLM_F_REQUEST, sequence, generic(NFPROTO_UNSPEC, SUBSYSTEM_NFTABLES));
  return Buffer.concat([
    frame(BATCH_BEGIN, firstSequence),
    ...messages.map(({ type, flags, attributes }, index) =>
      message(
        nftType(type),
        NLM_F_REQUEST | NLM_F_ACK | flags,
        firstSequence + index,
        nftPayload(attributes, protocol),
      ),
    ),
    frame(BATCH_END, firstSequence + messages.length),
  ]);
}

function generic(family: number, resource: number): Buffer {
  return Buffer.from([family, 0, resource >> 8, resource & 0xff]);
}

function message(type: number, flags: number, sequence: number, payload: Buffer): Buffer {
  const bytes = Buffer.alloc(align(HEADER_BYTES + payload.length));
  cpuOrder.writeU32(bytes, HEADER_BYTES + payload.length, 0);
  cpuOrder.writeU16(bytes, type, 4);
  cpuOrder.writeU16(bytes, flags, 6);
  cpuOrder.writeU32(bytes, sequence, 8);
  payload.copy(bytes, HEADER_BYTES);
  return bytes;
}

/** An attribute with text that ends with NUL. */
export function nftText(type: number, text: string): Buffer {
  return encodeAttribute(type, Buffer.from(`${text}\0`));
}

/** An attribute with a number, which nf_tables has in network order. */
export function nftNumber(type: number, value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value | 0);
  return encodeAttribute(type, bytes);
}

/** An attribute of attributes. */
export function nftNest(type: number, ...attributes: readonly Buffer[]): Buffer {
  return encodeAttribute(type | NLA_F_NESTED, Buffer.concat(attributes));
}

/** One of a list. */
export function nftListElement(...attributes: readonly Buffer[]): Buffer {
  return nftNest(LIST_ELEMENT, ...attributes);
}

/** One step of a rule. */
export function nftExpression(name: string, ...attributes: readonly Buffer[]): Buffer {
  return nftListElement(nftText(1, name), nftNest(2, ...attributes));
}
