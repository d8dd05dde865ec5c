import { encodeAttribute } from "./netlink-codec.ts";
import { NFT, type NftMessage, nftNest, nftText } from "./nft-message.ts";
import { NLM_F_CREATE } from "./nft-writer.ts";

/** What tables of ours in nf_tables have in common: keys with a protocol, and sets of thousands of elements. */

const ELEMENTS_PER_MESSAGE = 200;
const DATA_VALUE = 1;

/** The first register that keys are put together in; each is of four bytes. */
export const FIRST_REGISTER = 8;

/** How nft(8) names the types of parts of a key, six bits each, and of a mark. */
export const NFT_TYPE = { ipv4_addr: 7, ipv6_addr: 8, inet_proto: 12, inet_service: 13, mark: 19 } as const;

const NUMBERS = { TCP: 6, UDP: 17, SCTP: 132 } as const;
const PROTOCOLS = ["TCP", "UDP", "SCTP"] as const;

/** A transport protocol that services have. */
export type NftTransport = keyof typeof NUMBERS;

/** Its number in the IP header. */
export function transportNumber(protocol: NftTransport): number {
  return NUMBERS[protocol];
}

/** The reverse of {@link transportNumber}. */
export function transportOf(number: number | undefined): NftTransport {
  return PROTOCOLS.find((each) => NUMBERS[each] === number) ?? "TCP";
}

/** A value inside the attribute of that type. */
export function nftData(type: number, value: Buffer): Buffer {
  return nftNest(type, encodeAttribute(DATA_VALUE, value));
}

/** What makes messages that make parts of a table. */
export function nftMaker(table: string) {
  return (type: NftMessage["type"], flags: number, ...attributes: readonly Buffer[]): NftMessage => ({
    type,
    flags: NLM_F_CREATE | flags,
    attributes: Buffer.concat([nftText(1, table), ...attributes]),
  });
}

/** Messages that put elements into a set or a map of a table, or take them out. */
export function nftElements(
  type: typeof NFT.NEWSETELEM | typeof NFT.DELSETELEM,
  { table, set }: { readonly table: string; readonly set: string },
  elements: readonly Buffer[],
): NftMessage[] {
  const flags = type === NFT.NEWSETELEM ? NLM_F_CREATE : 0;
  return inParts(elements).map((part) => ({
    type,
    flags,
    attributes: Buffer.concat([nftText(1, table), nftText(2, set), nftNest(3, ...part)]),
  }));
}

/** As many at a time as one message takes. */
export function inParts<Item>(items: readonly Item[]): (readonly Item[])[] {
  const count = Math.ceil(items.length / ELEMENTS_PER_MESSAGE);
  return Array.from({ length: count }, (_, index) =>
    items.slice(index * ELEMENTS_PER_MESSAGE, (index + 1) * ELEMENTS_PER_MESSAGE),
  );
}
