import { ParasausError } from "../foundation/index.ts";
import { ERRNO, errnoName, errnoOf, kernelError } from "./kernel-error.ts";
import { cString } from "./native.ts";
import type { MessageBatch } from "./netlink-batch.ts";
import {
  cpuOrder,
  decodeAttributes,
  encodeMessage,
  type NetlinkMessage,
  NLM_F_ACK,
  NLM_F_DUMP_INTR,
  NLM_F_MULTI,
  NLM_F_REQUEST,
  NLMSG_DONE,
  NLMSG_ERROR,
  splitMessages,
} from "./netlink-codec.ts";
import { type NetlinkTransport, openTransport } from "./netlink-transport.ts";

const NLMSGERR_ATTR_MSG = 1;
/** How often a question is asked whose answer was lost or mixes two states of the kernel. */
const ATTEMPTS = 5;

/** Families of netlink. */
export const NETLINK_ROUTE = 0;
export const NETLINK_SOCK_DIAG = 4;
export const NETLINK_GENERIC = 16;

/** A message of a batch that the kernel did not carry out. */
export interface NetlinkRefusal {
  /** Which one, from 0. */
  readonly index: number;
  /** Positive errno value. */
  readonly errno: number;
  /** What else the kernel said; empty when nothing. */
  readonly words: string;
}

/** A netlink socket in the network namespace of this process. */
export interface NetlinkSocket extends Disposable {
  /**
   * Sends one request and collects what the kernel answers, which it does at once. A question, which is a request without
   * NLM_F_ACK, is asked again over a new socket when its answer is lost, cut off or interrupted by a change.
   *
   * @param action For the error message: what is asked for.
   */
  request(action: string, type: number, flags: number, payload: Buffer): readonly NetlinkMessage[];
  /**
   * Has the kernel carry out all messages of the batch, in their order; one that is refused holds up no other.
   *
   * @throws ParasausError `KernelError` when answers are lost: what was carried out must then be read
   */
  requestAll(action: string, batch: MessageBatch): readonly NetlinkRefusal[];
  /** What has arrived by itself since the last call; "overrun" when the kernel had to throw messages away. */
  receive(): readonly NetlinkMessage[] | "overrun";
  /** How often a new socket was opened because answers were lost, since the start. */
  readonly resyncCount: number;
}

/** @param groups Bit mask of the multicast groups to join; 0 = none. */
export function openNetlink(family: number, groups = 0): NetlinkSocket {
  return new Conversation(() => openTransport(family, groups));
}

/** A conversation over the socket that `open` makes, and makes anew when answers were lost. */
export function converse(open: () => NetlinkTransport): NetlinkSocket {
  return new Conversation(open);
}

/** Why an answer cannot be used. */
interface Lost {
  readonly why: string;
}

class Conversation implements NetlinkSocket {
  readonly #open: () => NetlinkTransport;
  #transport: NetlinkTransport;
  #sequence = 0;
  #resyncCount = 0;

  constructor(open: () => NetlinkTransport) {
    this.#open = open;
    this.#transport = open();
  }

  get resyncCount(): number {
    return this.#resyncCount;
  }

  request(action: string, type: number, flags: number, payload: Buffer): readonly NetlinkMessage[] {
    const attempts = flags & NLM_F_ACK ? 1 : ATTEMPTS;
    for (let attempt = 1; ; attempt += 1) {
      this.#sequence += 1;
      this.#transport.send(action, encodeMessage(type, flags | NLM_F_REQUEST, this.#sequence, payload));
      const answer = this.#collectAnswer(action, this.#sequence);
      if (!("why" in answer)) return answer;
      this.#resync();
      if (attempt === attempts) throw lostAnswer(action, answer);
    }
  }

  requestAll(action: string, batch: MessageBatch): readonly NetlinkRefusal[] {
    const first = this.#sequence + 1;
    this.#sequence += batch.count;
    this.#transport.send(action, batch.seal(first));
    const answer = this.#collectRefusals(action, first, batch.count);
    if (!("why" in answer)) return answer;
    this.#resync();
    throw lostAnswer(action, answer);
  }

  receive(): readonly NetlinkMessage[] | "overrun" {
    const messages: NetlinkMessage[] = [];
    for (;;) {
      const arrival = this.#transport.receive("poll");
      if (arrival === -ERRNO.EAGAIN) return messages;
      if (arrival === -ERRNO.EINTR) continue;
      if (arrival === -ERRNO.ENOBUFS || arrival === -ERRNO.EMSGSIZE) return "overrun";
      if (typeof arrival === "number") throw kernelError("read from a netlink socket", -arrival);
      const arrived = splitWhole(arrival);
      if (arrived === undefined) return "overrun";
      messages.push(...arrived);
    }
  }

  [Symbol.dispose](): void {
    this.#transport[Symbol.dispose]();
  }

  /** Whatever is still on its way cannot arrive at a new socket. */
  #resync(): void {
    this.#transport[Symbol.dispose]();
    this.#transport = this.#open();
    this.#resyncCount += 1;
  }

  #collectAnswer(action: string, sequence: number): readonly NetlinkMessage[] | Lost {
    const answer: NetlinkMessage[] = [];
    for (;;) {
      const messages = this.#receiveFrom(action, sequence, sequence);
      if ("why" in messages) return messages;
      answer.push(...messages);
      const last = messages.at(-1);
      if (last && (isEnd(last) || (last.flags & NLM_F_MULTI) === 0)) return readAnswer(action, answer);
    }
  }

  #collectRefusals(action: string, first: number, count: number): readonly NetlinkRefusal[] | Lost {
    const last = first + count - 1;
    const refusals: NetlinkRefusal[] = [];
    for (;;) {
      const messages = this.#receiveFrom(action, first, last);
      if ("why" in messages) return messages;
      for (const message of messages.filter(({ type }) => type === NLMSG_ERROR)) {
        const errno = errnoIn(message);
        if (errno !== 0) refusals.push({ index: message.sequence - first, errno, words: wordsIn(message) });
        if (message.sequence === last) return refusals;
      }
    }
  }

  /** The next messages that answer one of the requests; those that answer an earlier one are passed over. */
  #receiveFrom(action: string, first: number, last: number): readonly NetlinkMessage[] | Lost {
    for (;;) {
      const arrival = this.#transport.receive("wait");
      if (arrival === -ERRNO.EINTR) continue;
      if (typeof arrival === "number") return whyNothingCame(action, -arrival);
      const messages = splitWhole(arrival);
      if (messages === undefined) return { why: `cut off after ${arrival.length} bytes` };
      const wrong = messages.find(({ sequence }) => sequence > last);
      if (wrong) return { why: `it has sequence number ${wrong.sequence}, expected ${last}` };
      const ours = messages.filter(({ sequence }) => sequence >= first);
      if (ours.length > 0) return ours;
    }
  }
}

/** @returns undefined when the datagram is not whole. */
function splitWhole(datagram: Buffer): readonly NetlinkMessage[] | undefined {
  const { messages, isWhole } = splitMessages(Buffer.from(datagram));
  return isWhole && datagram.length > 0 ? messages : undefined;
}

function whyNothingCame(action: string, errno: number): Lost {
  if (errno === ERRNO.EAGAIN) return { why: "none came within 2 s" };
  if (errno === ERRNO.ENOBUFS || errno === ERRNO.EMSGSIZE) return { why: errnoName(errno) };
  throw kernelError(action, errno);
}

/** The messages of an answer that is all there, without its end. */
function readAnswer(action: string, messages: readonly NetlinkMessage[]): readonly NetlinkMessage[] | Lost {
  const end = messages.find(isEnd);
  const errno = end ? errnoIn(end) : 0;
  const isInterrupted = messages.some(({ flags }) => (flags & NLM_F_DUMP_INTR) !== 0);
  if (isInterrupted || errno === ERRNO.EINTR) return { why: "what it tells changed meanwhile" };
  if (end && errno !== 0) throw kernelError(action, errno, wordsIn(end));
  return end ? messages.slice(0, messages.indexOf(end)) : messages;
}

function isEnd({ type }: NetlinkMessage): boolean {
  return type === NLMSG_DONE || type === NLMSG_ERROR;
}

function lostAnswer(action: string, { why }: Lost): ParasausError {
  return new ParasausError("KernelError", `Cannot ${action}: the kernel's answer was lost: ${why}`);
}

/** Positive errno value of NLMSG_ERROR or NLMSG_DONE; 0 = carried out. */
function errnoIn({ payload }: NetlinkMessage): number {
  return payload.length < 4 ? 0 : -cpuOrder.readI32(payload, 0);
}

/** What an extended acknowledgement says. */
function wordsIn({ type, payload }: NetlinkMessage): string {
  // struct nlmsgerr: the error, the request's header (payload capped or not), then attributes.
  if (type !== NLMSG_ERROR || payload.length < 20) return "";
  const requestBytes = cpuOrder.readU32(payload, 4);
  const attributes = [20, 4 + requestBytes].map((at) => decodeAttributes(payload.subarray(at)));
  const words = attributes.map((found) => found.get(NLMSGERR_ATTR_MSG)).find((text) => text !== undefined);
  return words === undefined ? "" : cString(words);
}

/** Runs `ask` and answers undefined where the kernel says that the object does not exist. */
export function unlessMissing<Answer>(ask: () => Answer, missing: readonly number[]): Answer | undefined {
  try {
    return ask();
  } catch (failure) {
    const errno = errnoOf(failure);
    if (errno !== undefined && missing.includes(errno)) return undefined;
    throw failure;
  }
}
