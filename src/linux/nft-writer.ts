import type { ParasausError } from "../foundation/index.ts";
import { ERRNO, kernelError } from "./kernel-error.ts";
import { cpuOrder, NLMSG_ERROR, splitMessages } from "./netlink-codec.ts";
import { type NetlinkTransport, openTransport } from "./netlink-transport.ts";
import { encodeNftBatch, NFT, type NftMessage, type NftProtocol, nftText } from "./nft-message.ts";

export const NETLINK_NETFILTER = 12;
const NLM_F_EXCL = 0x200;
export const NLM_F_CREATE = 0x400;
export const NLM_F_APPEND = 0x800;

/** Writes to nf_tables. */
export interface NftWriter extends Disposable {
  /**
   * Carries out all messages, or none.
   *
   * @throws ParasausError `KernelError`, `KernelUnsupported`
   */
  write(action: string, messages: readonly NftMessage[]): void;
  /**
   * Has the kernel get everything ready and then drop it.
   *
   * @param table One that the messages make.
   * @returns why it could not do it; undefined when it could
   */
  rehearse(action: string, messages: readonly NftMessage[], table: string): ParasausError | undefined;
  /** Batches that changed something. */
  readonly writeCount: number;
}

/** A message that the kernel did not carry out. */
interface Refusal {
  readonly sequence: number;
  /** Positive errno value. */
  readonly errno: number;
}

/** Opens a writer in the network namespace of this process. */
export function openNftWriter(protocol: NftProtocol): NftWriter {
  const transport = openTransport(NETLINK_NETFILTER, 0);
  let sequence = 0;
  let writeCount = 0;
  return {
    write(action, messages) {
      const refusal = send(action, messages);
      if (refusal) throw kernelError(action, refusal.errno);
      writeCount += 1;
    },
    rehearse(action, messages, table) {
      // What is there already cannot be made: with this the whole batch is dropped.
      const twice = { type: NFT.NEWTABLE, flags: NLM_F_CREATE | NLM_F_EXCL, attributes: nftText(1, table) };
      const refusal = send(action, [...messages, twice]);
      if (refusal?.sequence === sequence - 1 && refusal.errno === ERRNO.EEXIST) return undefined;
      return kernelError(action, refusal?.errno ?? ERRNO.EINVAL);
    },
    get writeCount() {
      return writeCount;
    },
    [Symbol.dispose]: () => transport[Symbol.dispose](),
  };

  function send(action: string, messages: readonly NftMessage[]): Refusal | undefined {
    const first = sequence + 1;
    sequence += messages.length + 1;
    transport.send(action, encodeNftBatch(messages, first, protocol));
    return firstRefusal(transport, action, first);
  }
}

/** The kernel has answered by now: of a batch with a mistake in it all answers come, the first says what is wrong. */
function firstRefusal(transport: NetlinkTransport, action: string, first: number): Refusal | undefined {
  let found: Refusal | undefined;
  for (;;) {
    const arrival = transport.receive("poll");
    if (arrival === -ERRNO.EAGAIN) return found;
    if (arrival === -ERRNO.EINTR) continue;
    if (typeof arrival === "number") throw kernelError(action, -arrival);
    found ??= refusalsIn(arrival).find(({ sequence }) => sequence >= first);
  }
}

function refusalsIn(datagram: Buffer): readonly Refusal[] {
  const errors = splitMessages(Buffer.from(datagram)).messages.filter(({ type }) => type === NLMSG_ERROR);
  const answers = errors.map(({ sequence, payload }) => ({ sequence, errno: -cpuOrder.readI32(payload, 0) }));
  return answers.filter(({ errno }) => errno !== 0);
}
