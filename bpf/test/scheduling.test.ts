import { afterAll, beforeEach, expect, it } from "vitest";
import { AFFINITY, AFFINITY_KEY, STATE, WHY } from "./layout.ts";
import { FLAGS, TCP, UDP } from "./packet.ts";
import { CLIENT, freshPrograms, now, type Programs, SECOND_NS } from "./programs.ts";
import { describePrograms } from "./suite.ts";

let kernel: Programs;
let nextPort = 0;

beforeEach(() => {
  nextPort = 10_000;
  kernel = freshPrograms(kernel);
  kernel.configure();
  for (let index = 1; index <= 16; index++) kernel.writeMember(index);
});
afterAll(() => kernel?.[Symbol.dispose]());

/** Members by index, of `count` new flows. */
function pick(count: number, packet: { readonly source?: string } = {}): number[] {
  return Array.from({ length: count }, () => {
    const answer = kernel.fromClient({ sourcePort: nextPort++, ...packet });
    return Number(answer.packet.destination.split(".")[3]) - 1;
  });
}

function tally(picked: readonly number[]): Readonly<Record<number, number>> {
  const counts: Record<number, number> = {};
  for (const member of picked) counts[member] = (counts[member] ?? 0) + 1;
  return counts;
}

describePrograms("rr and wrr", () => {
  it("go through the sequence in order, exactly", () => {
    kernel.publish({ sequence: [1, 2, 3], scheduler: "rr" });
    expect(pick(7)).toEqual([1, 2, 3, 1, 2, 3, 1]);
    kernel.publish({ sequence: [1, 1, 2, 1], at: 100, scheduler: "wrr", pool: 1 });
    expect(tally(pick(40))).toEqual({ 1: 30, 2: 10 });
  });

  it("share one ticket over the addresses of a pool", () => {
    kernel.publish({ sequence: [1, 2], scheduler: "rr" });
    kernel.publish({ sequence: [1, 2], scheduler: "rr", protocol: UDP });
    const first = pick(1);
    const second = Number(kernel.fromClient({ protocol: UDP }).packet.destination.split(".")[3]) - 1;
    expect([...first, second].toSorted()).toEqual([1, 2]);
  });

  it("skip a member that is no longer active", () => {
    kernel.publish({ sequence: [1, 2, 3], scheduler: "rr" });
    kernel.writeMember(2, { state: STATE.paused });
    expect(tally(pick(30))[2]).toBeUndefined();
  });

  it("skip a place that has gone to another pool meanwhile", () => {
    kernel.publish({ sequence: [1, 2, 3], scheduler: "rr" });
    kernel.writeMember(2, { pool: 9 });
    expect(tally(pick(30))[2]).toBeUndefined();
  });
});

describePrograms("lc and wlc", () => {
  it("keep the loads of open flows within one of each other", () => {
    kernel.publish({ sequence: [1, 2, 3, 4, 5], scheduler: "lc" });
    for (let round = 0; round < 23; round++) {
      pick(1 + round);
      const loads = [1, 2, 3, 4, 5].map((index) => kernel.load(index));
      expect(Math.max(...loads) - Math.min(...loads)).toBeLessThanOrEqual(1);
    }
  });

  it("fill up the member that has fewest", () => {
    kernel.writeMember(1, { load: 5n });
    kernel.writeMember(2, { load: 3n });
    kernel.publish({ sequence: [1, 2], scheduler: "lc" });
    expect(pick(2)).toEqual([2, 2]);
    expect(tally(pick(10))).toEqual({ 1: 5, 2: 5 });
  });

  it("weigh", () => {
    kernel.publish({ sequence: [1, 2], weights: [3, 1], scheduler: "wlc" });
    expect(tally(pick(40))).toEqual({ 1: 30, 2: 10 });
  });

  it("spread ties over all members", () => {
    kernel.publish({ sequence: [1, 2, 3, 4], scheduler: "lc", protocol: TCP });
    const picked = Array.from({ length: 40 }, () => {
      const member = pick(1)[0] ?? 0;
      kernel.fromClient({ sourcePort: nextPort - 1, flags: FLAGS.RST, sequence: 1001 });
      return member;
    });
    expect(tally(picked)).toEqual({ 1: 10, 2: 10, 3: 10, 4: 10 });
  });

  it("look at as many as 1,024 members", () => {
    for (let index = 1; index <= 1024; index++) {
      kernel.writeMember(index, {
        address: `10.0.2.${2 + (index % 16)}`,
        port: 1 + index,
        load: index === 1000 ? 3n : 9n,
      });
    }
    kernel.publish({ sequence: Array.from({ length: 1024 }, (_, index) => index + 1), scheduler: "lc" });
    expect(kernel.fromClient().packet.destinationPort).toBe(1001);
    expect(kernel.load(1000)).toBe(4);
  });
});

describePrograms("sh and mh", () => {
  it("sh sends one client to one member, mh spreads its flows", () => {
    kernel.publish({ sequence: [1, 2, 3, 4, 5, 6, 7], scheduler: "sh" });
    expect(Object.keys(tally(pick(20)))).toHaveLength(1);
    const others = Array.from(
      { length: 40 },
      (_, host) => pick(1, { source: `10.0.1.${100 + host}` })[0] ?? 0,
    );
    expect(Object.keys(tally(others)).length).toBeGreaterThan(3);
    kernel.publish({ sequence: [1, 2, 3, 4, 5, 6, 7], scheduler: "mh", ip: "192.0.2.11" });
    const flows = Array.from({ length: 40 }, (_, flow) =>
      kernel.fromClient({ destination: "192.0.2.11", sourcePort: 10_000 + flow }),
    );
    expect(new Set(flows.map(({ packet }) => packet.destination)).size).toBeGreaterThan(3);
  });

  it("take the slot that the documented hash names", () => {
    const sequence = [1, 2, 3, 4, 5, 6, 7];
    kernel.publish({ sequence, scheduler: "sh" });
    const client = 0x0a000102;
    expect(pick(1)).toEqual([sequence[hashWords(client, 0) % 7]]);
    kernel.publish({ sequence, scheduler: "mh", ip: "192.0.2.11" });
    for (let port = 20_000; port < 20_010; port++) {
      const { packet } = kernel.fromClient({ destination: "192.0.2.11", sourcePort: port });
      const expected = sequence[hashWords(client, ((port << 16) | TCP) >>> 0) % 7] ?? 0;
      expect(packet.destination).toBe(`10.0.2.${expected + 1}`);
    }
  });

  it("hash as written down", () => {
    expect([hashWords(0, 0), hashWords(0xc0000201, 0), hashWords(0xc0000201, (40_000 << 16) | 6)]).toEqual(
      VECTORS,
    );
  });
});

/** hash_words of (0, 0), (192.0.2.1, 0) and (192.0.2.1, port 40000 of TCP). */
const VECTORS = [2856213345, 655748280, 3124679609];

/** `bpf/include/hash.h`, written down a second time. */
function hashWords(first: number, second: number): number {
  return mix(mix(first ^ 0x9e3779b9) ^ second);
}

function mix(word: number): number {
  let hash = word >>> 0;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b) >>> 0;
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35) >>> 0;
  return (hash ^ (hash >>> 16)) >>> 0;
}

describePrograms("session affinity", () => {
  const key = AFFINITY_KEY.encode({ pool: 1, client: CLIENT.ip });
  const last = () => {
    const value = Buffer.alloc(AFFINITY.sizeBytes);
    return kernel.map("affinity").lookup(key, value) ? AFFINITY.decode(value) : undefined;
  };

  it("keeps a client at its member, until the time is over or the member takes no more", () => {
    kernel.publish({ sequence: [1, 2, 3], affinitySeconds: 6 });
    expect(pick(5)).toEqual([1, 1, 1, 1, 1]);
    expect(
      kernel.flow({
        source: CLIENT.ip,
        destination: "192.0.2.10",
        source_port: 10_001,
        destination_port: 80,
        protocol: 6,
      })?.why,
    ).toBe(WHY.affinity);
    kernel.map("affinity").update(key, AFFINITY.encode({ member: 1, last_ns: now() - 7n * SECOND_NS }));
    expect(pick(1)).toEqual([2]);
    kernel.writeMember(last()?.member ?? 0, {
      state: STATE.draining,
      drain_deadline_ns: now() + 900n * SECOND_NS,
    });
    const before = last()?.member;
    expect(kernel.fromClient({ sourcePort: 1 }).packet.destination).not.toBe(`10.0.2.${Number(before) + 1}`);
  });

  it("does not bring a client to a member of weight 0", () => {
    kernel.publish({ sequence: [1, 2], affinitySeconds: 6 });
    expect(pick(2)).toEqual([1, 1]);
    kernel.writeMember(1, { weight: 0, load: 2n });
    expect(pick(2)).toEqual([2, 2]);
  });

  it("is given up by name when the table is full, not the flow", () => {
    kernel.publish({ sequence: [1], affinitySeconds: 60 });
    for (let host = 0; host < 32; host++) {
      kernel
        .map("affinity")
        .update(AFFINITY_KEY.encode({ pool: 9, client: `10.9.9.${host}` }), AFFINITY.encode({}));
    }
    expect(kernel.fromClient().verdict).toBe("redirect");
    expect(kernel.drops()).toEqual({ affinityFull: 1 });
  });
});
