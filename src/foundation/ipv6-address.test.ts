import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { classifyIpv6, formatIpv6, formatIpv6Number, parseIpv6, parseIpv6Range } from "./ipv6-address.ts";

describe("parseIpv6", () => {
  it("reads every notation of RFC 4291", () => {
    const hex = (text: string) => parseIpv6(text)?.toString("hex");
    expect(hex("::")).toBe("00".repeat(16));
    expect(hex("2001:db8::1")).toBe("20010db8000000000000000000000001");
    expect(hex("2001:DB8:0:0:8:800:200c:417a")).toBe("20010db80000000000080800200c417a");
    expect(hex("::ffff:192.0.2.9")).toBe("00000000000000000000ffffc0000209");
    expect(hex("fe80::")).toBe(`fe80${"00".repeat(14)}`);
  });

  it("refuses what is none, and zones, which are not part of an address", () => {
    for (const text of ["", "10.0.0.1", "1:2:3", "::1::", "fe80::1%eth0", "2001:db8::/32"]) {
      expect(parseIpv6(text), text).toBeUndefined();
    }
  });
});

describe("formatIpv6", () => {
  it("shortens the first of the longest runs of zeros, and no single zero (RFC 5952)", () => {
    const again = (text: string) => formatIpv6(parseIpv6(text) ?? Buffer.alloc(16));
    expect(again("2001:db8:0:0:1:0:0:1")).toBe("2001:db8::1:0:0:1");
    expect(again("2001:db8:0:1:1:1:1:1")).toBe("2001:db8:0:1:1:1:1:1");
    expect(again("0:0:0:0:0:0:0:0")).toBe("::");
    expect(again("1:0:0:0:0:0:0:0")).toBe("1::");
    expect(again("0:0:0:0:0:ffff:c000:209")).toBe("::ffff:192.0.2.9");
  });

  it("is read back as the same bytes", () => {
    const anyBytes = fc.array(fc.oneof(fc.constant(0), fc.nat(255)), { minLength: 16, maxLength: 16 });
    fc.assert(
      fc.property(anyBytes, (bytes) => {
        const address = Buffer.from(bytes);
        expect(parseIpv6(formatIpv6(address))).toEqual(address);
      }),
    );
  });
});

describe("parseIpv6Range", () => {
  it.each([
    ["2001:db8::/126", "2001:db8::", "2001:db8::3"],
    ["2001:db8::7/127", "2001:db8::6", "2001:db8::7"],
    ["::/0", "::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"],
    ["2001:db8::1 - 2001:db8::9", "2001:db8::1", "2001:db8::9"],
    ["2001:db8::1", "2001:db8::1", "2001:db8::1"],
  ])("reads %s", (text, first, last) => {
    const range = parseIpv6Range(text);
    expect([range?.first, range?.last].map((each) => formatIpv6Number(each ?? 0n))).toEqual([first, last]);
  });

  it.each(["2001:db8::/129", "2001:db8::/", "2001:db8::9-2001:db8::1", "10.0.0.0/8", "a-b", "::1-::2-::3"])(
    "refuses %s",
    (text) => {
      expect(parseIpv6Range(text)).toBeUndefined();
    },
  );
});

it.each([
  ["::", "unspecified"],
  ["::1", "loopback"],
  ["fe80::1", "link-local"],
  ["febf::1", "link-local"],
  ["fec0::1", "unicast"],
  ["ff02::1", "multicast"],
  ["::ffff:10.0.0.1", "mapped"],
  ["::2", "unicast"],
  ["fd00::1", "unicast"],
])("says of %s that it is %s", (text, expected) => {
  expect(classifyIpv6(parseIpv6(text) ?? Buffer.alloc(16))).toBe(expected);
});
