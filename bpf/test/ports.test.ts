import { afterAll, beforeEach, describe, expect, it } from "vitest";
import { type Conversation, converse } from "./conversation.ts";
import { FLOW_STATE } from "./layout.ts";
import { FLAGS, timestampOption, UDP } from "./packet.ts";
import { freshPrograms, now, type Programs, SECOND_NS } from "./programs.ts";
import { describePrograms } from "./suite.ts";

const FIN = { flags: FLAGS.FIN | FLAGS.ACK };
const ONLY_PORT = 2000;
let kernel: Programs;

function restart(capacities: Readonly<Record<string, number>> = {}): void {
  kernel = freshPrograms(kernel, capacities);
  kernel.configure({ source_port_first: ONLY_PORT, source_port_last: ONLY_PORT });
  kernel.writeMember(1);
  kernel.publish({ sequence: [1] });
}
beforeEach(() => restart());
afterAll(() => kernel?.[Symbol.dispose]());

/** A connection that has ended, its first closer named. */
function ended(
  first: "client" | "member",
  options: { readonly port?: number; readonly start?: number } = {},
): Conversation {
  const talk = converse(kernel, options).open();
  talk[first](FIN);
  talk[first === "client" ? "member" : "client"](FIN);
  talk[first]();
  return talk;
}

const syn = (port: number, sequence: number, tcpOptions = "") =>
  kernel.fromClient({ sourcePort: port, sequence, tcpOptions });

describePrograms("source ports of fullnat", () => {
  it("run out by name, and nothing is left behind", () => {
    kernel.configure({ source_port_first: 2000, source_port_last: 2003 });
    const ports = [1, 2, 3, 4].map((port) => syn(port, 1).packet.sourcePort);
    expect(ports.toSorted()).toEqual([2000, 2001, 2002, 2003]);
    expect(syn(5, 1).verdict).toBe("drop");
    expect(kernel.drops()).toEqual({ sourcePortsExhausted: 1 });
    expect(kernel.flowCount()).toBe(8);
    expect(kernel.load(1)).toBe(4);
  });

  it("are counted per member: two members may see the same port", () => {
    kernel.writeMember(2);
    kernel.publish({ sequence: [1, 2] });
    expect([syn(1, 1), syn(2, 1)].map(({ verdict }) => verdict)).toEqual(["redirect", "redirect"]);
  });

  it("are reused at once when the client closed first", () => {
    const old = ended("client");
    const { packet } = syn(50_000, 1);
    expect(packet.sourcePort).toBe(ONLY_PORT);
    expect(kernel.flow(old.forwardKey)).toBeUndefined();
    expect(kernel.flowCount()).toBe(2);
    expect(kernel.load(1)).toBe(1);
  });

  it("are not before the member has its last ACK: it would refuse a SYN", () => {
    const talk = converse(kernel).open();
    talk.client(FIN);
    talk.member(FIN);
    expect(syn(50_000, 1).verdict).toBe("drop");
    talk.client();
    expect(syn(50_000, 1).verdict).toBe("redirect");
  });

  it("are rather others than one that was closed a moment ago", () => {
    ended("client");
    kernel.configure({ source_port_first: ONLY_PORT, source_port_last: ONLY_PORT + 3 });
    const ports = [1, 2, 3].map((port) => syn(port, 1).packet.sourcePort);
    expect(ports).not.toContain(ONLY_PORT);
    expect(syn(4, 1).packet.sourcePort).toBe(ONLY_PORT);
  });

  it.each(["client", "member"] as const)("are reused at once after a RST of the %s", (side) => {
    converse(kernel)
      .open()
      [side]({ flags: FLAGS.RST | FLAGS.ACK });
    expect(syn(50_000, 1).verdict).toBe("redirect");
  });

  it("are not while a flow lives, half-open or closing", () => {
    const talk = converse(kernel);
    talk.client({ flags: FLAGS.SYN, ack: 0 });
    expect(syn(50_000, 0x70000000).verdict).toBe("drop");
    talk.member({ flags: FLAGS.SYN | FLAGS.ACK });
    talk.client();
    talk.client(FIN);
    expect(syn(50_000, 0x70000000).verdict).toBe("drop");
  });
});

describePrograms("a member that closed first", () => {
  it.each([
    ["a SYN behind what the member saw", 1003, "", "redirect"],
    ["a SYN at what the member saw", 1002, "", "drop"],
    ["a SYN before it", 500, "", "drop"],
    ["a SYN before it in the circle", 0x90000000, "", "drop"],
  ])("%s: sequence %i", (_, sequence, options, verdict) => {
    ended("member");
    expect(syn(50_000, sequence, options).verdict).toBe(verdict);
  });

  it.each([
    ["newer", timestampOption(901), "redirect"],
    ["the same", timestampOption(900), "drop"],
    ["older", timestampOption(899), "drop"],
    ["missing", "", "drop"],
  ])("with timestamps, and one that is %s", (_, option, verdict) => {
    const talk = converse(kernel).open();
    talk.member(FIN);
    talk.client({ ...FIN, tcpOptions: timestampOption(900) });
    talk.member();
    expect(syn(50_000, 1_000_000, option).verdict).toBe(verdict);
  });

  it("gives its port free when its TIME_WAIT is over", () => {
    const talk = ended("member");
    for (const key of [talk.forwardKey, talk.replyKey()])
      kernel.patchFlow(key, { last_seen_ns: now() - 7n * SECOND_NS });
    expect(syn(50_000, 500).verdict).toBe("redirect");
  });

  it("keeps its port from the very client too, which gets another", () => {
    const talk = ended("member");
    expect(talk.client({ flags: FLAGS.SYN, sequence: 500, ack: 0 }).verdict).toBe("drop");
    expect(kernel.flow(talk.replyKey())?.state).toBe(FLOW_STATE.closed);
    kernel.configure({ source_port_first: 2000, source_port_last: 2001 });
    expect(syn(40_000, 500).packet.sourcePort).toBe(2001);
    expect(syn(50_000, 1003).packet.sourcePort).toBe(2000);
    expect(kernel.flowCount()).toBe(4);
  });

  it("is told so by RST when it still speaks by a port that is only kept", () => {
    const talk = ended("member");
    talk.client({ flags: FLAGS.SYN, sequence: 500, ack: 0 });
    expect(talk.member(FIN).packet).toMatchObject({ flags: FLAGS.RST, destination: "10.0.2.2" });
  });
});

describePrograms("full tables", () => {
  it("refuse a new flow by name and leave nothing of it, and old flows go on", () => {
    restart({ flow: 5 });
    kernel.configure();
    const talk = converse(kernel).open();
    expect(syn(2, 1).verdict).toBe("redirect");
    expect(syn(3, 1).verdict).toBe("drop");
    expect(kernel.drops()).toEqual({ flowTableFull: 1 });
    expect(kernel.flowCount()).toBe(4);
    expect(kernel.load(1)).toBe(2);
    expect(talk.client({ payload: "on" }).packet.payload).toBe("on");
  });
});

describePrograms("half-open flows", () => {
  const stateOf = (port: number) => kernel.flow({ ...converse(kernel).forwardKey, source_port: port })?.state;

  it("are bounded: the oldest makes room, and its port is free again", () => {
    kernel.configure({ source_port_first: 2000, source_port_last: 2003, half_open_count: 3 });
    for (const port of [1, 2, 3, 4, 5]) expect(syn(port, 1).verdict).toBe("redirect");
    expect([1, 2, 3, 4, 5].map(stateOf)).toEqual([undefined, undefined, 1, 1, 1]);
    expect(kernel.drops()).toEqual({ halfOpenReclaimed: 2 });
    expect(kernel.flowCount()).toBe(6);
    expect(kernel.load(1)).toBe(3);
  });

  describe("that got established", () => {
    it("keep their flow when their place is taken", () => {
      kernel.configure({ half_open_count: 1 });
      const talk = converse(kernel).open();
      for (const port of [1, 2, 3]) syn(port, 1);
      expect(kernel.flow(talk.forwardKey)?.state).toBe(FLOW_STATE.established);
      expect(kernel.drops()).toEqual({ halfOpenReclaimed: 2 });
      expect(kernel.load(1)).toBe(2);
    });
  });

  it("do not make room for themselves when the same client opens again at their old place", () => {
    kernel.configure({ half_open_count: 1 });
    for (let round = 1; round <= 3; round++) {
      expect(syn(1, round * 10).verdict).toBe("redirect");
      expect(kernel.load(1)).toBe(1);
      kernel.fromClient({ sourcePort: 1, flags: FLAGS.RST, sequence: 1 });
      expect(kernel.load(1)).toBe(0);
    }
    expect(kernel.drops()).toEqual({});
  });

  it("hold a flood of SYNs to their bound", () => {
    kernel.configure({ half_open_count: 16 });
    for (let port = 1; port <= 500; port++) syn(port, port);
    expect(kernel.flowCount()).toBe(32);
    expect(kernel.load(1)).toBe(16);
    expect(kernel.drops()).toEqual({ halfOpenReclaimed: 484 });
  });
});

describePrograms("datagram flows", () => {
  const send = (sourcePort: number) => kernel.fromClient({ protocol: UDP, sourcePort });
  const keyOf = (port: number) => ({ ...converse(kernel).forwardKey, source_port: port, protocol: UDP });
  const stateOf = (port: number) => kernel.flow(keyOf(port))?.state;
  beforeEach(() => kernel.publish({ sequence: [1], protocol: UDP }));

  it("of invented clients are held to the bound of half-open flows, without a trace in the load", () => {
    kernel.configure({ half_open_count: 16 });
    for (let port = 1; port <= 500; port++) send(port);
    expect(kernel.flowCount()).toBe(32);
    expect(kernel.load(1)).toBe(16);
    expect(kernel.drops()).toEqual({ halfOpenReclaimed: 484 });
  });

  it("that the member has answered stay, whatever comes", () => {
    kernel.configure({ half_open_count: 4 });
    const { packet } = send(1);
    expect(stateOf(1)).toBe(FLOW_STATE.halfOpen);
    kernel.fromMember({ protocol: UDP, destination: packet.source, destinationPort: packet.sourcePort });
    for (let port = 2; port <= 50; port++) send(port);
    expect(stateOf(1)).toBe(FLOW_STATE.established);
    expect(stateOf(2)).toBeUndefined();
  });

  it("that nobody answers stay when their client goes on for a second, as logs do", () => {
    kernel.configure({ half_open_count: 4 });
    for (const port of [1, 2]) send(port);
    kernel.patchFlow(keyOf(1), { created_ns: now() - 2n * SECOND_NS });
    for (const port of [1, 2]) send(port);
    for (let port = 3; port <= 50; port++) send(port);
    expect(stateOf(1)).toBe(FLOW_STATE.established);
    expect(stateOf(2)).toBeUndefined();
  });
});
