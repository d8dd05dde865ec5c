import { endianness } from "node:os";
import { describe, expect, it } from "vitest";
import { decodeAttributes, decodeMessages, encodeAttribute, encodeMessage } from "./netlink-codec.ts";
import { encodeRouteQuery } from "./network.ts";
import { encodeReset } from "./reset-sender.ts";
import { encodeSocketRequest } from "./socket-diag.ts";

const isLittle = endianness() === "LE";

describe.runIf(isLittle)("netlink messages (bytes of a little-endian machine, as strace shows them)", () => {
  it("puts length, type, flags and sequence before the payload", () => {
    expect(encodeMessage(18, 0x301, 7, Buffer.from([1, 2])).toString("hex")).toBe(
      "12000000120001030700000000000000" + "0102",
    );
  });

  it("asks for the route to one address", () => {
    expect(encodeRouteQuery("10.1.2.3").toString("hex")).toBe(
      "022000000000000000000000" + "080001000a010203",
    );
  });

  it("asks for sockets in every state", () => {
    const query = encodeSocketRequest(2, "TCP", Buffer.alloc(48));
    expect(query.length).toBe(56);
    expect(query.subarray(0, 8).toString("hex")).toBe("02060000ffffffff");
  });

  it("pads an attribute to four bytes and does not count the padding", () => {
    expect(encodeAttribute(3, Buffer.from("eth0\0")).toString("hex")).toBe(
      "09000300" + "6574683000" + "000000",
    );
  });
});

describe("decoding", () => {
  it("reads back several messages and attributes", () => {
    const attributes = Buffer.concat([
      encodeAttribute(1, Buffer.from("a")),
      encodeAttribute(2, Buffer.from("bc")),
    ]);
    const both = Buffer.concat([encodeMessage(1, 0, 5, attributes), encodeMessage(3, 0, 6, Buffer.alloc(0))]);
    const messages = decodeMessages(both);
    expect(messages.map(({ type, sequence }) => [type, sequence])).toEqual([
      [1, 5],
      [3, 6],
    ]);
    const found = decodeAttributes(messages[0]?.payload ?? Buffer.alloc(0));
    expect([found.get(1)?.toString(), found.get(2)?.toString()]).toEqual(["a", "bc"]);
  });

  it("stops at a length that cannot be", () => {
    expect(decodeMessages(Buffer.alloc(32))).toEqual([]);
    expect(decodeAttributes(Buffer.from([255, 255, 0, 0])).size).toBe(0);
  });
});

describe("encodeReset", () => {
  it("writes a RST+ACK whose checksums a receiver accepts", () => {
    const packet = encodeReset({
      sourceAddress: 0x0a000001,
      sourcePort: 80,
      destinationAddress: 0x0a000002,
      destinationPort: 40000,
      sequence: 0xfffffffe,
      acknowledged: 17,
    });
    expect(sumOfWords(packet.subarray(0, 20))).toBe(0xffff);
    const pseudoHeader = Buffer.concat([packet.subarray(12, 20), Buffer.from([0, 6, 0, 20])]);
    expect(sumOfWords(Buffer.concat([pseudoHeader, packet.subarray(20)]))).toBe(0xffff);
    expect(packet.subarray(20, 34).toString("hex")).toBe("00509c40" + "fffffffe" + "00000011" + "5014");
  });
});

function sumOfWords(bytes: Buffer): number {
  let sum = 0;
  for (let at = 0; at < bytes.length; at += 2) sum += bytes.readUInt16BE(at);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return sum;
}
