import { expect, it } from "vitest";
import { missingCapabilities } from "./capabilities.ts";

const status = (effective: string) =>
  `Name:\tnode\nCapPrm:\t000001ffffffffff\nCapEff:\t${effective}\nCapBnd:\t0\n`;

it.each([
  ["000001ffffffffff", []],
  ["000000c000003000", []],
  ["0000000000000000", ["CAP_BPF", "CAP_NET_ADMIN", "CAP_NET_RAW", "CAP_PERFMON"]],
  ["0000008000003000", ["CAP_PERFMON"]],
  ["0000004000003000", ["CAP_BPF"]],
  ["000000c000001000", ["CAP_NET_RAW"]],
  ["000000c000002000", ["CAP_NET_ADMIN"]],
])("finds what is missing in %s", (effective, missing) => {
  expect(missingCapabilities(status(effective))).toEqual(missing);
});

it("takes CAP_SYS_ADMIN for what was part of it before Linux 5.8, and for nothing else", () => {
  expect(missingCapabilities(status("0000000000200000"))).toEqual(["CAP_NET_ADMIN", "CAP_NET_RAW"]);
});
