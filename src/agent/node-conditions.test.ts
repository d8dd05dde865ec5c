import { expect, it } from "vitest";
import { type NodeFacts, nodeConditions } from "./node-conditions.ts";

const fine: NodeFacts = {
  nodeName: "n1",
  driver: "ebpf",
  source: "server",
  refusals: [],
  unreadablePoolCount: 0,
  listeners: [],
};
const later = new Date("2026-01-01T00:01:00Z");

it("says that all is well, and keeps the time since when", () => {
  const first = nodeConditions(fine, [], new Date("2026-01-01T00:00:00Z"));
  const second = nodeConditions(fine, first, later);
  expect(second).toEqual(first);
  expect(second.map(({ type, status }) => `${type}=${status}`)).toEqual([
    "Ready=True",
    "Synced=True",
    "Programmed=True",
    "ShrinkHeld=False",
    "LocalListener=False",
  ]);
});

it("names what the kernel refuses and which local socket is in the way", () => {
  const first = nodeConditions(fine, [], new Date("2026-01-01T00:00:00Z"));
  const facts: NodeFacts = {
    ...fine,
    refusals: [{ uid: "u", code: "CapacityExceeded", message: 'Cannot install pool "u": full' }],
    listeners: [{ protocol: "TCP", ip: "0.0.0.0", port: 30001 }],
  };
  const [ready, , programmed, , listener] = nodeConditions(facts, first, later);
  expect(ready?.lastTransitionTime).toBe("2026-01-01T00:00:00Z");
  expect(programmed).toMatchObject({
    status: "False",
    reason: "CapacityExceeded",
    lastTransitionTime: "2026-01-01T00:01:00Z",
  });
  expect(listener?.message).toContain("TCP 0.0.0.0:30001");
});

it("says that the certificate is not renewed while it can still be said, where there is one", () => {
  const enrolled = (certificateTrouble?: string | null) =>
    nodeConditions(
      { ...fine, ...(certificateTrouble === undefined ? {} : { certificateTrouble }) },
      [],
      later,
    ).find(({ type }) => type === "Enrolled");
  expect(enrolled()).toBeUndefined();
  expect(enrolled(null)).toMatchObject({ status: "True", reason: "Renewing" });
  expect(enrolled("enrolled anew")).toMatchObject({ status: "False", message: "enrolled anew" });
});

it("says that the server is not heard, and stays ready: the kernel goes on", () => {
  const silence = { reason: "NotFollowing", message: "The watch brings nothing" } as const;
  const [ready, synced] = nodeConditions({ ...fine, silence }, [], later);
  expect(ready?.status).toBe("True");
  expect(synced).toMatchObject({
    status: "False",
    reason: "NotFollowing",
    message: "The watch brings nothing",
  });
});

it("is not ready while nothing is known or the kernel fails", () => {
  const reasons = [
    { ...fine, source: "none" as const },
    { ...fine, trouble: "Cannot write" },
  ].map((facts) => nodeConditions(facts, [], later)[0]?.reason);
  expect(reasons).toEqual(["NoDesiredState", "KernelError"]);
});

it("says how many pools it holds back, and what lets them go", () => {
  const shrink = { id: "0a1b", poolCount: 412, ofPoolCount: 1000, since: "2026-01-01T00:00:30Z" };
  const [, , , held] = nodeConditions({ ...fine, shrink }, [], later);
  expect(held).toMatchObject({ type: "ShrinkHeld", status: "True", reason: "PoolsMissing" });
  expect(held?.message).toBe(
    "412 of 1000 pools went without anybody deleting them, and are forwarded all the same; if they may go: parasaus node confirm n1",
  );
});

it("says why another driver forwards, and names services that Parasaus did not make", () => {
  const typesOf = (facts: NodeFacts) =>
    Object.fromEntries(nodeConditions(facts, [], later).map((each) => [each.type, each]));
  expect(typesOf(fine)).not.toHaveProperty("DriverFallback");
  expect(typesOf(fine)).not.toHaveProperty("ForeignServices");
  const ipvs = { ...fine, driver: "ipvs", driverFallback: "no BPF", foreignServices: ["TCP 192.0.2.1:80"] };
  expect(typesOf(ipvs)["DriverFallback"]?.message).toBe("Forwards with ipvs: no BPF");
  expect(typesOf(ipvs)["ForeignServices"]).toMatchObject({
    status: "True",
    message: expect.stringContaining("TCP 192.0.2.1:80"),
  });
  expect(typesOf({ ...ipvs, foreignServices: [] })["ForeignServices"]?.status).toBe("False");
});

it("says which driver forwarded before, and what it keeps until when; nothing when there is none", () => {
  const draining = (facts?: NodeFacts["draining"]) =>
    nodeConditions({ ...fine, ...(facts ? { draining: facts } : {}) }, [], later).find(
      ({ type }) => type === "DriverDraining",
    );
  expect(draining()).toBeUndefined();
  const driver = "ipvs";
  expect(draining({ driver, lackingCount: 2 })).toMatchObject({
    ...{ status: "True", reason: "HandingOver" },
    message: "ipvs goes on until ebpf has every pool, of which it refuses 2",
  });
  const since = "2026-01-01T00:00:00Z";
  expect(draining({ driver, since, lackingCount: 0, openCount: 12 })).toMatchObject({
    reason: "FlowsRemain",
    message: "ebpf takes what is new since 2026-01-01T00:00:00Z; ipvs keeps 12 connections until they end",
  });
  const until = "2026-01-01T00:10:00Z";
  expect(draining({ driver, since, lackingCount: 0, until })?.message).toContain(
    "connections until they end, at the longest until 2026-01-01T00:10:00Z",
  );
});
