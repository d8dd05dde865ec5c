import { expect, it } from "vitest";
import type { ProgrammedPool } from "./driver.ts";
import { formatTableHash, poolDigest, replaceDigest, tableHash } from "./table-hash.ts";

const web: ProgrammedPool = {
  uid: "a",
  addresses: [{ ip: "*", port: 30001, protocol: "TCP" }],
  scheduler: "rr",
  forwarding: "nat",
  affinitySeconds: 0,
  members: [
    { ip: "10.0.0.1", port: 80, weight: 1, disposition: "active" },
    { ip: "10.0.0.2", port: 80, weight: 1, disposition: "paused" },
  ],
};
const dns: ProgrammedPool = {
  ...web,
  uid: "b",
  addresses: [{ ip: "*", port: 30002, protocol: "UDP" }],
};

it("is equal for equal content, whatever uids, order and running drains", () => {
  const draining = { ip: "10.0.0.3", port: 80, weight: 1, disposition: "draining", deadlineMs: 7 } as const;
  const elsewhere = { ...web, uid: "z", members: [draining, ...web.members.toReversed()] };
  expect(tableHash([dns, elsewhere])).toBe(tableHash([web, dns]));
});

it("tells a paused member, another weight and a closed address apart", () => {
  const [first, second] = web.members;
  const variants: ProgrammedPool[] = [
    { ...web, affinityPrefixLength: 24 },
    { ...web, isOnePacket: true },
    web,
    { ...web, members: first ? [first] : [] },
    { ...web, members: second ? [{ ...second, disposition: "active" }, ...web.members.slice(0, 1)] : [] },
    { ...web, members: web.members.map((member) => ({ ...member, weight: 2 })) },
    { ...web, addresses: web.addresses.map((address) => ({ ...address, closingDeadlineMs: 9 })) },
    { ...web, scheduler: "wrr" },
  ];
  expect(new Set(variants.map((pool) => tableHash([pool]))).size).toBe(variants.length);
});

it("can be kept up to date one pool at a time", () => {
  const before = replaceDigest(replaceDigest(0n, 0n, poolDigest(web)), 0n, poolDigest(dns));
  const after = replaceDigest(before, poolDigest(web), 0n);
  expect(formatTableHash(after)).toBe(tableHash([dns]));
});

it("stays what it was for agents of every version, which compare their hashes", () => {
  expect(tableHash([web, dns])).toBe("8c99b8e1c871f138");
});
