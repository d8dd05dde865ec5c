import { formatIpv4, ParasausError, parseIpv4 } from "../foundation/index.ts";
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
const KEY_TYPE = (NFT_TYPE.ipv4_addr << 12) | (NFT_TYPE.inet_proto << 6) | NFT_TYPE.inet_service;
/** Each part takes a register of four bytes. */
const KEY_BYTES = 12;
const POSTROUTING = 4;
/** NF_IP_PRI_NAT_SRC. */
const PRIORITY = 100;
const DATA_VALUE = 1;

/** Where clients connect to. */
export interface MasqueradedService {
  readonly protocol: NftTransport;
  /** IPv4. */
  readonly ip: string;
  /** 1-65535. */
  readonly port: number;
}

/**
 * A table of ours in nf_tables: connections that were made to one of its services leave with this machine's address,
 * whatever else was done to their packets. Nobody else's table is read or written.
 */
export interface Masquerade extends Disposable {
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
 * @param open How to reach nf_tables.
 */
export function openMasquerade(name: string, open?: () => NftChannels): Masquerade {
  return createMasquerade(name, openNftTable(name, "ip", open));
}

function createMasquerade(name: string, table: NftTable): Masquerade {
  const content = installation(name);
  return {
    whyNot: () => table.whyNot("translate addresses with nf_tables", content),
    list() {
      const rules = table.ask("list rules", NFT.GETRULE, [nftText(2, CHAIN)]);
      if (rules?.length !== 1) return undefined;
      return table.ask("list services", NFT.GETSETELEM, [nftText(2, SET)])?.flatMap(decodeElements);
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
    return nftElements(type, { table: name, set: SET }, services.map(encodeElement));
  }
}

function installation(table: string): NftMessage[] {
  const make = nftMaker(table);
  const hook = nftNest(4, nftNumber(1, POSTROUTING), nftNumber(2, PRIORITY));
  const key = [nftNumber(3, 0), nftNumber(4, KEY_TYPE), nftNumber(5, KEY_BYTES)];
  return [
    make(NFT.NEWTABLE, 0),
    make(NFT.NEWCHAIN, 0, nftText(3, CHAIN), hook, nftText(7, "nat")),
    make(NFT.NEWSET, 0, nftText(2, SET), ...key, nftNumber(10, SET_ID)),
    make(NFT.NEWRULE, NLM_F_APPEND, nftText(2, CHAIN), nftNest(4, ...rule())),
  ];
}

/** `ct original ip daddr . meta l4proto . ct original proto-dst @services masquerade`. */
function rule(): readonly Buffer[] {
  const original = encodeAttribute(3, Buffer.from([0]));
  const conntrack = (key: number, register: number) =>
    nftExpression("ct", nftNumber(1, register), nftNumber(2, key), original);
  const CT_PROTO_DST = 12;
  const CT_DST_IP = 20;
  const META_L4PROTO = 16;
  return [
    conntrack(CT_DST_IP, FIRST_REGISTER),
    nftExpression("meta", nftNumber(1, FIRST_REGISTER + 1), nftNumber(2, META_L4PROTO)),
    conntrack(CT_PROTO_DST, FIRST_REGISTER + 2),
    nftExpression("lookup", nftText(1, SET), nftNumber(2, FIRST_REGISTER), nftNumber(4, SET_ID)),
    nftExpression("masq"),
  ];
}

function encodeElement({ protocol, ip, port }: MasqueradedService): Buffer {
  const address = parseIpv4(ip);
  if (address === undefined)
    throw new ParasausError("BadRequest", `Cannot masquerade "${ip}": it is no IPv4 address`);
  const key = Buffer.alloc(KEY_BYTES);
  key.writeUInt32BE(address, 0);
  key.writeUInt8(transportNumber(protocol), 4);
  key.writeUInt16BE(port, 8);
  return nftListElement(nftData(1, key));
}

/** Without a map for each: of 35,000 services that shows. */
function decodeElements(payload: Buffer): readonly MasqueradedService[] {
  const services: MasqueradedService[] = [];
  const within = (wanted: number, visit: (at: number, end: number) => void) => (at: number, end: number) =>
    eachAttribute(payload, at, end, (type, from, to) => {
      if (type === wanted) visit(from, to);
    });
  const takeKey = (at: number, end: number) => {
    if (end - at !== KEY_BYTES) return;
    const protocol = transportOf(payload[at + 4]);
    services.push({ protocol, ip: formatIpv4(payload.readUInt32BE(at)), port: payload.readUInt16BE(at + 8) });
  };
  const takeList = within(1, within(1, within(DATA_VALUE, takeKey)));
  within(3, takeList)(4, payload.length);
  return services;
}
