import { closeSync } from "node:fs";
import { ERRNO } from "./kernel-error.ts";
import { callLibc, loadLibc } from "./libc.ts";
import { addressOf, lastErrno } from "./native.ts";
import { cpuOrder } from "./netlink-codec.ts";

const AF_NETLINK = 16;
const SOCK_RAW = 3;
const SOCK_CLOEXEC = 0o2000000;
const SOL_SOCKET = 1;
const SO_RCVTIMEO = 20;
const SO_RCVBUF = 8;
const SO_RCVBUFFORCE = 33;
const SOL_NETLINK = 270;
const NETLINK_CAP_ACK = 10;
const NETLINK_EXT_ACK = 11;
const MSG_TRUNC = 0x20;
const MSG_DONTWAIT = 0x40;
const MSG_WAITFORONE = 0x10000;
const ANSWER_SECONDS = 2n;
/** The kernel fills no larger datagram (`max_recvmsg_len` in net/netlink/af_netlink.c). */
const DATAGRAM_BYTES = 32 * 1024;
/** Datagrams that one system call takes: a short list and its end, or a part of a long one. */
const DATAGRAM_COUNT = 4;
/** `struct mmsghdr` of 64-bit machines: `struct msghdr`, length, padding. */
const MMSGHDR_BYTES = 64;
const IOVEC_BYTES = 16;
const ROOM_BYTES = 4 * 1024 * 1024;

/** What a conversation needs of a netlink socket. */
export interface NetlinkTransport extends Disposable {
  /** Hands one datagram to the kernel, which has carried out what it says when this returns. */
  send(action: string, datagram: Buffer): void;
  /**
   * Takes the next datagram, which stays as it is until the next call.
   *
   * @param mode `wait` waits two seconds for it.
   * @returns the datagram, or the negative errno value: EMSGSIZE when it was cut off.
   */
  receive(mode: "wait" | "poll"): Buffer | number;
}

/**
 * Opens a netlink socket in the network namespace of this process.
 *
 * @param groups Bit mask of the multicast groups to join; 0 = none.
 */
export function openTransport(family: number, groups: number): NetlinkTransport {
  const libc = loadLibc();
  const fd = callLibc("open a netlink socket", () =>
    libc.socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, family),
  );
  configure(fd, groups);
  return {
    send(action, datagram) {
      callLibc(action, () => libc.sendto(fd, datagram, datagram.length, 0, null, 0));
    },
    receive: createReceiver(fd),
    [Symbol.dispose]: () => closeSync(fd),
  };
}

/** Takes several datagrams in one system call and hands them out one by one. */
function createReceiver(fd: number): NetlinkTransport["receive"] {
  const slots = Array.from({ length: DATAGRAM_COUNT }, () => Buffer.allocUnsafeSlow(DATAGRAM_BYTES));
  const headers = Buffer.alloc(DATAGRAM_COUNT * (MMSGHDR_BYTES + IOVEC_BYTES));
  const words = new BigUint64Array(headers.buffer, headers.byteOffset, headers.length / 8);
  const lengths = new Uint32Array(headers.buffer, headers.byteOffset, headers.length / 4);
  for (const [index, slot] of slots.entries()) {
    const vector = (DATAGRAM_COUNT * MMSGHDR_BYTES + index * IOVEC_BYTES) / 8;
    words[vector] = addressOf(slot);
    words[vector + 1] = BigInt(DATAGRAM_BYTES);
    words[(index * MMSGHDR_BYTES) / 8 + 2] = addressOf(headers) + BigInt(vector * 8);
    words[(index * MMSGHDR_BYTES) / 8 + 3] = 1n;
  }
  let next = 0;
  let count = 0;
  return (mode) => {
    if (next === count) {
      const flags = MSG_TRUNC | (mode === "poll" ? MSG_DONTWAIT : MSG_WAITFORONE);
      const result = loadLibc().recvmmsg(fd, headers, DATAGRAM_COUNT, flags, null);
      if (result < 0) return -lastErrno();
      next = 0;
      count = result;
    }
    const length = lengths[(next * MMSGHDR_BYTES + 56) / 4] ?? 0;
    const slot = slots[next] ?? Buffer.alloc(0);
    next += 1;
    return length > DATAGRAM_BYTES ? -ERRNO.EMSGSIZE : slot.subarray(0, length);
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
  // Without CAP_NET_ADMIN of the first user namespace only as much as net.core.rmem_max allows.
  const room = Buffer.from(Int32Array.of(ROOM_BYTES).buffer);
  if (libc.setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, room, room.length) < 0)
    libc.setsockopt(fd, SOL_SOCKET, SO_RCVBUF, room, room.length);
  const on = Buffer.from(Int32Array.of(1).buffer);
  for (const option of [NETLINK_CAP_ACK, NETLINK_EXT_ACK])
    libc.setsockopt(fd, SOL_NETLINK, option, on, on.length);
}
