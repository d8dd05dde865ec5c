import { expect, it } from "vitest";
import { familyOfIp, formatHostPort, parseHostPort } from "./ip-family.ts";

it("knows an address by its one spelling", () => {
  expect(["10.0.0.1", "2001:db8::1", "::1"].map(familyOfIp)).toEqual([4, 6, 6]);
  expect(["2001:DB8::1", "2001:db8:0::1", "fe80::1%eth0", "*", "web", ""].map(familyOfIp)).toEqual(
    Array.from({ length: 6 }, () => undefined),
  );
});

it("puts an IPv6 address before a port in brackets, and reads that", () => {
  const places = [
    ["10.0.0.1", 80, "10.0.0.1:80"],
    ["2001:db8::1", 65_535, "[2001:db8::1]:65535"],
  ] as const;
  for (const [ip, port, text] of places) {
    expect(formatHostPort(ip, port)).toBe(text);
    expect(parseHostPort(text)).toEqual({ ip, port });
  }
  expect(parseHostPort("[2001:DB8:0::1]:80")).toEqual({ ip: "2001:db8::1", port: 80 });
});

it.each(["10.0.0.1", "2001:db8::1:80", "[10.0.0.1]:80", "10.0.0.1:0", "10.0.0.1:65536", "web:80", ":80"])(
  "does not take %j for an address with a port",
  (text) => {
    expect(parseHostPort(text)).toBeUndefined();
  },
);
