import { afterAll, beforeEach, expect, it } from "vitest";
import { converse } from "./conversation.ts";
import { FLOW_STATE, MEMBER_LOCAL, WHY } from "./layout.ts";
import { FLAGS, UDP } from "./packet.ts";
import { CLIENT, CONNECT, freshPrograms, MEMBER_MAC, NODE, type Programs } from "./programs.ts";
import { describePrograms } from "./suite.ts";

const FORWARD_KEY = {
  source: CLIENT.ip,
  destination: CONNECT.ip,
  source_port: 40_000,
  destination_port: 80,
  protocol: 6,
};
let kernel: Programs;

beforeEach(() => {
  kernel = freshPrograms(kernel);
  kernel.configure();
  kernel.writeMember(1);
});
afterAll(() => kernel?.[Symbol.dispose]());

describePrograms("fullnat", () => {
  beforeEach(() => {
    kernel.publish({ sequence: [1] });
    kernel.publish({ sequence: [1], protocol: UDP });
  });

  it("sends a SYN to the member under the node's address, one hop less", () => {
    const { verdict, packet } = kernel.fromClient();
    expect(verdict).toBe("redirect");
    expect(packet).toMatchObject({
      source: NODE.memberSide,
      destination: "10.0.2.2",
      destinationPort: 8080,
      sourceMac: NODE.memberMac,
      destinationMac: MEMBER_MAC,
      ttl: 63,
      flags: FLAGS.SYN,
      sequence: 1000,
    });
    expect(packet.sourcePort).toBeGreaterThanOrEqual(1024);
    expect(packet.sourcePort).toBeLessThanOrEqual(29_999);
    expect(kernel.flow(FORWARD_KEY)).toMatchObject({
      state: FLOW_STATE.halfOpen,
      member: 1,
      why: WHY.scheduled,
    });
    expect(kernel.load(1)).toBe(1);
    expect(kernel.traffic(1)).toMatchObject({ connections: 1n, packets_in: 1n, bytes_in: 40n });
  });

  it("brings the answer back under the connect address", () => {
    const { packet } = kernel.fromClient();
    const back = kernel.fromMember({
      destinationPort: packet.sourcePort,
      flags: FLAGS.SYN | FLAGS.ACK,
      ack: 1001,
    });
    expect(back.verdict).toBe("redirect");
    expect(back.packet).toMatchObject({
      source: CONNECT.ip,
      sourcePort: 80,
      destination: CLIENT.ip,
      destinationPort: 40_000,
      sourceMac: NODE.clientMac,
      destinationMac: CLIENT.mac,
      ttl: 63,
    });
    expect(kernel.traffic(1)).toMatchObject({ packets_out: 1n, bytes_out: 40n });
  });

  it("sends a SYN that comes again to the same member, by the same port", () => {
    const first = kernel.fromClient();
    const again = kernel.fromClient();
    expect(again.packet.sourcePort).toBe(first.packet.sourcePort);
    expect(kernel.flowCount()).toBe(2);
    expect(kernel.load(1)).toBe(1);
  });

  it("forwards datagrams both ways, and leaves a checksum of zero alone", () => {
    const there = kernel.fromClient({ protocol: UDP, payload: "question" });
    expect(there.packet).toMatchObject({ destination: "10.0.2.2", payload: "question", zeroChecksum: false });
    const back = kernel.fromMember({
      protocol: UDP,
      destinationPort: there.packet.sourcePort,
      payload: "answer",
    });
    expect(back.packet).toMatchObject({
      source: CONNECT.ip,
      sourcePort: 80,
      destination: CLIENT.ip,
      payload: "answer",
    });
    const unsummed = kernel.fromClient({ protocol: UDP, payload: "question", zeroChecksum: true });
    expect(unsummed.packet).toMatchObject({ destination: "10.0.2.2", zeroChecksum: true });
  });

  it("drops by name what is larger than the next link takes, and nothing smaller", () => {
    const talk = converse(kernel).open();
    expect(kernel.flow(talk.forwardKey)?.mtu).toBe(1500);
    kernel.patchFlow(talk.forwardKey, { mtu: 140 });
    expect(talk.client({ payload: "x".repeat(100) }).verdict).toBe("redirect");
    expect(talk.client({ payload: "x".repeat(101) }).verdict).toBe("drop");
    expect(kernel.drops()).toEqual({ tooBig: 1 });
  });

  it("keeps IP options and odd lengths", () => {
    const { packet } = kernel.fromClient({ ipOptions: "01010100", payload: "odd", flags: FLAGS.SYN });
    expect(packet).toMatchObject({ ipOptions: "01010100", payload: "odd", destination: "10.0.2.2" });
  });

  it("uses --source-addresses where there are some", () => {
    kernel.configure({ source_count: 1, source_0: "10.9.9.9" });
    expect(kernel.fromClient().packet.source).toBe("10.9.9.9");
  });

  it("drops by name where the node has no address towards the member", () => {
    kernel.writeMember(1, { source: "0.0.0.0" });
    expect(kernel.fromClient().verdict).toBe("drop");
    expect(kernel.drops()).toEqual({ noRoute: 1 });
    expect(kernel.flowCount()).toBe(0);
    expect(kernel.load(1)).toBe(0);
  });

  it("drops by name where nothing routes to the member", () => {
    kernel.writeMember(1, { address: "203.0.113.5" });
    expect(kernel.fromClient().verdict).toBe("drop");
    expect(kernel.drops()).toEqual({ noRoute: 1 });
  });

  it("asks the kernel for the neighbour where it is not known yet", () => {
    kernel.writeMember(1, { address: "10.0.2.99" });
    expect(kernel.fromClient().verdict).toBe("redirect");
    expect(kernel.flow(FORWARD_KEY)?.ifindex).toBe(0);
  });

  it("asks for the route again when the epoch has moved on", () => {
    kernel.fromClient();
    kernel.patchFlow(FORWARD_KEY, { next_mac: "0200000000ff" });
    expect(kernel.fromClient().packet.destinationMac).toBe("0200000000ff");
    kernel.configure({ route_epoch: 2 });
    expect(kernel.fromClient().packet.destinationMac).toBe(MEMBER_MAC);
    expect(kernel.flow(FORWARD_KEY)?.route_epoch).toBe(2);
  });
});

describePrograms("nat", () => {
  beforeEach(() => kernel.publish({ sequence: [1], forwarding: "nat" }));

  it("keeps the client's address and port", () => {
    const { packet } = kernel.fromClient();
    expect(packet).toMatchObject({
      source: CLIENT.ip,
      sourcePort: 40_000,
      destination: "10.0.2.2",
      destinationPort: 8080,
    });
    const back = kernel.fromMember({
      destination: CLIENT.ip,
      destinationPort: 40_000,
      flags: FLAGS.SYN | FLAGS.ACK,
    });
    expect(back.packet).toMatchObject({ source: CONNECT.ip, sourcePort: 80, destination: CLIENT.ip });
  });

  it("takes another port where the client's own is taken by a flow to another address of the same member", () => {
    kernel.publish({ sequence: [1], forwarding: "nat", ip: "192.0.2.11" });
    kernel.fromClient();
    const { packet } = kernel.fromClient({ destination: "192.0.2.11" });
    expect(packet).toMatchObject({ source: CLIENT.ip, destination: "10.0.2.2" });
    expect(packet.sourcePort).not.toBe(40_000);
    const back = kernel.fromMember({
      destination: CLIENT.ip,
      destinationPort: packet.sourcePort,
      flags: FLAGS.ACK,
    });
    expect(back.packet).toMatchObject({ source: "192.0.2.11", destinationPort: 40_000 });
  });
});

describePrograms("a member on the node itself", () => {
  beforeEach(() => {
    kernel.writeMember(1, { address: NODE.clientSide, flags: MEMBER_LOCAL });
    kernel.publish({ sequence: [1] });
  });

  it("gets the packet with the client's address and no hop taken, up the stack", () => {
    const { verdict, packet } = kernel.fromClient({ ttl: 1 });
    expect(verdict).toBe("ok");
    expect(packet).toMatchObject({
      source: CLIENT.ip,
      sourcePort: 40_000,
      destination: NODE.clientSide,
      destinationPort: 8080,
      ttl: 1,
    });
  });

  it("answers under the connect address", () => {
    kernel.fromClient();
    const answer = {
      source: NODE.clientSide,
      destination: CLIENT.ip,
      destinationPort: 40_000,
      flags: FLAGS.SYN | FLAGS.ACK,
    };
    const { verdict, packet } = kernel.leaving(answer);
    expect(verdict).toBe("ok");
    expect(packet).toMatchObject({ source: CONNECT.ip, sourcePort: 80, destination: CLIENT.ip, ttl: 64 });
    expect(kernel.leaving(answer, kernel.devices.members).verdict).toBe("pass");
  });
});

describePrograms("what is not ours", () => {
  it.each([
    ["another address", { destination: "192.0.2.99" }],
    ["another port", { destinationPort: 81 }],
    ["another protocol", { protocol: UDP }],
    ["another machine's MAC address", { destinationMac: "0200000000aa" }],
    ["a later fragment", { fragment: 0x0010 }],
  ])("passes unchanged: %s", (_, packet) => {
    kernel.publish({ sequence: [1] });
    const before = kernel.fromClient({ destination: "192.0.2.98", ...packet });
    const { verdict, bytes } = kernel.fromClient(packet);
    expect(verdict).toBe("pass");
    expect(before.verdict).toBe("pass");
    expect(bytes.length).toBe(before.bytes.length);
    expect(kernel.drops()).toEqual({});
    expect(kernel.flowCount()).toBe(0);
  });

  it("stands for every address of the node, and for no other", () => {
    kernel.publish({ sequence: [1], ip: "0.0.0.0", port: 30_080 });
    const packet = { destination: NODE.clientSide, destinationPort: 30_080 };
    expect(kernel.fromClient(packet).verdict).toBe("pass");
    kernel.map("node_address").update(Buffer.from([10, 0, 1, 1]), Buffer.from([1, 0, 0, 0]));
    expect(kernel.fromClient(packet).verdict).toBe("redirect");
    expect(kernel.fromClient({ ...packet, destination: "192.0.2.99" }).verdict).toBe("pass");
  });
});
