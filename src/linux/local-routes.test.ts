import { endianness } from "node:os";
import { expect, it } from "vitest";
import { encodeLocalRoute } from "./local-routes.ts";

it.skipIf(endianness() !== "LE")("writes a host route into the local table, marked as ours", () => {
  expect(encodeLocalRoute("198.51.100.7", 1).toString("hex")).toBe(
    "02200000ff70fe0200000000" + "08000100c6336407" + "0800040001000000",
  );
});

it.skipIf(endianness() !== "LE")("writes one of IPv6 likewise", () => {
  expect(encodeLocalRoute("2001:db8::7", 1).toString("hex")).toBe(
    "0a800000ff70fe0200000000" + "1400010020010db8000000000000000000000007" + "0800040001000000",
  );
});

it("refuses what is no address", () => {
  expect(() => encodeLocalRoute("::1%eth0", 1)).toThrow('Cannot route "::1%eth0"');
});
