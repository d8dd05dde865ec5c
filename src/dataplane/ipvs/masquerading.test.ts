import { expect, it } from "vitest";
import type { ProgrammedPool } from "../driver.ts";
import { refuseMasquerading } from "./masquerading.ts";

const web: ProgrammedPool = {
  uid: "web",
  addresses: [{ ip: "192.0.2.10", port: 80, protocol: "TCP" }],
  scheduler: "rr",
  forwarding: "fullnat",
  affinitySeconds: 0,
  members: [],
};

function refuse(change: Partial<ProgrammedPool>, lacking?: string) {
  return refuseMasquerading({ kind: "install", pool: { ...web, ...change } }, lacking);
}

it.each<[Partial<ProgrammedPool>, string]>([
  [{ isOnePacket: true }, "does not schedule datagrams one by one with fullnat; use nat"],
  [
    { addresses: [{ ip: "192.0.2.10", port: 80, protocol: "SCTP" }] },
    "does not forward SCTP with fullnat; use nat",
  ],
  [
    { addresses: [{ ip: "2001:db8::1", port: 80, protocol: "TCP" }] },
    "does not forward IPv6 with fullnat; use nat",
  ],
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

it("refuses every pool with fullnat where the kernel lacks something, and none with nat", () => {
  expect(refuse({})).toEqual([]);
  expect(refuse({}, "no nf_tables")).toMatchObject([{ message: expect.stringContaining("no nf_tables") }]);
  expect(refuse({ forwarding: "nat" }, "no nf_tables")).toEqual([]);
});
