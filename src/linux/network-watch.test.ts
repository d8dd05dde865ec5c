import { describe, expect, it } from "vitest";
import { cpuOrder, encodeAttribute, type NetlinkMessage } from "./netlink-codec.ts";
import { createChangeDecoder } from "./network-watch.ts";

const REACHABLE = 2;
const STALE = 4;
const FAILED = 0x20;

function neighbour(state: number, mac: string, type = 28): NetlinkMessage {
  const header = Buffer.alloc(12);
  header[0] = 2;
  cpuOrder.writeU32(header, 4, 4);
  cpuOrder.writeU16(header, state, 8);
  const address = encodeAttribute(1, Buffer.from([10, 0, 0, 1]));
  const hardware = mac === "" ? Buffer.alloc(0) : encodeAttribute(2, Buffer.from(mac, "hex"));
  return { type, flags: 0, sequence: 0, payload: Buffer.concat([header, address, hardware]) };
}

describe("neighbours in the watch", () => {
  it("are unchanged while only their reachability flaps", () => {
    const decode = createChangeDecoder();
    const states = [REACHABLE, STALE, REACHABLE].map((state) => decode(neighbour(state, "020000000001")));
    expect(states).toEqual([[], [], []]);
  });

  it("have changed when another hardware address answers", () => {
    const decode = createChangeDecoder();
    decode(neighbour(REACHABLE, "020000000001"));
    expect(decode(neighbour(REACHABLE, "020000000002"))).toEqual([{ kind: "neighbour" }]);
  });

  it("have changed when they stop answering or are removed, once", () => {
    const decode = createChangeDecoder();
    decode(neighbour(REACHABLE, "020000000001"));
    expect(decode(neighbour(FAILED, ""))).toEqual([{ kind: "neighbour" }]);
    expect(decode(neighbour(FAILED, "", 29))).toEqual([]);
  });
});
