import { expect, it } from "vitest";
import type { Driver, ProgrammedPool } from "./driver.ts";
import { siftOperations } from "./refuse.ts";

const driver: Pick<Driver, "name" | "capabilities"> = {
  name: "ebpf",
  capabilities: {
    forwarding: ["nat"],
    schedulers: ["rr", "wrr"],
    protocols: ["TCP"],
    families: [4],
    affinityByPrefix: false,
    onePacket: false,
    portRanges: false,
    forwards: true,
    changesSchedulerWithoutGap: true,
    countsRefusals: true,
    tellsAffinity: true,
    counterDelayMs: 0,
  },
};
const web: ProgrammedPool = {
  uid: "web",
  addresses: [{ ip: "*", port: 30001, protocol: "TCP" }],
  scheduler: "rr",
  forwarding: "nat",
  affinitySeconds: 60,
  members: [],
};

it.each<[Partial<ProgrammedPool>, string]>([
  [{ forwarding: "fullnat" }, "does not forward with fullnat; it has nat"],
  [{ scheduler: "mh" }, "has no scheduler mh; it has rr, wrr"],
  [{ addresses: [{ ip: "*", port: 30001, protocol: "UDP" }] }, "does not forward UDP; it has TCP"],
  [{ addresses: [{ ip: "*", port: 30001, protocol: "SCTP" }] }, "run the agent with --driver ipvs"],
  [
    { addresses: [{ ip: "2001:db8::1", port: 80, protocol: "TCP" }] },
    "does not forward IPv6; choose IPv4 addresses, or run the agent with",
  ],
  [{ affinityPrefixLength: 24 }, "leave spec.sessionAffinity.prefixLength out, or run the agent with"],
  [
    { addresses: [{ ip: "192.0.2.1", port: 80, lastPort: 89, protocol: "TCP" }] },
    "leave spec.lastPort out, or run the agent with",
  ],
  [{ isOnePacket: true }, "leave spec.onePacketScheduling out, or run the agent with"],
])("refuses what the driver does not have, and says what to choose instead: %o", (change, words) => {
  const { accepted, refusals } = siftOperations(driver, [{ kind: "install", pool: { ...web, ...change } }]);
  expect(accepted).toEqual([]);
  expect(refusals).toEqual([
    { uid: "web", code: "KernelUnsupported", message: expect.stringContaining(words) },
  ]);
});

it("refuses one pool as a whole and lets the others and removals pass, in their order", () => {
  const operations = [
    { kind: "install", pool: web },
    { kind: "install", pool: { ...web, uid: "shop" } },
    { kind: "install", pool: { ...web, scheduler: "mh" } },
    { kind: "remove", uid: "dns" },
  ] as const;
  const { accepted, refusals } = siftOperations(driver, operations);
  expect(accepted).toEqual([operations[1], operations[3]]);
  expect(refusals.map(({ uid }) => uid)).toEqual(["web"]);
});
