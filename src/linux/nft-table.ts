import { ParasausError } from "../foundation/index.ts";
import { ERRNO } from "./kernel-error.ts";
import { type NetlinkSocket, openNetlink, unlessMissing } from "./netlink.ts";
import { NLM_F_DUMP } from "./netlink-codec.ts";
import { NFT, type NftMessage, type NftProtocol, nftPayload, nftText, nftType } from "./nft-message.ts";
import { NETLINK_NETFILTER, type NftWriter, NLM_F_CREATE, openNftWriter } from "./nft-writer.ts";

/** NFNLGRP_NFTABLES, the seventh. */
const GROUP_NFTABLES = 0x40;
/** A batch must fit the send buffer that every process may have (`net.core.wmem_default`, 212,992 bytes). */
const MESSAGES_PER_BATCH = 16;

/** The ways to nf_tables. */
export interface NftChannels {
  readonly netlink: NetlinkSocket;
  readonly writer: NftWriter;
  /** Where the kernel tells of changes. */
  readonly news: NetlinkSocket;
}

/** A table of ours in nf_tables. Nobody else's is read or written. */
export interface NftTable extends Disposable {
  /** Why this kernel cannot have it, filled by these messages; undefined when it can. Nothing is changed. */
  whyNot(action: string, content: readonly NftMessage[]): string | undefined;
  /** Answers to a question about the table; undefined when it, or what was asked for, is not there. */
  ask(action: string, type: number, query: readonly Buffer[]): readonly Buffer[] | undefined;
  /** Whether any table of the machine may have changed since the last call, by whomever. */
  hasChanged(): boolean;
  /** Carries out messages, so many at a time that a batch fits. */
  write(what: string, messages: readonly NftMessage[]): void;
  /** Makes the table anew. */
  replace(content: readonly NftMessage[]): void;
  /** Takes the table away. */
  uninstall(): void;
  /** Batches that changed something, since it was opened. */
  readonly writeCount: number;
}

/** Opens the way to nf_tables in the network namespace of this process. */
function openNftChannels(protocol: NftProtocol): NftChannels {
  return {
    netlink: openNetlink(NETLINK_NETFILTER),
    writer: openNftWriter(protocol),
    news: openNetlink(NETLINK_NETFILTER, GROUP_NFTABLES),
  };
}

/**
 * Opens a table of this process's network namespace, also on a kernel that knows nothing of nf_tables: it says why not.
 *
 * @param name 1-255 letters, digits and underscores.
 * @param open How to reach nf_tables.
 */
export function openNftTable(
  name: string,
  protocol: NftProtocol,
  open: () => NftChannels = () => openNftChannels(protocol),
): NftTable {
  try {
    return createTable(name, protocol, open());
  } catch (failure) {
    if (failure instanceof ParasausError && failure.code === "KernelUnsupported") return refusing(failure);
    throw failure;
  }
}

function refusing(why: ParasausError): NftTable {
  const refuse = () => {
    throw why;
  };
  return {
    whyNot: () => why.message,
    ask: () => undefined,
    hasChanged: () => false,
    write: refuse,
    replace: refuse,
    uninstall: () => undefined,
    writeCount: 0,
    [Symbol.dispose]: () => undefined,
  };
}

function createTable(name: string, protocol: NftProtocol, { netlink, writer, news }: NftChannels): NftTable {
  const table: NftTable = {
    whyNot: (action, content) => writer.rehearse(action, [...deletion(name), ...content], name)?.message,
    ask(action, type, query) {
      const payload = nftPayload(Buffer.concat([nftText(1, name), ...query]), protocol);
      const answer = unlessMissing(
        () => netlink.request(`${action} of nf_tables "${name}"`, nftType(type), NLM_F_DUMP, payload),
        [ERRNO.ENOENT, ERRNO.EOPNOTSUPP, ERRNO.EPROTONOSUPPORT],
      );
      return answer?.map((message) => message.payload);
    },
    hasChanged() {
      const messages = news.receive();
      return messages === "overrun" || messages.length > 0;
    },
    write(what, messages) {
      for (let at = 0; at < messages.length; at += MESSAGES_PER_BATCH)
        writer.write(`${what} nf_tables "${name}"`, messages.slice(at, at + MESSAGES_PER_BATCH));
    },
    replace: (content) => table.write("make", [...deletion(name), ...content]),
    uninstall: () => table.write("remove", deletion(name)),
    get writeCount() {
      return writer.writeCount;
    },
    [Symbol.dispose]() {
      netlink[Symbol.dispose]();
      news[Symbol.dispose]();
      writer[Symbol.dispose]();
    },
  };
  return table;
}

/** Making it first lets it be removed also where there is none. */
function deletion(name: string): NftMessage[] {
  const attributes = nftText(1, name);
  return [
    { type: NFT.NEWTABLE, flags: NLM_F_CREATE, attributes },
    { type: NFT.DELTABLE, flags: 0, attributes },
  ];
}
