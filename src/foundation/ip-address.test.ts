import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { classifyIpv4, formatIpv4, parseIpv4, parseIpv4Range } from "./ip-address.ts";

describe("parseIpv4", () => {
  it("reads what formatIpv4 writes", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 0xffffffff }), (address) => {
        expect(parseIpv4(formatIpv4(address))).toBe(address);
      }),
    );
  });

  it.each(["010.0.0.1", "10.1", "10.0.0.256", "10.0.0.1 ", "0x0a.0.0.1", "", "::1"])(
    "refuses %j, which other readers take for an address",
    (text) => {
      expect(parseIpv4(text)).toBeUndefined();
    },
  );
});

describe("parseIpv4Range", () => {
  it.each([
    ["10.0.0.0/30", "10.0.0.0", "10.0.0.3"],
    ["10.0.0.7/30", "10.0.0.4", "10.0.0.7"],
    ["0.0.0.0/0", "0.0.0.0", "255.255.255.255"],
    ["10.0.0.1 - 10.0.0.9", "10.0.0.1", "10.0.0.9"],
    ["10.0.0.1", "10.0.0.1", "10.0.0.1"],
  ])("reads %s", (text, first, last) => {
    expect(parseIpv4Range(text)).toEqual({ first: parseIpv4(first), last: parseIpv4(last) });
  });

  it.each(["10.0.0.0/33", "10.0.0.9-10.0.0.1", "10.0.0.1-", "a-b", "1-2-3"])("refuses %s", (text) => {
    expect(parseIpv4Range(text)).toBeUndefined();
  });
});

describe("classifyIpv4", () => {
  it.each([
    ["0.1.2.3", "unspecified"],
    ["127.1.2.3", "loopback"],
    ["169.254.169.254", "link-local"],
    ["224.0.0.1", "multicast"],
    ["255.255.255.255", "broadcast"],
    ["169.253.0.1", "unicast"],
    ["223.255.255.255", "unicast"],
  ])("says of %s that it is %s", (text, expected) => {
    expect(classifyIpv4(parseIpv4(text) ?? 0)).toBe(expected);
  });
});
