import { afterAll, beforeEach, expect, it } from "vitest";
import { converse } from "./conversation.ts";
import { FLAG, FLOW_STATE, STATE, WHY } from "./layout.ts";
import { FLAGS, timestampOption, UDP } from "./packet.ts";
import { freshPrograms, now, type Programs, SECOND_NS } from "./programs.ts";
import { describePrograms } from "./suite.ts";

const { halfOpen, established, closing, closed } = FLOW_STATE;
const FIN = { flags: FLAGS.FIN | FLAGS.ACK };
let kernel: Programs;

beforeEach(() => {
  kernel = freshPrograms(kernel);
  kernel.configure();
  kernel.writeMember(1);
  kernel.publish({ sequence: [1] });
});
afterAll(() => kernel?.[Symbol.dispose]());

const stateOf = (talk: ReturnType<typeof converse>) => kernel.flow(talk.forwardKey)?.state;
const flagsOf = (talk: ReturnType<typeof converse>) => kernel.flow(talk.forwardKey)?.flags;

describePrograms("opening", () => {
  it("is established by the client's ACK of the member's SYN-ACK, and counted all along", () => {
    const talk = converse(kernel);
    talk.client({ flags: FLAGS.SYN, ack: 0 });
    expect(stateOf(talk)).toBe(halfOpen);
    talk.member({ flags: FLAGS.SYN | FLAGS.ACK });
    expect(stateOf(talk)).toBe(halfOpen);
    talk.client();
    expect(stateOf(talk)).toBe(established);
    expect(kernel.load(1)).toBe(1);
  });

  it("is not by an ACK of nothing: a blind sender stays in the bounded ring", () => {
    const talk = converse(kernel);
    talk.client({ flags: FLAGS.SYN, ack: 0 });
    for (const ack of [77, 0xfffffff0]) talk.client({ ack });
    expect(stateOf(talk)).toBe(halfOpen);
    talk.member({ flags: FLAGS.SYN | FLAGS.ACK });
    talk.client({ ack: 0x80000000 });
    expect(stateOf(talk)).toBe(halfOpen);
  });

  it("keeps each direction's sequence number, ACK and time", () => {
    const talk = converse(kernel).open();
    talk.client({ payload: "12345" });
    talk.member({ payload: "123" });
    expect(kernel.flow(talk.forwardKey)).toMatchObject({ last_sequence: 1006, last_ack: 5001 });
    expect(kernel.flow(talk.replyKey())).toMatchObject({ last_sequence: 5004, last_ack: 1006 });
  });
});

describePrograms("what is sent again", () => {
  it("does not take the sequence number back, by which the other side's RST is believed", () => {
    const talk = converse(kernel).open();
    talk.client({ payload: "12345" });
    talk.client({ payload: "12345", sequence: 1001 });
    talk.client({ sequence: 1001 });
    expect(kernel.flow(talk.forwardKey)?.last_sequence).toBe(1006);
  });
});

describePrograms("closing", () => {
  it.each([
    ["client first", ["client", "member"], 0],
    ["member first", ["member", "client"], FLAG.memberFirst],
  ] as const)("%s: closing, then closed and off the load once", (_, order, first) => {
    const talk = converse(kernel).open();
    talk[order[0]](FIN);
    expect(stateOf(talk)).toBe(closing);
    expect(kernel.load(1)).toBe(1);
    talk[order[0]](FIN);
    expect(stateOf(talk)).toBe(closing);
    talk[order[1]](FIN);
    expect(stateOf(talk)).toBe(closed);
    expect(flagsOf(talk)).toBe(FLAG.finClient | FLAG.finMember | first);
    expect(kernel.load(1)).toBe(0);
    talk[order[1]](FIN);
    talk.client();
    talk.member();
    expect(kernel.load(1)).toBe(0);
  });

  it("both at once: both may be in TIME_WAIT", () => {
    const talk = converse(kernel).open();
    talk.client({ ...FIN, sequence: 1001 });
    talk.member({ ...FIN, ack: 1001 });
    expect(flagsOf(talk)).toBe(FLAG.finClient | FLAG.finMember | FLAG.memberFirst);
    expect(stateOf(talk)).toBe(closed);
  });

  it.each(["client", "member"] as const)("a RST of the %s ends it", (side) => {
    const talk = converse(kernel).open();
    expect(talk[side]({ flags: FLAGS.RST | FLAGS.ACK }).verdict).toBe("redirect");
    expect(stateOf(talk)).toBe(closed);
    expect(flagsOf(talk)).toBe(FLAG.reset);
    expect(kernel.load(1)).toBe(0);
    talk[side]({ flags: FLAGS.RST | FLAGS.ACK });
    talk[side](FIN);
    expect(kernel.load(1)).toBe(0);
  });

  it("a refused SYN ends it: the member's RST has sequence 0", () => {
    const talk = converse(kernel);
    talk.client({ flags: FLAGS.SYN, ack: 0 });
    talk.member({ flags: FLAGS.RST | FLAGS.ACK, sequence: 0 });
    expect(stateOf(talk)).toBe(closed);
    expect(kernel.load(1)).toBe(0);
  });

  it("a RST far outside of the window does not", () => {
    const talk = converse(kernel).open();
    talk.member({ payload: "x" });
    talk.client({ flags: FLAGS.RST, sequence: 0xc0000000 });
    expect(stateOf(talk)).toBe(established);
    expect(kernel.load(1)).toBe(1);
  });

  it("keeps the timestamp that the member saw last", () => {
    const talk = converse(kernel).open();
    talk.member(FIN);
    talk.client({ tcpOptions: timestampOption(777) });
    talk.client({ ...FIN, tcpOptions: timestampOption(778) });
    expect(kernel.flow(talk.forwardKey)?.last_timestamp).toBe(778);
  });
});

describePrograms("a SYN on a known flow", () => {
  it("goes to the member of an established one, which will challenge it", () => {
    const talk = converse(kernel).open();
    expect(talk.client({ flags: FLAGS.SYN, sequence: 99_999, ack: 0 }).verdict).toBe("redirect");
    expect(stateOf(talk)).toBe(established);
    expect(kernel.flowCount()).toBe(2);
  });

  it.each([closing, closed])("opens a new flow in place of one in state %i", (state) => {
    const talk = converse(kernel).open();
    talk.client(FIN);
    if (state === closed) talk.member(FIN);
    expect(talk.client({ flags: FLAGS.SYN, sequence: 9_000_000, ack: 0 }).verdict).toBe("redirect");
    expect(kernel.flow(talk.forwardKey)).toMatchObject({ state: halfOpen, why: WHY.scheduled, flags: 0 });
    expect(kernel.flowCount()).toBe(2);
    expect(kernel.load(1)).toBe(1);
  });

  it.each([
    ["paused", { state: STATE.paused }],
    ["draining", { state: STATE.draining, drain_deadline_ns: now() + 900n * SECOND_NS }],
    ["of weight 0", { weight: 0 }],
    ["cut", { state: STATE.cut }],
  ])("is scheduled anew when half-open and the member is %s", (_, change) => {
    kernel.fromClient();
    kernel.writeMember(1, { ...change, load: 1n });
    kernel.writeMember(2);
    kernel.publish({ sequence: [2] });
    const { packet } = kernel.fromClient();
    expect(packet.destination).toBe("10.0.2.3");
    expect(kernel.flow(converse(kernel).forwardKey)).toMatchObject({ member: 2, why: WHY.rescheduled });
    expect([kernel.load(1), kernel.load(2)]).toEqual([0, 1]);
    expect(kernel.flowCount()).toBe(2);
  });
});

describePrograms("a member that drains, or is cut", () => {
  it("keeps its flows until the deadline, paused ones for good", () => {
    const talk = converse(kernel).open();
    for (const state of [STATE.paused, STATE.draining]) {
      kernel.writeMember(1, { state, drain_deadline_ns: now() + 900n * SECOND_NS, load: 1n });
      expect(talk.client({ payload: "more" }).verdict).toBe("redirect");
      expect(talk.member({ payload: "more" }).verdict).toBe("redirect");
    }
  });

  it.each([
    ["past its deadline", { state: STATE.draining, drain_deadline_ns: 1n }],
    ["cut", { state: STATE.cut }],
  ])("resets both sides when %s, with what each expects next", (_, change) => {
    const talk = converse(kernel).open();
    kernel.writeMember(1, { ...change, load: 1n });
    const toClient = talk.client({ payload: "hello" });
    expect(toClient.verdict).toBe("redirect");
    expect(toClient.packet).toMatchObject({ flags: FLAGS.RST, sequence: 5001, destinationPort: 40_000 });
    const toMember = talk.member({ payload: "hi" });
    expect(toMember.packet).toMatchObject({
      flags: FLAGS.RST,
      destination: "10.0.2.2",
      destinationPort: 8080,
    });
    expect(kernel.drops()).toEqual({ cut: 2 });
    // Until the agent has reset the sides that are silent, and takes the flow out.
    expect(kernel.load(1)).toBe(1);
    expect(flagsOf(talk)).toBe(FLAG.cut | FLAG.reset);
    kernel.writeMember(1);
    expect(talk.client().packet.flags).toBe(FLAGS.RST);
    expect(kernel.load(1)).toBe(0);
  });

  it("stays cut for the side that was silent, though the member comes back", () => {
    const talk = converse(kernel).open();
    kernel.writeMember(1, { state: STATE.cut, load: 1n });
    talk.client({ payload: "hello" });
    kernel.writeMember(1, { load: 1n });
    expect(talk.member({ payload: "hi" }).packet.flags).toBe(FLAGS.RST);
    expect(kernel.drops()).toEqual({ cut: 2 });
  });

  it("loses its datagrams to another member at once", () => {
    kernel.publish({ sequence: [1], protocol: UDP });
    kernel.fromClient({ protocol: UDP });
    kernel.writeMember(1, { state: STATE.draining, drain_deadline_ns: now() + 900n * SECOND_NS, load: 1n });
    kernel.writeMember(2);
    kernel.publish({ sequence: [2], protocol: UDP });
    expect(kernel.fromClient({ protocol: UDP }).packet.destination).toBe("10.0.2.3");
    expect([kernel.load(1), kernel.load(2)]).toEqual([0, 1]);
    kernel.writeMember(2, { state: STATE.paused, load: 1n });
    expect(kernel.fromClient({ protocol: UDP }).packet.destination).toBe("10.0.2.3");
  });
});

describePrograms("time", () => {
  const idle = (talk: ReturnType<typeof converse>, seconds: bigint) => {
    for (const key of [talk.forwardKey, talk.replyKey()])
      kernel.patchFlow(key, { last_seen_ns: now() - seconds * SECOND_NS });
  };

  it("an idle flow is reset, whichever side speaks", () => {
    for (const side of ["client", "member"] as const) {
      const talk = converse(kernel).open();
      idle(talk, 11n);
      expect(talk.client({ payload: "still here" }).packet.payload).toBe("still here");
      idle(talk, 13n);
      expect(talk[side]({ payload: "hello?" }).packet.flags & FLAGS.RST).toBe(FLAGS.RST);
      expect(kernel.flowCount()).toBe(0);
      expect(kernel.load(1)).toBe(0);
    }
    expect(kernel.drops()).toEqual({ expired: 2 });
  });

  it("is not idle while the other direction speaks", () => {
    const talk = converse(kernel).open();
    kernel.patchFlow(talk.forwardKey, { last_seen_ns: now() - 14n * SECOND_NS });
    expect(talk.client({ payload: "late" }).packet.payload).toBe("late");
  });

  it("an idle flow's SYN and datagram open another", () => {
    const talk = converse(kernel).open();
    idle(talk, 13n);
    expect(talk.client({ flags: FLAGS.SYN, sequence: 7, ack: 0 }).verdict).toBe("redirect");
    expect(stateOf(talk)).toBe(halfOpen);
    expect(kernel.load(1)).toBe(1);
  });
});
