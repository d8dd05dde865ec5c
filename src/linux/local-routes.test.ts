import { endianness } from "node:os";
import { expect, it } from "vitest";
import { encodeLocalRoute } from "./local-routes.ts";

it.skipIf(endianness() !== "LE")("writes a host route into the local table, marked as ours", () => {
  expect(encodeLocalRoute("198.51.100.7", 1).toString("hex")).toBe(
    "02200000ff70fe0200000000" + "08000100c6336407" + "0800040001000000",
  );
});

it("refuses what is no IPv4 address", () => {
  expect(() => encodeLocalRoute("::1", 1)).toThrow('Cannot route "::1"');
});
