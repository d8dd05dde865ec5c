import { formatIpv4, formatIpv6, ParasausError, parseIpv4, parseIpv6 } from "../foundation/index.ts";
import { ERRNO } from "./kernel-error.ts";
import { unlessMissing } from "./netlink.ts";
import { eachAttribute, encodeAttribute } from "./netlink-codec.ts";
import {
  FIRST_REGISTER,
  inParts,
  NFT_TYPE,
  type NftTransport,
  nftData,
  nftElements,
  nftMaker,
  transportNumber,
  transportOf,
} from "./nft-content.ts";
import {
  NFT,
  type NftMessage,
  nftExpression,
  nftListElement,
  nftNest,
  nftNumber,
  nftText,
} from "./nft-message.ts";
import { type NftChannels, type NftTable, openNftTable } from "./nft-table.ts";
import { NLM_F_APPEND } from "./nft-writer.ts";

const CHAIN = "postrouting";
const SET = "services";
const SET_ID = 1;
/** Each part of a key takes registers of four bytes. */
const REGISTER_BYTES = 4;
const POSTROUTING = 4;
/** NF_IP_PRI_NAT_SRC. */
const PRIORITY = 100;
const DATA_VALUE = 1;

/** By family: the kind of its table, its addresses, and the part of a tracked connection that says what was asked for. */
const FAMILIES = {
  4: { protocol: "ip", addressType: NFT_TYPE.ipv4_addr, addressBytes: 4, conntrackKey: 20 },
  6: { protocol: "ip6", addressType: NFT_TYPE.ipv6_addr, addressBytes: 16, conntrackKey: 22 },
} as const;

/** A family of addresses that has a table of masqueraded services. */
export type MasqueradedFamily = keyof typeof FAMILIES;

/** Where clients connect to. */
export interface MasqueradedService {
  readonly protocol: NftTransport;
  /** IPv4, dotted quad, or IPv6 in canonical text, as the table's family is. */
  readonly ip: string;
  /** 1-65535. */
  readonly port: number;
}

/**
 * A table of ours in nf_tables: connections that were made to one of its services leave with this machine's address,
 * whatever else was done to their packets. Nobody else's table is read or written.
 */
export interface Masquerade extends Disposable {
  readonly family: MasqueradedFamily;
  /** Why this kernel cannot have such a table; undefined when it can. Nothing is changed. */
  whyNot(): string | undefined;
  /** The services that it has; undefined when the table is not there, or its rule not, or not alone. */
  list(): readonly MasqueradedService[] | undefined;
  /** Whether any table of the machine may have changed since the last call, by whomever. */
  hasChanged(): boolean;
  /** Makes the table anew, with these services. */
  install(services: readonly MasqueradedService[]): void;
  /** Those that it has already are passed over. */
  add(services: readonly MasqueradedService[]): void;
  /** Those that it does not have are passed over. */
  remove(services: readonly MasqueradedService[]): void;
  /** Takes the table away. */
  uninstall(): void;
  /** Batches that changed something, since it was opened. */
  readonly writeCount: number;
}

/**
 * Opens the table of this process's network namespace, also on a kernel that knows nothing of nf_tables: it says why not.
 *
 * @param name Its name: 1-255 letters, digits and underscores.
 * @param family Whose connections it has; those of the other family have a table of the same name.
 * @param open How to reach nf_tables.
 */
export function openMasquerade(
  name: string,
  family: MasqueradedFamily,
  open?: () => NftChannels,
): Masquerade {
  return createMasquerade(name, family, openNftTable(name, FAMILIES[family].protocol, open));
}

function createMasquerade(name: string, family: MasqueradedFamily, table: NftTable): Masquerade {
  const content = installation(name, family);
  return {
    family,
    whyNot: () => table.whyNot("translate addresses with nf_tables", content),
    list() {
      const rules = table.ask("list rules", NFT.GETRULE, [nftText(2, CHAIN)]);
      if (rules?.length !== 1) return undefined;
      return table
        .ask("list services", NFT.GETSETELEM, [nftText(2, SET)])
        ?.flatMap((payload) => decodeElements(payload, family));
    },
    hasChanged: () => table.hasChanged(),
    install: (services) => table.replace([...content, ...elements(NFT.NEWSETELEM, services)]),
    add: (services) => table.write("add services to", elements(NFT.NEWSETELEM, services)),
    remove(services) {
      for (const part of inParts(services))
        if (!removeAll(part)) for (const service of part) removeAll([service]);
    },
    uninstall: () => table.uninstall(),
    get writeCount() {
      return table.writeCount;
    },
    [Symbol.dispose]: () => table[Symbol.dispose](),
  };

  /** @returns false when some are not there: then none was removed. */
  function removeAll(services: readonly MasqueradedService[]): boolean {
    const isDone = unlessMissing(() => {
      table.write("remove services from", elements(NFT.DELSETELEM, services));
      return true;
    }, [ERRNO.ENOENT]);
    return isDone ?? false;
  }

  function elements(
    type: typeof NFT.NEWSETELEM | typeof NFT.DELSETELEM,
    services: readonly MasqueradedService[],
  ) {
    return nftElements(
      type,
      { table: name, set: SET },
      services.map((service) => encodeElement(service, family)),
    );
  }
}

function installation(table: string, family: MasqueradedFamily): NftMessage[] {
  const make = nftMaker(table);
  const { addressType } = FAMILIES[family];
  const keyType = (addressType << 12) | (NFT_TYPE.inet_proto << 6) | NFT_TYPE.inet_service;
  const hook = nftNest(4, nftNumber(1, POSTROUTING), nftNumber(2, PRIORITY));
  const key = [nftNumber(3, 0), nftNumber(4, keyType), nftNumber(5, keyBytes(family))];
  return [
    make(NFT.NEWTABLE, 0),
    make(NFT.NEWCHAIN, 0, nftText(3, CHAIN), hook, nftText(7, "nat")),
    make(NFT.NEWSET, 0, nftText(2, SET), ...key, nftNumber(10, SET_ID)),
    make(NFT.NEWRULE, NLM_F_APPEND, nftText(2, CHAIN), nftNest(4, ...rule(family))),
  ];
}

/** The address, the protocol, and the port. */
function keyBytes(family: MasqueradedFamily): number {
  return FAMILIES[family].addressBytes + 2 * REGISTER_BYTES;
}

/** `ct original ip daddr . meta l4proto . ct original proto-dst @services masquerade`, or `ip6 daddr`. */
function rule(family: MasqueradedFamily): readonly Buffer[] {
  const { addressBytes, conntrackKey } = FAMILIES[family];
  const next = FIRST_REGISTER + addressBytes / REGISTER_BYTES;
  const original = encodeAttribute(3, Buffer.from([0]));
  const conntrack = (key: number, register: number) =>
    nftExpression("ct", nftNumber(1, register), nftNumber(2, key), original);
  const CT_PROTO_DST = 12;
  const META_L4PROTO = 16;
  return [
    conntrack(conntrackKey, FIRST_REGISTER),
    nftExpression("meta", nftNumber(1, next), nftNumber(2, META_L4PROTO)),
    conntrack(CT_PROTO_DST, next + 1),
    nftExpression("lookup", nftText(1, SET), nftNumber(2, FIRST_REGISTER), nftNumber(4, SET_ID)),
    nftExpression("masq"),
  ];
}

function encodeElement({ protocol, ip, port }: MasqueradedService, family: MasqueradedFamily): Buffer {
  const rest = Buffer.alloc(2 * REGISTER_BYTES);
  rest.writeUInt8(transportNumber(protocol));
  rest.writeUInt16BE(port, REGISTER_BYTES);
  return nftListElement(nftData(1, Buffer.concat([encodeAddress(ip, family), rest])));
}

function encodeAddress(ip: string, family: MasqueradedFamily): Buffer {
  const address = family === 6 ? parseIpv6(ip) : parseIpv4(ip);
  if (address === undefined)
    throw new ParasausError("BadRequest", `Cannot masquerade "${ip}": it is no IPv${family} address`);
  if (typeof address !== "number") return address;
  const bytes = Buffer.alloc(REGISTER_BYTES);
  bytes.writeUInt32BE(address);
  return bytes;
}

/** Without a map for each: of 35,000 services that shows. */
function decodeElements(payload: Buffer, family: MasqueradedFamily): readonly MasqueradedService[] {
  const services: MasqueradedService[] = [];
  const within = (wanted: number, visit: (at: number, end: number) => void) => (at: number, end: number) =>
    eachAttribute(payload, at, end, (type, from, to) => {
      if (type === wanted) visit(from, to);
    });
  const takeKey = (at: number, end: number) => {
    if (end - at !== keyBytes(family)) return;
    const rest = at + FAMILIES[family].addressBytes;
    const ip = family === 6 ? formatIpv6(payload.subarray(at, rest)) : formatIpv4(payload.readUInt32BE(at));
    const port = payload.readUInt16BE(rest + REGISTER_BYTES);
    services.push({ protocol: transportOf(payload[rest]), ip, port });
  };
  const takeList = within(1, within(1, within(DATA_VALUE, takeKey)));
  within(3, takeList)(4, payload.length);
  return services;
}
