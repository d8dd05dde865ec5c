import { endianness } from "node:os";
import { describe, expect, it } from "vitest";
import { MessageBatch } from "../netlink-batch.ts";
import { encodeCommand, encodeDaemonStart, encodeTimeouts } from "./encode.ts";
import type { IpvsCommand, IpvsDestinationSettings, IpvsServiceFlags, IpvsServiceKey } from "./types.ts";

/** Number of the family in the guest where the bytes were recorded. */
const FAMILY = 0x1c;
const HEADER_BYTES = 16;
const NO_FLAGS: IpvsServiceFlags = {
  persistent: false,
  onePacket: false,
  sched1: false,
  sched2: false,
  sched3: false,
};
const WEB: IpvsServiceKey = { kind: "address", family: 4, protocol: "TCP", ip: "10.0.0.1", port: 80 };
const NAMES: IpvsServiceKey = { kind: "address", family: 6, protocol: "UDP", ip: "2001:db8::1", port: 53 };
const MARK: IpvsServiceKey = { kind: "mark", family: 4, mark: 7 };
const PLAIN = { scheduler: "rr", flags: NO_FLAGS, persistenceSeconds: 0, netmask: 32 };
const MEMBER: IpvsDestinationSettings = {
  family: 4,
  ip: "10.1.0.1",
  port: 8080,
  forwarding: "masq",
  weight: 1,
  upperThreshold: 0,
  lowerThreshold: 0,
};
/** The nested attributes that name {@link WEB} and nothing more. */
const WEB_KEY =
  "30000180" +
  "0600010002000000" +
  "0600020006000000" +
  "140003000a000001000000000000000000000000" +
  "0600040000500000";

/** The message without netlink's header, which has sequence number and port. */
function encode(fill: (batch: MessageBatch) => void): string {
  const batch = new MessageBatch();
  fill(batch);
  return batch.seal(1).subarray(HEADER_BYTES).toString("hex");
}

function command(command: IpvsCommand): string {
  return encode((batch) => encodeCommand(batch, FAMILY, command));
}

// Recorded from ipvsadm 1.31 with `strace -e write=all` on a little-endian machine.
describe.runIf(endianness() === "LE")("commands, byte for byte as ipvsadm sends them", () => {
  it("adds a service: ipvsadm -A -t 10.0.0.1:80 -s wlc", () => {
    const bytes = command({ kind: "add-service", service: { ...PLAIN, key: WEB, scheduler: "wlc" } });
    expect(bytes).toBe(
      "010100005400018006000100020000000600020006000000140003000a0000010000000000000000000000000600040000500000" +
        "08000600776c63000c00070000000000ffffffff080008000000000008000900ffffffff",
    );
  });

  it("changes a service: ipvsadm -E -t 10.0.0.1:80 -s rr", () => {
    const bytes = command({ kind: "edit-service", service: { ...PLAIN, key: WEB } });
    expect(bytes).toBe(
      "020100005400018006000100020000000600020006000000140003000a0000010000000000000000000000000600040000500000" +
        "07000600727200000c00070000000000ffffffff080008000000000008000900ffffffff",
    );
  });

  it("adds an IPv6 service that balances each packet: ipvsadm -A -u [2001:db8::1]:53 -s rr -o", () => {
    const flags = { ...NO_FLAGS, onePacket: true };
    const bytes = command({ kind: "add-service", service: { ...PLAIN, key: NAMES, flags, netmask: 128 } });
    expect(bytes).toBe(
      "0101000054000180060001000a00000006000200110000001400030020010db80000000000000000000000010600040000350000" +
        "07000600727200000c00070004000000ffffffff08000800000000000800090080000000",
    );
  });

  it("adds a persistent service of a mark: ipvsadm -A -f 7 -s sh -p 300 -M 255.255.255.0 -b sh-port", () => {
    const flags = { ...NO_FLAGS, persistent: true, sched2: true };
    const service = { key: MARK, scheduler: "sh", flags, persistenceSeconds: 300, netmask: 24 };
    expect(command({ kind: "add-service", service })).toBe(
      "010100003800018006000100020000000800050007000000070006007368000" +
        "00c00070011000000ffffffff080008002c01000008000900ffffff00",
    );
  });

  it("adds an SCTP service of every port: ipvsadm -A --sctp-service 10.0.0.2:0 -s wrr -p 60", () => {
    const key: IpvsServiceKey = { kind: "address", family: 4, protocol: "SCTP", ip: "10.0.0.2", port: 0 };
    const flags = { ...NO_FLAGS, persistent: true };
    const service = { ...PLAIN, key, scheduler: "wrr", flags, persistenceSeconds: 60 };
    expect(command({ kind: "add-service", service })).toBe(
      "010100005400018006000100020000000600020084000000140003000a0000020000000000000000000000000600040000000000" +
        "08000600777272000c00070001000000ffffffff080008003c00000008000900ffffffff",
    );
  });

  it("sets time-outs: ipvsadm --set 900 120 300", () => {
    const timeouts = { tcpSeconds: 900, tcpFinSeconds: 120, udpSeconds: 300 };
    expect(encode((batch) => encodeTimeouts(batch, FAMILY, timeouts))).toBe(
      "0c01000008000400840300000800050078000000080006002c010000",
    );
  });

  it("starts a daemon: ipvsadm --start-daemon master --mcast-interface lo --syncid 5", () => {
    const daemon = { state: "master", interface: "lo", syncId: 5 } as const;
    expect(encode((batch) => encodeDaemonStart(batch, FAMILY, daemon))).toBe(
      "090100001c0003800800010001000000070002006c6f00000800030005000000",
    );
  });
});

// Of the service ipvsadm sends all settings, which the kernel does not read; its key is enough.
describe.runIf(endianness() === "LE")("destinations, with the bytes that ipvsadm sends of them", () => {
  it("adds one with thresholds: -r 10.1.0.1:8080 -m -w 3 -x 100 -y 50", () => {
    const destination = { ...MEMBER, weight: 3, upperThreshold: 100, lowerThreshold: 50 };
    expect(command({ kind: "add-destination", service: WEB, destination })).toBe(
      `05010000${WEB_KEY}` +
        "6000028006000b0002000000140001000a010001000000000000000000000000060002001f90000008000300000000000800040003000000" +
        "05000d000000000006000e000000000006000f000000000008000500640000000800060032000000",
    );
  });

  it("adds one behind a GUE tunnel: -r 10.1.0.3:80 -i --tun-type gue --tun-port 6080 --tun-csum", () => {
    const tunnel = { type: "gue", port: 6080, checksum: "outer" } as const;
    const destination = { ...MEMBER, ip: "10.1.0.3", port: 80, forwarding: "tunnel", tunnel } as const;
    expect(command({ kind: "add-destination", service: WEB, destination })).toBe(
      `05010000${WEB_KEY}` +
        "6000028006000b0002000000140001000a0100030000000000000000000000000600020000500000080003000200000008000400" +
        "0100000005000d000100000006000e0017c0000006000f000100000008000500000000000800060000000000",
    );
  });

  it("quiets one: -e -r 10.1.0.1:8080 -m -w 0", () => {
    expect(command({ kind: "edit-destination", service: WEB, destination: { ...MEMBER, weight: 0 } })).toBe(
      `06010000${WEB_KEY}` +
        "6000028006000b0002000000140001000a010001000000000000000000000000060002001f90000008000300000000000800040000000000" +
        "05000d000000000006000e000000000006000f000000000008000500000000000800060000000000",
    );
  });

  it("adds an IPv6 one: -u [2001:db8::1]:53 -r [2001:db8::2]:53 -m", () => {
    const destination = { ...MEMBER, family: 6, ip: "2001:db8::2", port: 53 } as const;
    expect(command({ kind: "add-destination", service: NAMES, destination })).toBe(
      "0501000030000180060001000a00000006000200110000001400030020010db80000000000000000000000010600040000350000" +
        "6000028006000b000a0000001400010020010db8000000000000000000000002060002000035000008000300000000000800040001000000" +
        "05000d000000000006000e000000000006000f000000000008000500000000000800060000000000",
    );
  });

  it("deletes one by its address alone", () => {
    const destination = { family: 4, ip: "10.1.0.2", port: 80 } as const;
    expect(command({ kind: "delete-destination", service: WEB, destination })).toBe(
      `07010000${WEB_KEY}2800028006000b0002000000140001000a0100020000000000000000000000000600020000500000`,
    );
  });
});

describe("a batch", () => {
  it("numbers its messages and asks for an answer to the last only", () => {
    const batch = new MessageBatch();
    for (const port of [80, 81])
      encodeCommand(batch, FAMILY, { kind: "delete-service", key: { ...WEB, port } });
    const bytes = batch.seal(41);
    const second = bytes.readUInt32LE(0);
    expect([bytes.readUInt16LE(6), bytes.readUInt32LE(8)]).toEqual([1, 41]);
    expect([bytes.readUInt16LE(second + 6), bytes.readUInt32LE(second + 8)]).toEqual([5, 42]);
    expect(bytes.length).toBe(2 * second);
  });

  it("is used again without what was in it", () => {
    const batch = new MessageBatch();
    const add = () =>
      encodeCommand(batch, FAMILY, { kind: "add-service", service: { ...PLAIN, key: NAMES, netmask: 128 } });
    add();
    batch.clear();
    encodeCommand(batch, FAMILY, { kind: "delete-service", key: MARK });
    batch.clear();
    add();
    const again = Buffer.from(batch.seal(1));
    const fresh = new MessageBatch();
    encodeCommand(fresh, FAMILY, { kind: "add-service", service: { ...PLAIN, key: NAMES, netmask: 128 } });
    expect(again).toEqual(fresh.seal(1));
  });

  it("takes 256 messages, so that the refusal of each fits the receive buffer", () => {
    const batch = new MessageBatch();
    let count = 0;
    for (; !batch.isFull; count += 1) encodeCommand(batch, FAMILY, { kind: "delete-service", key: MARK });
    expect(count).toBe(256);
  });
});
