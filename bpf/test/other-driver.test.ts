import { afterAll, beforeEach, expect, it } from "vitest";
import { converse } from "./conversation.ts";
import { FLOW_STATE, OTHER_DRIVER } from "./layout.ts";
import { buildPacket, FLAGS, UDP } from "./packet.ts";
import { FROM_CLIENT, freshPrograms, type Programs } from "./programs.ts";
import { describePrograms } from "./suite.ts";

const { none, drains, serves } = OTHER_DRIVER;
const SYN = { flags: FLAGS.SYN, ack: 0 };
const FIN = { flags: FLAGS.FIN | FLAGS.ACK };
let kernel: Programs;

beforeEach(() => {
  kernel = freshPrograms(kernel);
  kernel.configure();
  kernel.writeMember(1);
  kernel.publish({ sequence: [1] });
  kernel.publish({ sequence: [1], protocol: UDP });
});
afterAll(() => kernel?.[Symbol.dispose]());

describePrograms("beside a driver that still has connections", () => {
  beforeEach(() => kernel.configure({ other_driver: drains }));

  it.each([
    ["data", { flags: FLAGS.ACK | FLAGS.PSH, payload: "more" }],
    ["a FIN", FIN],
    ["a RST", { flags: FLAGS.RST }],
    ["the answer to its SYN-ACK", { flags: FLAGS.ACK }],
    ["a first fragment", { flags: FLAGS.ACK, fragment: 0x2000 }],
  ])("leaves it %s that no flow here knows, unchanged and uncounted", (_, packet) => {
    const { verdict, bytes } = kernel.fromClient(packet);
    expect(verdict).toBe("pass");
    expect(bytes).toEqual(buildPacket({ ...FROM_CLIENT, ...packet }));
    expect(kernel.drops()).toEqual({});
    kernel.configure({ other_driver: none });
    expect(kernel.fromClient(packet).verdict, "control").not.toBe("pass");
    expect(Object.keys(kernel.drops())).toHaveLength(1);
  });

  it("takes none of its connections over where it could, as it would another node's", () => {
    const adoptable = { sequence: [1, 1, 1], forwarding: "nat", scheduler: "mh" } as const;
    kernel.publish(adoptable);
    expect(kernel.fromClient({ flags: FLAGS.ACK, payload: "x" }).verdict).toBe("pass");
    expect(kernel.flowCount()).toBe(0);
    kernel.configure({ other_driver: none });
    expect(kernel.fromClient({ flags: FLAGS.ACK, payload: "x" }).verdict, "control").toBe("redirect");
  });

  it("begins connections, and keeps them", () => {
    const talk = converse(kernel).open();
    expect(talk.client({ payload: "x" }).packet.destination).toBe("10.0.2.2");
    expect(kernel.flow(talk.forwardKey)?.state).toBe(FLOW_STATE.established);
  });

  it("begins flows of datagrams with any datagram", () => {
    expect(kernel.fromClient({ protocol: UDP, payload: "x" }).verdict).toBe("redirect");
  });

  it("still refuses a connection that no member takes", () => {
    kernel.publish({ sequence: [] });
    expect(kernel.fromClient(SYN).packet.flags).toBe(FLAGS.RST | FLAGS.ACK);
  });
});

describePrograms("beside a driver that takes what is new", () => {
  it("leaves it every packet that no flow here knows", () => {
    kernel.configure({ other_driver: serves });
    for (const packet of [SYN, { flags: FLAGS.ACK }, { protocol: UDP }, { ...SYN, fragment: 0x2000 }])
      expect(kernel.fromClient(packet).verdict).toBe("pass");
    kernel.publish({ sequence: [] });
    expect(kernel.fromClient(SYN).verdict).toBe("pass");
    expect([kernel.flowCount(), kernel.drops()]).toEqual([0, {}]);
  });

  it("keeps connections and datagrams that began before, to their end", () => {
    const talk = converse(kernel).open();
    kernel.fromClient({ protocol: UDP, sourcePort: 7777 });
    kernel.configure({ other_driver: serves });
    expect(talk.client({ payload: "x" }).packet).toMatchObject({ destination: "10.0.2.2", payload: "x" });
    expect(talk.member({ payload: "y" }).packet.payload).toBe("y");
    expect(kernel.fromClient({ protocol: UDP, sourcePort: 7777 }).verdict).toBe("redirect");
    for (const side of ["client", "member"] as const) expect(talk[side](FIN).verdict).toBe("redirect");
    expect(kernel.flow(talk.forwardKey)?.state).toBe(FLOW_STATE.closed);
    expect(talk.client().verdict).toBe("redirect");
  });

  it("leaves it a client's port that is used again", () => {
    const talk = converse(kernel).open();
    talk.client(FIN);
    talk.member(FIN);
    kernel.configure({ other_driver: serves });
    expect(talk.client(SYN).verdict).toBe("pass");
    expect(talk.client().verdict).toBe("pass");
    expect(kernel.flow(talk.forwardKey)).toBeUndefined();
  });
});
