import { describe, expect, it } from "vitest";
import type { KubeObject, Operation, Service } from "../../../model/index.ts";
import { deriveEvents, type EventFilter } from "./derive-events.ts";

const POOL = {
  apiVersion: "parasaus.io/v1",
  kind: "Pool",
  metadata: { name: "web", namespace: "shop", uid: "uid-web", resourceVersion: "9" },
  spec: {},
  status: {
    conditions: [
      {
        type: "Allocated",
        status: "True",
        reason: "Allocated",
        message: "*:30000",
        lastTransitionTime: "2026-01-01T00:00:01Z",
      },
      {
        type: "Available",
        status: "False",
        reason: "NoMemberUp",
        message: "0 of 1 members are up",
        lastTransitionTime: "2026-01-01T00:00:03Z",
      },
    ],
    members: [
      {
        ip: "10.0.0.1",
        port: 80,
        verdict: "down",
        reason: "L4CON connection refused",
        since: "2026-01-01T00:00:02.700Z",
      },
    ],
  },
} as KubeObject;

function operation(spec: object, time = "2026-01-01T00:00:00.500Z"): Operation {
  return {
    apiVersion: "parasaus.io/v1",
    kind: "Operation",
    metadata: { name: "op", resourceVersion: "4" },
    spec: {
      operator: "alice",
      time,
      verb: "create",
      object: {
        apiVersion: "parasaus.io/v1",
        kind: "Pool",
        namespace: "shop",
        name: "web",
        uid: "uid-web",
      },
      revision: "4",
      ...spec,
    },
  } as Operation;
}

const wordsOf = (objects: readonly KubeObject[], operations: readonly Operation[]): string[] =>
  deriveEvents(objects, operations).map(
    ({ lastTimestamp, type, reason, source, message }) =>
      `${lastTimestamp} ${type} ${reason} ${source.component}: ${message}`,
  );

describe("deriveEvents", () => {
  it("tells operations, conditions and verdicts in the order in which they happened", () => {
    expect(wordsOf([POOL], [operation({})])).toEqual([
      "2026-01-01T00:00:00Z Normal Created api: alice created it",
      "2026-01-01T00:00:01Z Normal Allocated allocator: *:30000",
      "2026-01-01T00:00:02Z Warning MemberDown circle-healthcheck: 10.0.0.1:80 is down: L4CON connection refused",
      "2026-01-01T00:00:03Z Warning NoMemberUp circle-healthcheck: 0 of 1 members are up",
    ]);
  });

  it("names the object as Kubernetes does, and the member inside it", () => {
    const [event] = deriveEvents(
      [],
      [operation({ verb: "drain", member: "10.0.0.1:80", reason: "new disk" })],
    );
    expect(event).toMatchObject({
      apiVersion: "v1",
      kind: "Event",
      metadata: { namespace: "shop", resourceVersion: "4" },
      involvedObject: {
        kind: "Pool",
        namespace: "shop",
        name: "web",
        uid: "uid-web",
        fieldPath: "spec.members{10.0.0.1:80}",
      },
      message: "alice drained 10.0.0.1:80: new disk",
      firstTimestamp: event?.lastTimestamp,
      count: 1,
    });
  });

  it("gives the same thing the same name whenever it is asked for, and another thing another", () => {
    const names = (operations: readonly Operation[]) =>
      deriveEvents([POOL], operations).map(({ metadata }) => metadata.name);
    const all = names([operation({})]);
    expect(new Set(all).size).toBe(4);
    expect(names([])).toEqual(all.slice(1));
    for (const name of all) expect(name).toMatch(/^web\.[0-9a-f]{16}$/);
  });

  it("leaves out what is older than asked for, and gives the newest where there is a limit", () => {
    const reasons = (filter: EventFilter) =>
      deriveEvents([POOL], [operation({})], filter).map(({ reason }) => reason);
    const sinceMs = Date.parse("2026-01-01T00:00:02Z");
    expect(reasons({ sinceMs })).toEqual(["MemberDown", "NoMemberUp"]);
    expect(reasons({ limitCount: 1 })).toEqual(["NoMemberUp"]);
    expect(reasons({ limitCount: 1, matches: ({ type }) => type === "Normal" })).toEqual(["Allocated"]);
  });

  it("puts what happens to objects without a namespace into default", () => {
    const object = { apiVersion: "parasaus.io/v1", kind: "AddressPool", name: "public", uid: "u" };
    expect(deriveEvents([], [operation({ object })])[0]?.metadata.namespace).toBe("default");
  });

  it("warns of conditions that are bad news when they are true, such as a Service's problems", () => {
    const service = {
      apiVersion: "v1",
      kind: "Service",
      metadata: { name: "web", namespace: "shop" },
      spec: {},
      status: {
        conditions: [
          {
            type: "PoolNameTaken",
            status: "True",
            reason: "PoolNameTaken",
            message: "web is taken",
            lastTransitionTime: "2026-01-01T00:00:00Z",
          },
        ],
      },
    } satisfies Service;
    expect(wordsOf([service], [])).toEqual([
      "2026-01-01T00:00:00Z Warning PoolNameTaken circle-watch: web is taken",
    ]);
  });
});
