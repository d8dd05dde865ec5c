import { endianness } from "node:os";
import { describe, expect, it } from "vitest";
import {
  addressNumber,
  decodeMember,
  decodePoolPolicy,
  decodeService,
  decodeServiceKey,
  decodeUid,
  encodeMember,
  encodePool,
  encodeService,
  encodeServiceKey,
  encodeUid,
  isSameMember,
} from "./rows.ts";

const uid = "00112233-4455-6677-8899-aabbccddeeff";
const uidBytes = encodeUid(uid) ?? Buffer.alloc(0);
const service = {
  uid: uidBytes,
  pool: 3,
  policy: { scheduler: "wlc", forwarding: "nat", affinitySeconds: 60 },
  region: { at: 100, count: 2 },
  closingNs: 5n,
} as const;
const member = {
  uid: uidBytes,
  address: 0x0a010203,
  port: 8080,
  state: 3,
  flags: 1,
  pool: 3,
  weight: 256,
  source: 0x0a010201,
  deadlineNs: 2n ** 60n,
};

describe.runIf(endianness() === "LE")("rows (bytes of a little-endian machine)", () => {
  it("of a service point lc and wlc at the eligible members", () => {
    expect(encodeService(service).toString("hex")).toBe(
      "00112233445566778899aabbccddeeff" + // pool_uid
        "03000000" +
        "0000000000000000" +
        "6400000002000000" + // pool, sequence, eligible
        "3c000000" +
        "0500000000000000" +
        "0402" +
        "000000000000", // affinity, closing, scheduler, forwarding
    );
  });

  it("of a member carry address and port as packets do", () => {
    expect(encodeMember(member).toString("hex")).toBe(
      "00112233445566778899aabbccddeeff" +
        "0a010203" +
        "1f90" +
        "03" +
        "01" +
        "03000000" +
        "00010000" +
        "0a010201" +
        "00000000" +
        "0000000000000010" +
        "0000000000000000",
    );
  });
});

describe("reading rows back", () => {
  it("gives what was written", () => {
    expect(decodeService(encodeService(service), 0)).toEqual(service);
    expect(decodeMember(encodeMember(member), 0)).toEqual(member);
    expect(decodePoolPolicy(encodePool(uidBytes, service.policy, 7n), 0)).toEqual(service.policy);
    expect(decodeUid(uidBytes, 0)).toBe(uid);
  });

  it("tells TCP and UDP of one address apart", () => {
    const numbers = (["TCP", "UDP"] as const).map((protocol) => addressNumber(0xffffffff, 65535, protocol));
    expect(numbers.map((number) => decodeServiceKey(encodeServiceKey(number), 0))).toEqual(numbers);
    expect(numbers[0]).not.toBe(numbers[1]);
  });

  it("finds nothing in a row that names no scheduler", () => {
    const damaged = encodeService(service);
    damaged[48] = 99;
    expect(decodeService(damaged, 0)).toBeUndefined();
  });

  it("does not compare loads, which the kernel writes", () => {
    const busy = encodeMember(member);
    busy[48] = 9;
    expect(isSameMember(busy, encodeMember(member))).toBe(true);
    expect(isSameMember(encodeMember({ ...member, weight: 1 }), encodeMember(member))).toBe(false);
  });

  it("refuses a uid that is no UUID", () => {
    expect(encodeUid("pool-1")).toBeUndefined();
  });
});
