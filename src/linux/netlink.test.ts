import { describe, expect, it } from "vitest";
import { findFamily } from "./generic-netlink.ts";
import { converse, type NetlinkSocket } from "./netlink.ts";
import { MessageBatch } from "./netlink-batch.ts";
import { cpuOrder, encodeAttribute, encodeMessage } from "./netlink-codec.ts";
import type { NetlinkTransport } from "./netlink-transport.ts";

const ERROR = 2;
const DONE = 3;
const MULTI = 2;
const INTERRUPTED = 0x10;
const DUMP = 0x300;
const ACK = 4;
const EEXIST = 17;
const ENOBUFS = 105;
const EINTR = 4;
const EAGAIN = 11;
const EMSGSIZE = 90;

/** A datagram, or the errno value that receiving it fails with. */
type Arrival = Buffer | number;

/** A kernel that answers the requests of each socket with what `script` says for the request's number, from 1. */
function scriptedKernel(script: (request: number, sequence: number) => readonly Arrival[]) {
  const log = { opened: 0, closed: 0, requests: [] as Buffer[] };
  const open = (): NetlinkTransport => {
    log.opened += 1;
    let arrivals: Arrival[] = [];
    return {
      send(_action, datagram) {
        log.requests.push(Buffer.from(datagram));
        arrivals = [...arrivals, ...script(log.requests.length, cpuOrder.readU32(datagram, 8))];
      },
      receive() {
        const arrival = arrivals.shift();
        if (arrival === undefined) return -EAGAIN;
        if (typeof arrival === "number") return -arrival;
        return arrival;
      },
      [Symbol.dispose]: () => {
        log.closed += 1;
      },
    };
  };
  return { log, netlink: converse(open) };
}

function part(sequence: number, text: string, flags = MULTI): Buffer {
  return encodeMessage(40, flags, sequence, Buffer.from(text.padEnd(4)));
}

function done(sequence: number, errno = 0, flags = MULTI): Buffer {
  return encodeMessage(DONE, flags, sequence, errnoBytes(errno));
}

function refusal(sequence: number, errno: number): Buffer {
  const header = encodeMessage(40, 0, sequence, Buffer.alloc(0));
  return encodeMessage(ERROR, 0, sequence, Buffer.concat([errnoBytes(errno), header]));
}

function errnoBytes(errno: number): Buffer {
  const bytes = Buffer.alloc(4);
  cpuOrder.writeU32(bytes, -errno >>> 0, 0);
  return bytes;
}

function ask(netlink: NetlinkSocket): string[] {
  return netlink
    .request("list parts", 40, DUMP, Buffer.alloc(4))
    .map(({ payload }) => payload.toString().trim());
}

function batchOf(count: number): MessageBatch {
  const batch = new MessageBatch();
  for (let index = 0; index < count; index += 1) {
    batch.begin(40, Buffer.alloc(4));
    batch.end();
  }
  return batch;
}

describe("a question", () => {
  it("is answered by parts in several datagrams, until the kernel says that it is done", () => {
    const { netlink, log } = scriptedKernel((_, sequence) => [
      Buffer.concat([part(sequence, "a"), part(sequence, "b")]),
      part(sequence, "c"),
      done(sequence),
    ]);
    expect(ask(netlink)).toEqual(["a", "b", "c"]);
    expect([log.opened, netlink.resyncCount]).toEqual([1, 0]);
  });

  const broken: readonly (readonly [string, (sequence: number) => readonly Arrival[]])[] = [
    ["overflows (ENOBUFS)", (sequence) => [part(sequence, "old"), ENOBUFS, done(sequence)]],
    [
      "was interrupted by a change (NLM_F_DUMP_INTR)",
      (s) => [part(s, "old"), done(s, 0, MULTI | INTERRUPTED)],
    ],
    ["ends with EINTR", (sequence) => [part(sequence, "old"), done(sequence, EINTR)]],
    ["is cut off within a message", (sequence) => [part(sequence, "old").subarray(0, 18), done(sequence)]],
    ["is longer than the buffer", () => [EMSGSIZE]],
    ["is empty", (sequence) => [part(sequence, "old"), Buffer.alloc(0), done(sequence)]],
    ["has a number that was never asked", (s) => [part(s, "old"), part(s + 7, "strange"), done(s)]],
    ["stops before its end", (sequence) => [part(sequence, "old")]],
  ];
  it.each(broken)("is asked again over a new socket when the answer %s", (_, brokenAnswer) => {
    const { netlink, log } = scriptedKernel((request, sequence) =>
      request === 1 ? brokenAnswer(sequence) : [part(sequence, "new"), done(sequence)],
    );
    expect(ask(netlink)).toEqual(["new"]);
    expect([log.opened, log.closed, netlink.resyncCount]).toEqual([2, 1, 1]);
    expect(ask(netlink), "the next question").toEqual(["new"]);
  });

  it("passes over what answers an earlier question", () => {
    const { netlink } = scriptedKernel((request, sequence) =>
      request === 1
        ? [part(sequence, "first", 0), part(sequence, "late", 0)]
        : [part(sequence, "second"), done(sequence)],
    );
    expect(netlink.request("read it", 40, 0, Buffer.alloc(4))).toHaveLength(1);
    expect(ask(netlink)).toEqual(["second"]);
    expect(netlink.resyncCount).toBe(0);
  });

  it("goes on after a signal", () => {
    const { netlink } = scriptedKernel((_, sequence) => [EINTR, part(sequence, "a"), EINTR, done(sequence)]);
    expect(ask(netlink)).toEqual(["a"]);
    expect(netlink.resyncCount).toBe(0);
  });

  it("is given up after five lost answers, and says why", () => {
    const { netlink, log } = scriptedKernel(() => [ENOBUFS]);
    expect(() => ask(netlink)).toThrow("Cannot list parts: the kernel's answer was lost: ENOBUFS");
    expect(log.requests).toHaveLength(5);
  });

  it("fails with the kernel's errno, also at the end of a dump", () => {
    const { netlink } = scriptedKernel((_, sequence) => [part(sequence, "a"), done(sequence, EEXIST)]);
    expect(() => ask(netlink)).toThrow("Cannot list parts: EEXIST");
  });

  it("is asked once when it changes something", () => {
    const { netlink, log } = scriptedKernel(() => [ENOBUFS]);
    expect(() => netlink.request("change it", 40, ACK, Buffer.alloc(4))).toThrow("Cannot change it");
    expect(log.requests).toHaveLength(1);
  });
});

describe("a batch", () => {
  it("is one send; what is refused is told by its place, and the last one's answer ends it", () => {
    const { netlink, log } = scriptedKernel((_, first) => [
      refusal(first + 1, EEXIST),
      Buffer.concat([refusal(first + 2, EINTR), refusal(first + 3, 0)]),
    ]);
    expect(netlink.requestAll("change four", batchOf(4)).map(({ index, errno }) => [index, errno])).toEqual([
      [1, EEXIST],
      [2, EINTR],
    ]);
    expect(log.requests).toHaveLength(1);
  });

  it("may have its last message refused", () => {
    const { netlink } = scriptedKernel((_, first) => [refusal(first + 1, EEXIST)]);
    expect(netlink.requestAll("change two", batchOf(2))).toMatchObject([{ index: 1, errno: EEXIST }]);
  });

  it.each([
    ["overflow", (first: number) => [refusal(first, EEXIST), ENOBUFS]],
    ["stop", (first: number) => [refusal(first, EEXIST)]],
    ["are cut off", (first: number) => [refusal(first + 1, 0).subarray(0, 20)]],
    ["have a number that was never asked", (first: number) => [refusal(first + 2, 0)]],
  ])(
    "is not repeated when its answers %s: the caller must read what is there; the next works",
    (_, answers) => {
      const { netlink, log } = scriptedKernel((request, first) =>
        request === 1 ? answers(first) : [refusal(first + 1, 0)],
      );
      expect(() => netlink.requestAll("change two", batchOf(2))).toThrow(
        "Cannot change two: the kernel's answer was lost",
      );
      expect([log.requests.length, log.opened, log.closed]).toEqual([1, 2, 1]);
      expect(netlink.requestAll("change two", batchOf(2))).toEqual([]);
    },
  );
});

describe("what arrives by itself", () => {
  it("is an overrun where the kernel threw messages away or one is not whole", () => {
    for (const arrival of [ENOBUFS, EMSGSIZE, part(0, "a").subarray(0, 18)]) {
      const { netlink } = scriptedKernel(() => [part(1, "a", 0), arrival, done(1)]);
      netlink.request("begin", 40, 0, Buffer.alloc(4));
      expect(netlink.receive()).toBe("overrun");
    }
  });
});

describe("findFamily", () => {
  it("asks the controller by name and reads the number", () => {
    const { netlink, log } = scriptedKernel((_, sequence) => {
      const number = Buffer.alloc(2);
      cpuOrder.writeU16(number, 28, 0);
      return [encodeMessage(16, 0, sequence, Buffer.concat([Buffer.alloc(4), encodeAttribute(1, number)]))];
    });
    expect(findFamily(netlink, "IPVS")).toBe(28);
    // Recorded from ipvsadm, which sets NLM_F_ACK as well.
    expect(log.requests[0]?.subarray(16).toString("latin1")).toBe("\x03\x01\0\0\x09\0\x02\0IPVS\0\0\0\0");
  });

  it("finds none where the kernel says ENOENT", () => {
    const { netlink } = scriptedKernel((_, sequence) => [refusal(sequence, 2)]);
    expect(findFamily(netlink, "IPVS")).toBeUndefined();
  });
});
