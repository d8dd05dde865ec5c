import { afterAll, beforeEach, expect, it } from "vitest";
import { converse } from "./conversation.ts";
import { FLAG, FLOW, FLOW_KEY, FLOW_STATE, type FlowKey, MEMBER, STATE } from "./layout.ts";
import { FLAGS } from "./packet.ts";
import { freshPrograms, indexKey, now, type Programs, SECOND_NS } from "./programs.ts";
import { record } from "./record.ts";
import { describePrograms } from "./suite.ts";

const EXPIRED = 1;
const FORCED = 2;
const HEADER = record({ mode: "u32", count: "u32", closed: "u32", pad: "pad:4" });
const CLOSE_REQUEST_BYTES = 16 + 128 * 16;
const WRITE_REQUEST_BYTES = 8 + 32 * 64;
let kernel: Programs;

beforeEach(() => {
  kernel = freshPrograms(kernel);
  kernel.configure();
  kernel.writeMember(1);
  kernel.publish({ sequence: [1] });
});
afterAll(() => kernel?.[Symbol.dispose]());

/** @returns how many were closed */
function close(mode: number, keys: readonly FlowKey[]): number {
  const request = Buffer.alloc(CLOSE_REQUEST_BYTES);
  HEADER.encode({ mode, count: keys.length }).copy(request);
  keys.forEach((key, index) => {
    FLOW_KEY.encode(key).copy(request, 16 + index * 16);
  });
  kernel.syscall("close_flows", request);
  return HEADER.decode(request.subarray(0, 16)).closed;
}

describePrograms("close_flows", () => {
  it("removes what is really idle, and takes it off the load", () => {
    const idle = converse(kernel).open();
    const busy = converse(kernel, { port: 41_000 }).open();
    for (const key of [idle.forwardKey, idle.replyKey()])
      kernel.patchFlow(key, { last_seen_ns: now() - 13n * SECOND_NS });
    expect(close(EXPIRED, [idle.forwardKey, busy.forwardKey])).toBe(1);
    expect(kernel.flow(idle.forwardKey)).toBeUndefined();
    expect(kernel.flow(idle.replyKey())).toBeUndefined();
    expect(kernel.flow(busy.forwardKey)).toBeDefined();
    expect(kernel.load(1)).toBe(1);
  });

  it("keeps a flow of which one direction still speaks", () => {
    const talk = converse(kernel).open();
    kernel.patchFlow(talk.forwardKey, { last_seen_ns: 1n });
    expect(close(EXPIRED, [talk.forwardKey])).toBe(0);
  });

  it.each([
    ["half-open", FLOW_STATE.halfOpen, 5n, 1],
    ["half-open", FLOW_STATE.halfOpen, 3n, 0],
    ["closing", FLOW_STATE.closing, 11n, 1],
    ["closing", FLOW_STATE.closing, 9n, 0],
    ["closed", FLOW_STATE.closed, 7n, 1],
    ["closed", FLOW_STATE.closed, 5n, 0],
  ])("goes by the state: %s %i after %i s", (_, state, seconds, closed) => {
    const talk = converse(kernel).open();
    kernel.patchFlow(talk.forwardKey, { state, last_seen_ns: now() - seconds * SECOND_NS });
    kernel.patchFlow(talk.replyKey(), { last_seen_ns: now() - seconds * SECOND_NS });
    expect(close(EXPIRED, [talk.forwardKey])).toBe(closed);
  });

  it("removes half of a pair, whichever half, once it is a second old", () => {
    const talk = converse(kernel).open();
    const half = converse(kernel, { port: 41_000 }).open();
    kernel.map("flow").delete(FLOW_KEY.encode(talk.replyKey()));
    expect(close(EXPIRED, [talk.forwardKey])).toBe(1);
    kernel.map("flow").delete(FLOW_KEY.encode(half.forwardKey));
    expect(close(EXPIRED, [half.replyKey()])).toBe(0);
    kernel.patchFlow(half.replyKey(), { created_ns: now() - 2n * SECOND_NS });
    expect(close(EXPIRED, [half.replyKey()])).toBe(1);
    expect(kernel.flowCount()).toBe(0);
  });

  it("keeps a port that is only kept until its time is over", () => {
    const talk = converse(kernel).open();
    talk.member({ flags: FLAGS.FIN | FLAGS.ACK });
    talk.client({ flags: FLAGS.FIN | FLAGS.ACK });
    talk.client({ flags: FLAGS.SYN, sequence: 5, ack: 0 });
    const kept = [...keys()].find((key) => kernel.flow(key)?.state === FLOW_STATE.closed) ?? {};
    kernel.patchFlow(kept, { created_ns: 1n });
    expect(close(EXPIRED, [kept])).toBe(0);
    kernel.patchFlow(kept, { last_seen_ns: now() - 7n * SECOND_NS });
    expect(close(EXPIRED, [kept])).toBe(1);
  });

  it("by force: off the load once, and RST to whatever still comes", () => {
    const talk = converse(kernel).open();
    expect(close(FORCED, [talk.forwardKey, talk.forwardKey])).toBe(1);
    expect(kernel.flow(talk.forwardKey)).toMatchObject({
      state: FLOW_STATE.closed,
      flags: FLAG.cut | FLAG.reset,
    });
    expect(kernel.load(1)).toBe(0);
    expect(talk.client({ payload: "x" }).packet.flags).toBe(FLAGS.RST);
    expect(talk.member({ payload: "x" }).packet.flags).toBe(FLAGS.RST);
    expect(kernel.drops()).toEqual({ cut: 2 });
    expect(talk.client({ flags: FLAGS.SYN, ack: 0 }).packet.destination).toBe("10.0.2.2");
  });

  it("takes 128 at once, and ignores keys that it does not know", () => {
    const talks = Array.from({ length: 127 }, (_, index) =>
      converse(kernel, { port: 20_000 + index }).open(),
    );
    expect(close(FORCED, [...talks.map((talk) => talk.forwardKey), { source: "1.2.3.4" }])).toBe(127);
    expect(kernel.load(1)).toBe(0);
  });
});

function* keys(): Generator<FlowKey> {
  for (const batch of kernel.map("flow").batches(64)) {
    for (let index = 0; index < batch.count; index++)
      yield FLOW_KEY.decode(
        batch.keys.subarray(index * FLOW_KEY.sizeBytes, (index + 1) * FLOW_KEY.sizeBytes),
      );
  }
}

describePrograms("adjust_load", () => {
  it("adds to a member's load", () => {
    kernel.syscall("adjust_load", record({ member: "u32", delta: "s32" }).encode({ member: 1, delta: 5 }));
    expect(kernel.load(1)).toBe(5);
    kernel.syscall("adjust_load", record({ member: "u32", delta: "s32" }).encode({ member: 1, delta: -7 }));
    expect(kernel.load(1)).toBe(-2);
  });
});

describePrograms("write_members", () => {
  const write = (index: number, value: Parameters<typeof MEMBER.encode>[0]) => {
    const request = Buffer.alloc(WRITE_REQUEST_BYTES);
    indexKey(1).copy(request, 0);
    indexKey(index).copy(request, 8);
    MEMBER.encode(value).copy(request, 16);
    kernel.syscall("write_members", request);
    return request;
  };

  it("changes everything but the load of a member that stays in its pool", () => {
    converse(kernel).open();
    const changed = {
      address: "10.0.2.9",
      port: 99,
      state: STATE.draining,
      flags: 1,
      pool: 3,
      weight: 7,
      source: "10.0.2.7",
      drain_deadline_ns: 123n,
    };
    write(1, { ...changed, load: 44n });
    expect(kernel.member(1)).toMatchObject({ ...changed, load: 1n });
  });

  it("starts the load anew when the place goes to another pool", () => {
    converse(kernel).open();
    const request = write(1, { pool_uid: "cd".repeat(16), load: 0n });
    expect(kernel.load(1)).toBe(0);
    expect(request.subarray(4, 8)).toEqual(indexKey(1));
  });
});

it("the second writing-down of the layout has the sizes of the first", () => {
  expect([FLOW.sizeBytes, FLOW_KEY.sizeBytes, MEMBER.sizeBytes]).toEqual([96, 16, 56]);
});
