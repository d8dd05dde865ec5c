import { afterAll, beforeEach, expect, it } from "vitest";
import { converse } from "./conversation.ts";
import { FLOW_STATE, WHY } from "./layout.ts";
import { buildPacket, FLAGS, UDP } from "./packet.ts";
import { CLIENT, CONNECT, FROM_CLIENT, freshPrograms, NODE, type Programs } from "./programs.ts";
import { describePrograms } from "./suite.ts";

let kernel: Programs;

beforeEach(() => {
  kernel = freshPrograms(kernel);
  kernel.configure();
  kernel.writeMember(1);
  kernel.publish({ sequence: [1] });
});
afterAll(() => kernel?.[Symbol.dispose]());

describePrograms("RST", () => {
  it("answers a SYN for which there is no member, back the way it came", () => {
    kernel.publish({ sequence: [] });
    const { verdict, packet, bytes } = kernel.fromClient({
      payload: "data in the SYN",
      ipOptions: "01010100",
    });
    expect(verdict).toBe("redirect");
    expect(packet).toMatchObject({
      source: CONNECT.ip,
      sourcePort: 80,
      destination: CLIENT.ip,
      destinationPort: 40_000,
      sourceMac: NODE.clientMac,
      destinationMac: CLIENT.mac,
      flags: FLAGS.RST | FLAGS.ACK,
      sequence: 0,
      ack: 1000 + 1 + 15,
      payload: "",
      ipOptions: "",
    });
    expect(bytes).toHaveLength(54);
    expect(kernel.drops()).toEqual({ noMember: 1 });
  });

  it("answers a SYN at a closing address", () => {
    kernel.publish({ sequence: [1], closing: true });
    expect(kernel.fromClient().packet.flags).toBe(FLAGS.RST | FLAGS.ACK);
    expect(kernel.drops()).toEqual({ closingAddress: 1 });
  });

  it("leaves the flows of a closing address alone", () => {
    const talk = converse(kernel).open();
    kernel.publish({ sequence: [1], closing: true });
    expect(talk.client({ payload: "more" }).packet.destination).toBe("10.0.2.2");
  });

  it("answers a packet that no flow knows, with the sequence number that it acknowledges", () => {
    const { packet } = kernel.fromClient({ flags: FLAGS.ACK | FLAGS.PSH, ack: 4711, payload: "?" });
    expect(packet).toMatchObject({ flags: FLAGS.RST, sequence: 4711, ack: 0 });
    expect(kernel.drops()).toEqual({ noFlow: 1 });
  });

  it("is never answered", () => {
    expect(kernel.fromClient({ flags: FLAGS.RST }).verdict).toBe("drop");
    expect(kernel.drops()).toEqual({ noFlow: 1 });
  });

  it("is not sent for datagrams", () => {
    kernel.publish({ sequence: [], protocol: UDP });
    expect(kernel.fromClient({ protocol: UDP }).verdict).toBe("drop");
    expect(kernel.drops()).toEqual({ noMember: 1 });
  });
});

describePrograms("a packet without a flow", () => {
  it.each(["sh", "mh"] as const)("is adopted by %s with nat: any node knows the member", (scheduler) => {
    kernel.publish({ sequence: [1, 1, 1], forwarding: "nat", scheduler });
    const { packet } = kernel.fromClient({ flags: FLAGS.ACK, payload: "from another node" });
    expect(packet).toMatchObject({ destination: "10.0.2.2", payload: "from another node" });
    expect(kernel.flow(converse(kernel).forwardKey)).toMatchObject({
      state: FLOW_STATE.established,
      why: WHY.adopted,
    });
    expect(kernel.load(1)).toBe(1);
  });

  it.each([
    ["fullnat", "sh"],
    ["nat", "rr"],
    ["nat", "lc"],
  ] as const)("is not adopted by %s with %s", (forwarding, scheduler) => {
    kernel.publish({ sequence: [1], forwarding, scheduler });
    expect(kernel.fromClient({ flags: FLAGS.ACK }).packet.flags).toBe(FLAGS.RST);
    expect(kernel.flowCount()).toBe(0);
  });
});

describePrograms("a packet that cannot be forwarded", () => {
  it("is dropped by name when its last hop is here", () => {
    expect(kernel.fromClient({ ttl: 1 }).verdict).toBe("drop");
    expect(kernel.drops()).toEqual({ ttl: 1 });
  });

  it("is dropped by name when it is a first fragment to a connect address", () => {
    expect(kernel.fromClient({ fragment: 0x2000 }).verdict).toBe("drop");
    expect(kernel.drops()).toEqual({ fragment: 1 });
    expect(kernel.fromClient({ fragment: 0x2000, destination: "192.0.2.99" }).verdict).toBe("pass");
    expect(kernel.drops()).toEqual({ fragment: 1 });
  });

  it("is dropped by name when TCP's header length is impossible", () => {
    const bytes = buildPacket({ ...FROM_CLIENT, payload: "1234" });
    for (const length of [0x40, 0xf0]) {
      bytes[14 + 20 + 12] = length;
      expect(kernel.raw(bytes).verdict).toBe("drop");
    }
    expect(kernel.drops()).toEqual({ malformed: 2 });
    expect(kernel.flowCount()).toBe(0);
  });

  it("passes unchanged when it is cut off anywhere", () => {
    const whole = buildPacket({ ...FROM_CLIENT, tcpOptions: "020405b4", payload: "12345678" });
    // Test runs of newer kernels ask for a whole IP header.
    for (let length = 14 + 20; length < whole.length; length++) {
      const { verdict, bytes } = kernel.raw(whole.subarray(0, length));
      expect(verdict, `${length} bytes`).toBe("pass");
      expect(bytes).toEqual(whole.subarray(0, length));
    }
    expect(kernel.flowCount()).toBe(0);
    expect(kernel.drops()).toEqual({});
  });

  it("passes unchanged whatever single byte of its headers is wrong, or is answered, or is forwarded: it never sticks", () => {
    const whole = buildPacket({ ...FROM_CLIENT, payload: "12345678" });
    for (let at = 12; at < 14 + 20 + 20; at++) {
      const broken = Buffer.from(whole);
      broken[at] = (broken[at] ?? 0) ^ 0xff;
      expect(["pass", "drop", "redirect"]).toContain(kernel.raw(broken).verdict);
    }
  });
});
