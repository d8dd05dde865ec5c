import { closeSync } from "node:fs";
import { callLibc, loadLibc } from "./libc.ts";
import { lastErrno } from "./native.ts";
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
const ANSWER_SECONDS = 2n;
const ROOM_BYTES = 4 * 1024 * 1024;

/** What a conversation needs of a netlink socket. */
export interface NetlinkTransport extends Disposable {
  /** Hands one datagram to the kernel, which has carried out what it says when this returns. */
  send(action: string, datagram: Buffer): void;
  /**
   * Takes the next datagram.
   *
   * @param mode `wait` waits two seconds for it.
   * @returns its bytes, more than `bytes` has when it was cut off; or the negative errno value.
   */
  receive(bytes: Buffer, mode: "wait" | "poll"): number;
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
    receive(bytes, mode) {
      const length = libc.recv(fd, bytes, bytes.length, MSG_TRUNC | (mode === "poll" ? MSG_DONTWAIT : 0));
      return length < 0 ? -lastErrno() : length;
    },
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
  // Without CAP_NET_ADMIN of the first user namespace only as much as net.core.rmem_max allows.
  const room = Buffer.from(Int32Array.of(ROOM_BYTES).buffer);
  if (libc.setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, room, room.length) < 0)
    libc.setsockopt(fd, SOL_SOCKET, SO_RCVBUF, room, room.length);
  const on = Buffer.from(Int32Array.of(1).buffer);
  for (const option of [NETLINK_CAP_ACK, NETLINK_EXT_ACK])
    libc.setsockopt(fd, SOL_NETLINK, option, on, on.length);
}
