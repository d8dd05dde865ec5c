import { closeSync } from "node:fs";
import { ERRNO, errnoOf, kernelError } from "./kernel-error.ts";
import { callLibc, loadLibc } from "./libc.ts";
import { cString, lastErrno } from "./native.ts";
import {
  cpuOrder,
  decodeAttributes,
  decodeMessages,
  encodeMessage,
  type NetlinkMessage,
  NLM_F_REQUEST,
  NLMSG_DONE,
  NLMSG_ERROR,
} from "./netlink-codec.ts";

const AF_NETLINK = 16;
const SOCK_RAW = 3;
const SOCK_CLOEXEC = 0o2000000;
const SOL_SOCKET = 1;
const SO_RCVTIMEO = 20;
const SO_RCVBUF = 8;
const SOL_NETLINK = 270;
const NETLINK_EXT_ACK = 11;
const MSG_DONTWAIT = 0x40;
const ANSWER_SECONDS = 2n;
const RECEIVE_BYTES = 32 * 1024;
const NLMSGERR_ATTR_MSG = 1;

/** Families of netlink. */
export const NETLINK_ROUTE = 0;
export const NETLINK_SOCK_DIAG = 4;

/** A netlink socket in the network namespace of this process. */
export interface NetlinkSocket extends Disposable {
  /**
   * Sends one request and collects what the kernel answers, which it does at once.
   *
   * @param action For the error message: what is asked for.
   */
  request(action: string, type: number, flags: number, payload: Buffer): readonly NetlinkMessage[];
  /** What has arrived by itself since the last call; "overrun" when the kernel had to throw messages away. */
  receive(): readonly NetlinkMessage[] | "overrun";
}

/** @param groups Bit mask of the multicast groups to join; 0 = none. */
export function openNetlink(family: number, groups = 0): NetlinkSocket {
  const libc = loadLibc();
  const fd = callLibc("open a netlink socket", () =>
    libc.socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, family),
  );
  configure(fd, groups);
  const bytes = Buffer.alloc(RECEIVE_BYTES);
  let sequence = 0;
  return {
    request(action, type, flags, payload) {
      sequence += 1;
      const message = encodeMessage(type, flags | NLM_F_REQUEST, sequence, payload);
      callLibc(action, () => libc.sendto(fd, message, message.length, 0, null, 0));
      return collectAnswer(fd, bytes, action, sequence);
    },
    receive: () => receiveWaiting(fd, bytes),
    [Symbol.dispose]: () => closeSync(fd),
  };
}

function configure(fd: number, groups: number): void {
  const libc = loadLibc();
  const address = Buffer.alloc(12);
  cpuOrder.writeU16(address, AF_NETLINK, 0);
  cpuOrder.writeU32(address, groups, 8);
  callLibc("bind a netlink socket", () => libc.bind(fd, address, address.length));
  const timeout = Buffer.from(BigInt64Array.of(ANSWER_SECONDS, 0n).buffer);
  callLibc("set a netlink time-out", () =>
    libc.setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, timeout, timeout.length),
  );
  const room = Buffer.from(Int32Array.of(4 * 1024 * 1024).buffer);
  libc.setsockopt(fd, SOL_SOCKET, SO_RCVBUF, room, room.length);
  const on = Buffer.from(Int32Array.of(1).buffer);
  libc.setsockopt(fd, SOL_NETLINK, NETLINK_EXT_ACK, on, on.length);
}

function collectAnswer(
  fd: number,
  bytes: Buffer,
  action: string,
  sequence: number,
): readonly NetlinkMessage[] {
  const answer: NetlinkMessage[] = [];
  for (;;) {
    const length = callLibc(action, () => loadLibc().recv(fd, bytes, bytes.length, 0));
    const messages = decodeMessages(Buffer.from(bytes.subarray(0, length)));
    const ours = messages.filter((message) => message.sequence === sequence);
    const end = ours.find(({ type }) => type === NLMSG_DONE || type === NLMSG_ERROR);
    if (end?.type === NLMSG_ERROR) throwUnlessAcknowledged(action, end.payload);
    answer.push(...(end === undefined ? ours : ours.slice(0, ours.indexOf(end))));
    if (end !== undefined || !isMultipart(bytes)) return answer;
  }
}

/** NLM_F_MULTI of the first message: more follows until NLMSG_DONE. */
function isMultipart(bytes: Buffer): boolean {
  return (cpuOrder.readU16(bytes, 6) & 2) !== 0;
}

function throwUnlessAcknowledged(action: string, payload: Buffer): void {
  const errno = -cpuOrder.readI32(payload, 0);
  if (errno === 0) return;
  // struct nlmsgerr: the error, the request's header (payload capped or not), then attributes.
  const requestBytes = cpuOrder.readU32(payload, 4);
  const attributes = [20, 4 + requestBytes].map((at) => decodeAttributes(payload.subarray(at)));
  const words = attributes.map((found) => found.get(NLMSGERR_ATTR_MSG)).find((text) => text !== undefined);
  throw kernelError(action, errno, words === undefined ? "" : cString(words));
}

function receiveWaiting(fd: number, bytes: Buffer): readonly NetlinkMessage[] | "overrun" {
  const messages: NetlinkMessage[] = [];
  for (;;) {
    const length = loadLibc().recv(fd, bytes, bytes.length, MSG_DONTWAIT);
    if (length > 0) {
      messages.push(...decodeMessages(Buffer.from(bytes.subarray(0, length))));
      continue;
    }
    const errno = lastErrno();
    if (errno === ERRNO.EAGAIN) return messages;
    if (errno === ERRNO.ENOBUFS) return "overrun";
    if (errno !== ERRNO.EINTR) throw kernelError("read from a netlink socket", errno);
  }
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
