import { afterAll, beforeEach, expect, it } from "vitest";
import { converse } from "./conversation.ts";
import { MEMBER_LOCAL } from "./layout.ts";
import { buildPacket, checksum, FLAGS } from "./packet.ts";
import { CLIENT, CONNECT, FROM_CLIENT, freshPrograms, MEMBER_MAC, NODE, type Programs } from "./programs.ts";
import { describePrograms } from "./suite.ts";

const ICMP = 1;
const UNREACHABLE = 3;
const TOO_BIG = 4;
const MTU = 1400;
const ROUTER = "10.0.2.19";
let kernel: Programs;

beforeEach(() => {
  kernel = freshPrograms(kernel);
  kernel.configure();
  kernel.writeMember(1);
});
afterAll(() => kernel?.[Symbol.dispose]());

interface Tuple {
  readonly source: string;
  readonly sourcePort: number;
  readonly destination: string;
  readonly destinationPort: number;
}

/** "Fragmentation needed" about `quoted`, of which the first 8 bytes behind the IP header come along. */
function tooBig(sender: string, receiver: string, quoted: Tuple, type = UNREACHABLE): Buffer {
  const original = buildPacket({ ...FROM_CLIENT, ...quoted, flags: FLAGS.ACK, payload: "x".repeat(100) });
  const message = Buffer.concat([
    Buffer.from([type, TOO_BIG, 0, 0, 0, 0, MTU >> 8, MTU & 255]),
    original.subarray(14, 14 + 28),
  ]);
  message.writeUInt16BE(checksum(message), 2);
  const outer = buildPacket({ ...FROM_CLIENT, source: sender, destination: receiver, ttl: 33 }).subarray(
    0,
    34,
  );
  outer.writeUInt16BE(20 + message.length, 16);
  outer[23] = ICMP;
  outer.writeUInt16BE(0, 24);
  outer.writeUInt16BE(checksum(outer.subarray(14)), 24);
  return Buffer.concat([outer, message]);
}

/** @throws Error when a checksum is wrong: the outer header's, ICMP's or the quoted header's */
function readError(bytes: Buffer) {
  const ip = bytes.subarray(14, 34);
  const message = bytes.subarray(34);
  const quoted = message.subarray(8);
  for (const [name, summed] of Object.entries({ ip, message, quoted: quoted.subarray(0, 20) })) {
    if (checksum(summed) !== 0) throw new Error(`The checksum of ${name} is wrong`);
  }
  const quad = (from: Buffer, at: number) => [...from.subarray(at, at + 4)].join(".");
  return {
    destinationMac: bytes.subarray(0, 6).toString("hex"),
    ttl: ip.readUInt8(8),
    sender: quad(ip, 12),
    receiver: quad(ip, 16),
    mtu: message.readUInt16BE(6),
    quoted: {
      source: quad(quoted, 12),
      destination: quad(quoted, 16),
      sourcePort: quoted.readUInt16BE(20),
      destinationPort: quoted.readUInt16BE(22),
    },
  };
}

const asClientSent = { source: CLIENT.ip, sourcePort: 40_000, destination: CONNECT.ip, destinationPort: 80 };

describePrograms("an ICMP error about a packet that went to a member", () => {
  it.each(["fullnat", "nat"] as const)("reaches the client in its own terms: %s", (forwarding) => {
    kernel.publish({ sequence: [1], forwarding });
    const talk = converse(kernel).open();
    const { source, sourcePort, destination, destinationPort } = talk.client({ payload: "long" }).packet;
    const error = tooBig(ROUTER, source, { source, sourcePort, destination, destinationPort });
    const { verdict, bytes } = kernel.raw(error);
    expect(verdict).toBe("redirect");
    expect(readError(bytes)).toEqual({
      destinationMac: CLIENT.mac,
      ttl: 32,
      sender: ROUTER,
      receiver: CLIENT.ip,
      mtu: MTU,
      quoted: asClientSent,
    });
  });

  it("comes from the connect address when the member sent it", () => {
    kernel.publish({ sequence: [1] });
    const { source, sourcePort } = kernel.fromClient().packet;
    const error = tooBig("10.0.2.2", source, {
      source,
      sourcePort,
      destination: "10.0.2.2",
      destinationPort: 8080,
    });
    expect(readError(kernel.raw(error).bytes)).toMatchObject({ sender: CONNECT.ip, receiver: CLIENT.ip });
  });
});

describePrograms("an ICMP error whose last hop is here", () => {
  it("is dropped by name", () => {
    kernel.publish({ sequence: [1] });
    const { source, sourcePort, destination, destinationPort } = kernel.fromClient().packet;
    const error = tooBig(ROUTER, source, { source, sourcePort, destination, destinationPort });
    error[22] = 1;
    expect(kernel.raw(error).verdict).toBe("drop");
    expect(kernel.drops()).toEqual({ ttl: 1 });
  });
});

describePrograms("an ICMP error about a packet that went to the client", () => {
  const asClientGot = { source: CONNECT.ip, sourcePort: 80, destination: CLIENT.ip, destinationPort: 40_000 };

  it("reaches the member in its own terms", () => {
    kernel.publish({ sequence: [1] });
    const { source, sourcePort } = kernel.fromClient().packet;
    const { verdict, bytes } = kernel.raw(tooBig("10.0.1.9", CONNECT.ip, asClientGot));
    expect(verdict).toBe("redirect");
    expect(readError(bytes)).toMatchObject({
      destinationMac: MEMBER_MAC,
      receiver: "10.0.2.2",
      quoted: { source: "10.0.2.2", sourcePort: 8080, destination: source, destinationPort: sourcePort },
    });
  });

  it("goes up the stack to a member on the node", () => {
    kernel.writeMember(1, { address: NODE.clientSide, flags: MEMBER_LOCAL });
    kernel.publish({ sequence: [1] });
    kernel.fromClient();
    const { verdict, bytes } = kernel.raw(tooBig("10.0.1.9", CONNECT.ip, asClientGot));
    expect(verdict).toBe("ok");
    expect(readError(bytes)).toMatchObject({ receiver: NODE.clientSide, ttl: 33 });
  });
});

describePrograms("other ICMP", () => {
  it.each([
    ["about no flow of ours", tooBig(ROUTER, CLIENT.ip, asClientSent)],
    [
      "that is no error",
      tooBig(
        "10.0.1.9",
        CONNECT.ip,
        {
          ...asClientSent,
          source: CONNECT.ip,
          sourcePort: 80,
          destination: CLIENT.ip,
          destinationPort: 40_000,
        },
        8,
      ),
    ],
    ["that quotes too little", tooBig(ROUTER, CONNECT.ip, asClientSent).subarray(0, 60)],
    [
      "whose receiver did not send what it quotes",
      tooBig(ROUTER, "192.0.2.77", {
        ...asClientSent,
        source: CONNECT.ip,
        sourcePort: 80,
        destination: CLIENT.ip,
        destinationPort: 40_000,
      }),
    ],
  ])("passes unchanged: %s", (_, error) => {
    kernel.publish({ sequence: [1] });
    kernel.fromClient();
    const { verdict, bytes } = kernel.raw(error);
    expect(verdict).toBe("pass");
    expect(bytes).toEqual(error);
  });
});
