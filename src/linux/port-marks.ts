import { formatIpv4, formatIpv6, ParasausError, parseIpv4, parseIpv6 } from "../foundation/index.ts";
import { cpuOrder, eachAttribute, encodeAttribute } from "./netlink-codec.ts";
import {
  FIRST_REGISTER,
  type NftTransport,
  nftData,
  nftElements,
  nftMaker,
  NFT_TYPE as TYPE,
  transportNumber,
  transportOf,
} from "./nft-content.ts";
import {
  NFT,
  NFT_PROTOCOL,
  type NftMessage,
  nftExpression,
  nftListElement,
  nftNest,
  nftNumber,
  nftText,
} from "./nft-message.ts";
import { type NftChannels, openNftTable } from "./nft-table.ts";
import { NLM_F_APPEND } from "./nft-writer.ts";

/** Packets that arrive, and those that this machine sends itself. */
const CHAINS = { prerouting: 0, output: 3 } as const;
/** Right after NF_IP_PRI_NAT_DST: when everybody else has marked and translated, and before IPVS looks. */
const PRIORITY = -99;
const REGISTER_BYTES = 4;
/** NFT_SET_INTERVAL, NFT_SET_MAP and NFT_SET_CONCAT. */
const RANGES_TO_MARKS = 0x8c;
const ELEMENT = { key: 1, value: 2, keyEnd: 10 } as const;
const DATA_VALUE = 1;

/** By family: the map of its addresses. */
const MAPS = {
  4: { name: "ranges4", id: 1, addressType: TYPE.ipv4_addr, addressBytes: 4, at: 16, protocol: "ip" },
  6: { name: "ranges6", id: 2, addressType: TYPE.ipv6_addr, addressBytes: 16, at: 24, protocol: "ip6" },
} as const;

type Family = keyof typeof MAPS;

/** Packets to these ports of an address, and the mark that they get. */
export interface PortMark {
  readonly protocol: NftTransport;
  /** IPv4, dotted quad, or IPv6 in canonical text. */
  readonly ip: string;
  /** First port, 1-65535. */
  readonly port: number;
  /** Last port, included, 1-65535. */
  readonly lastPort: number;
  /** 1-4294967295. */
  readonly mark: number;
}

/** A table of ours in nf_tables that marks packets by address and range of ports. Nobody else's table is read or written. */
export interface PortMarks extends Disposable {
  /** Why this kernel cannot have such a table; undefined when it can. Nothing is changed. */
  whyNot(): string | undefined;
  /** What it marks; undefined when the table is not there, or its rules not, or not alone. */
  list(): readonly PortMark[] | undefined;
  /** Whether any table of the machine may have changed since the last call, by whomever. */
  hasChanged(): boolean;
  /** Makes the table anew, with these. */
  install(marks: readonly PortMark[]): void;
  /** Takes some that it has away and adds others, at once as long as they are few thousands. */
  change(gone: readonly PortMark[], fresh: readonly PortMark[]): void;
  /** Takes the table away. */
  uninstall(): void;
  /** Batches that changed something, since it was opened. */
  readonly writeCount: number;
}

/**
 * Opens the table of this process's network namespace, also on a kernel that knows nothing of nf_tables: it says why not.
 *
 * @param name Its name: 1-255 letters, digits and underscores. It is of kind `inet`.
 * @param open How to reach nf_tables.
 */
export function openPortMarks(name: string, open?: () => NftChannels): PortMarks {
  const table = openNftTable(name, "inet", open);
  const content = installation(name);
  return {
    whyNot: () => table.whyNot("mark packets with nf_tables", content),
    list() {
      const counts = Object.keys(CHAINS).map(
        (chain) => table.ask("list rules", NFT.GETRULE, [nftText(2, chain)])?.length,
      );
      if (counts.some((count) => count !== Object.keys(MAPS).length)) return undefined;
      const answers = Object.values(MAPS).map((map) =>
        table.ask("list ranges", NFT.GETSETELEM, [nftText(2, map.name)]),
      );
      return answers.flatMap((payloads) => (payloads ?? []).flatMap(decodeElements));
    },
    hasChanged: () => table.hasChanged(),
    install: (marks) => table.replace([...content, ...elements(name, NFT.NEWSETELEM, marks)]),
    change: (gone, fresh) =>
      table.write("change", [
        ...elements(name, NFT.DELSETELEM, gone),
        ...elements(name, NFT.NEWSETELEM, fresh),
      ]),
    uninstall: () => table.uninstall(),
    get writeCount() {
      return table.writeCount;
    },
    [Symbol.dispose]: () => table[Symbol.dispose](),
  };
}

function installation(table: string): NftMessage[] {
  const make = nftMaker(table);
  const families = Object.keys(MAPS).map((family) => (family === "6" ? 6 : 4));
  return [
    make(NFT.NEWTABLE, 0),
    ...families.map((family) => make(NFT.NEWSET, 0, ...mapAttributes(family))),
    ...Object.entries(CHAINS).flatMap(([chain, hook]) => [
      make(
        NFT.NEWCHAIN,
        0,
        nftText(3, chain),
        nftNest(4, nftNumber(1, hook), nftNumber(2, PRIORITY)),
        nftText(7, "filter"),
      ),
      ...families.map((family) =>
        make(NFT.NEWRULE, NLM_F_APPEND, nftText(2, chain), nftNest(4, ...rule(family))),
      ),
    ]),
  ];
}

/** `type ipv4_addr . inet_proto . inet_service : mark; flags interval`. */
function mapAttributes(family: Family): readonly Buffer[] {
  const { name, id, addressType, addressBytes } = MAPS[family];
  const fields = [addressBytes, 1, 2].map((bytes) => nftListElement(nftNumber(1, bytes)));
  return [
    nftText(2, name),
    nftNumber(3, RANGES_TO_MARKS),
    nftNumber(4, (addressType << 12) | (TYPE.inet_proto << 6) | TYPE.inet_service),
    nftNumber(5, addressBytes + 2 * REGISTER_BYTES),
    nftNumber(6, TYPE.mark),
    nftNumber(7, REGISTER_BYTES),
    nftNest(9, nftNest(2, ...fields)),
    nftNumber(10, id),
    encodeAttribute(13, hostOrderNote()),
  ];
}

/** What nft(8) keeps with a map to print it: NFTNL_UDATA_SET_DATABYTEORDER, four bytes, BYTEORDER_HOST_ENDIAN. */
function hostOrderNote(): Buffer {
  const note = Buffer.from([1, 4, 0, 0, 0, 0]);
  cpuOrder.writeU32(note, 1, 2);
  return note;
}

/** `meta nfproto ipv4 meta mark set ip daddr . meta l4proto . th dport map @ranges4`. */
function rule(family: Family): readonly Buffer[] {
  const { name, id, addressBytes, at, protocol } = MAPS[family];
  const [META_MARK, META_NFPROTO, META_L4PROTO] = [3, 15, 16];
  const [NETWORK_HEADER, TRANSPORT_HEADER] = [1, 2];
  const next = FIRST_REGISTER + addressBytes / REGISTER_BYTES;
  const payload = (register: number, base: number, offset: number, bytes: number) =>
    nftExpression(
      "payload",
      ...[nftNumber(1, register), nftNumber(2, base), nftNumber(3, offset), nftNumber(4, bytes)],
    );
  const family4or6 = nftData(3, Buffer.from([NFT_PROTOCOL[protocol]]));
  return [
    nftExpression("meta", nftNumber(2, META_NFPROTO), nftNumber(1, FIRST_REGISTER)),
    nftExpression("cmp", nftNumber(1, FIRST_REGISTER), nftNumber(2, 0), family4or6),
    payload(FIRST_REGISTER, NETWORK_HEADER, at, addressBytes),
    nftExpression("meta", nftNumber(2, META_L4PROTO), nftNumber(1, next)),
    payload(next + 1, TRANSPORT_HEADER, 2, 2),
    nftExpression(
      "lookup",
      ...[nftText(1, name), nftNumber(2, FIRST_REGISTER), nftNumber(3, FIRST_REGISTER), nftNumber(4, id)],
    ),
    nftExpression("meta", nftNumber(2, META_MARK), nftNumber(3, FIRST_REGISTER)),
  ];
}

function elements(
  table: string,
  type: typeof NFT.NEWSETELEM | typeof NFT.DELSETELEM,
  marks: readonly PortMark[],
): NftMessage[] {
  return Object.entries(MAPS).flatMap(([family, { name: set }]) => {
    const own = marks.filter(({ ip }) => (parseIpv6(ip) ? "6" : "4") === family);
    return nftElements(type, { table, set }, own.map(encodeElement));
  });
}

function encodeElement(range: PortMark): Buffer {
  const { port, lastPort, mark } = range;
  const value = Buffer.alloc(REGISTER_BYTES);
  cpuOrder.writeU32(value, mark, 0);
  return nftListElement(
    nftData(ELEMENT.key, encodeKey(range, port)),
    nftData(ELEMENT.keyEnd, encodeKey(range, lastPort)),
    nftData(ELEMENT.value, value),
  );
}

function encodeKey({ ip, protocol }: PortMark, port: number): Buffer {
  const rest = Buffer.alloc(2 * REGISTER_BYTES);
  rest.writeUInt8(transportNumber(protocol), 0);
  rest.writeUInt16BE(port, REGISTER_BYTES);
  const ipv6 = parseIpv6(ip);
  if (ipv6) return Buffer.concat([ipv6, rest]);
  const address = parseIpv4(ip);
  if (address === undefined)
    throw new ParasausError("BadRequest", `Cannot mark packets to "${ip}": it is no IP address`);
  const bytes = Buffer.alloc(REGISTER_BYTES);
  bytes.writeUInt32BE(address);
  return Buffer.concat([bytes, rest]);
}

function decodeElements(payload: Buffer): readonly PortMark[] {
  const marks: PortMark[] = [];
  eachAttribute(payload, 4, payload.length, (type, at, end) => {
    if (type !== 3) return;
    eachAttribute(payload, at, end, (_type, from, to) => {
      const mark = decodeElement(payload, from, to);
      if (mark) marks.push(mark);
    });
  });
  return marks;
}

function decodeElement(payload: Buffer, from: number, to: number): PortMark | undefined {
  const parts = new Map<number, Buffer>();
  eachAttribute(payload, from, to, (part, at, end) =>
    eachAttribute(payload, at, end, (type, first, last) => {
      if (type === DATA_VALUE) parts.set(part, payload.subarray(first, last));
    }),
  );
  const [key, value] = [parts.get(ELEMENT.key), parts.get(ELEMENT.value)];
  if (!key || !value) return undefined;
  const keyEnd = parts.get(ELEMENT.keyEnd) ?? key;
  const rest = key.length - 2 * REGISTER_BYTES;
  return {
    protocol: transportOf(key[rest]),
    ip: rest === REGISTER_BYTES ? formatIpv4(key.readUInt32BE()) : formatIpv6(key),
    port: key.readUInt16BE(rest + REGISTER_BYTES),
    lastPort: keyEnd.readUInt16BE(rest + REGISTER_BYTES),
    mark: cpuOrder.readU32(value, 0),
  };
}
