import { expect, it } from "vitest";
import type { ProgrammedPool } from "../driver.ts";
import { type LackingMasquerading, refuseMasquerading } from "./masquerading.ts";

const web: ProgrammedPool = {
  uid: "web",
  addresses: [{ ip: "192.0.2.10", port: 80, protocol: "TCP" }],
  scheduler: "rr",
  forwarding: "fullnat",
  affinitySeconds: 0,
  members: [],
};

const IPV6: Partial<ProgrammedPool> = { addresses: [{ ip: "2001:db8::1", port: 80, protocol: "TCP" }] };

function refuse(change: Partial<ProgrammedPool>, lacking: Partial<LackingMasquerading> = {}) {
  const pool = { ...web, ...change };
  return refuseMasquerading({ kind: "install", pool }, { 4: undefined, 6: undefined, ...lacking });
}

it.each<[Partial<ProgrammedPool>, string]>([
  [{ isOnePacket: true }, "does not schedule datagrams one by one with fullnat; use nat"],
  [
    { addresses: [{ ip: "192.0.2.10", port: 80, lastPort: 89, protocol: "TCP" }] },
    "does not forward ranges of ports with fullnat; use nat",
  ],
])("refuses what one rule for the source cannot do, and says what to use: %o", (change, words) => {
  expect(refuse(change)).toMatchObject([
    { uid: "web", code: "KernelUnsupported", message: expect.stringContaining(words) },
  ]);
  expect(refuse({ ...change, forwarding: "nat" })).toEqual([]);
});

it("refuses every pool with fullnat of the family for which the kernel lacks something, and none with nat", () => {
  const lacking = { 4: "no nf_tables" };
  expect(refuse({})).toEqual([]);
  expect(refuse({}, lacking)).toMatchObject([{ message: expect.stringContaining("no nf_tables") }]);
  expect(refuse({ forwarding: "nat" }, lacking)).toEqual([]);
  expect(refuse(IPV6, lacking)).toEqual([]);
  expect(refuse(IPV6, { 6: "no IPv6" })).toMatchObject([{ message: expect.stringContaining("no IPv6") }]);
  expect(refuse({}, { 6: "no IPv6" })).toEqual([]);
});
