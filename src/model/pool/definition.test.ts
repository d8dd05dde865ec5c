import { describe, expect, it } from "vitest";
import type { KubeObject } from "../object.ts";
import { poolDefinition } from "./definition.ts";
import { healthCheckTiming } from "./health-check.ts";
import { completeMember } from "./member.ts";
import type { Pool } from "./pool.ts";

function poolWith(spec: object, status?: object): KubeObject {
  return {
    apiVersion: "parasaus.io/v1",
    kind: "Pool",
    metadata: { name: "web", namespace: "shop", creationTimestamp: "2026-01-01T00:00:00Z" },
    spec,
    ...(status ? { status } : {}),
  } as KubeObject;
}

function defaulted(spec: object): Pool {
  return poolDefinition.applyDefaults(poolWith(spec)) as Pool;
}

function row(object: KubeObject): Record<string, unknown> {
  return Object.fromEntries(poolDefinition.columns.map((column) => [column.name, column.cell(object)]));
}

describe("poolDefinition.applyDefaults", () => {
  it("fills in everything that an operator may leave out", () => {
    expect(defaulted({ members: [{ ip: "10.0.0.1", port: 80 }] }).spec).toEqual({
      addressPool: "node-ports",
      protocol: "TCP",
      scheduler: "rr",
      forwarding: "fullnat",
      sessionAffinity: { type: "None", timeoutSeconds: 10_800 },
      drainSeconds: 30,
      onMemberDown: "keep",
      failOpen: { threshold: 0 },
      healthCheck: { type: "tcp", interval: "2s", rise: 2, fall: 3, initialState: "unchecked" },
      members: [{ ip: "10.0.0.1", port: 80 }],
    });
  });

  it("leaves the members as they are written, because kubectl compares their list as a whole", () => {
    const members = [
      { ip: "10.0.0.1", port: 80, weight: 1 },
      { ip: "10.0.0.2", port: 80, state: "ready" },
    ];
    expect(defaulted({ members }).spec.members).toEqual(members);
    expect(completeMember({ ip: "10.0.0.1", port: 80 })).toEqual({
      ip: "10.0.0.1",
      port: 80,
      weight: 1,
      state: "ready",
    });
    expect(completeMember({ ip: "10.0.0.1", port: 80, weight: 0, state: "maint" })).toMatchObject({
      weight: 0,
      state: "maint",
    });
  });

  it("does not probe UDP members, because no generic probe tells a dead one from a quiet one", () => {
    expect(defaulted({ protocol: "UDP" }).spec.healthCheck.type).toBe("none");
  });

  it("does not probe SCTP members by TCP, which they do not speak", () => {
    expect(defaulted({ protocol: "SCTP" }).spec.healthCheck.type).toBe("none");
  });

  it("asks for / and expects 200-399 when the check is http", () => {
    expect(defaulted({ healthCheck: { type: "http" } }).spec.healthCheck.http).toEqual({
      method: "GET",
      path: "/",
      expect: ["200-399"],
    });
  });

  it("keeps a bare integer, which means seconds, so that the object is as its file says", () => {
    const { healthCheck } = defaulted({ healthCheck: { interval: 5, timeout: 1 } }).spec;
    expect(healthCheck).toMatchObject({ interval: 5, timeout: 1 });
    expect(healthCheckTiming(healthCheck)).toMatchObject({ intervalMs: 5_000, timeoutMs: 1_000 });
  });

  it("drops what the API joins to members when they are read, so that no write stores it", () => {
    const member = { ip: "10.0.0.1", port: 80, verdict: "up", reason: "L4OK", since: "2026-01-01T00:00:00Z" };
    const probes = { successes: 1, failures: 0, last: "L4OK", lastTime: "2026-01-01T00:00:00Z" };
    const read = poolWith({}, { members: [{ ...member, probes }] });
    expect((poolDefinition.applyDefaults(read) as Pool).status?.members).toEqual([member]);
  });

  it("changes nothing the second time", () => {
    const once = defaulted({ healthCheck: { type: "https" }, members: [{ ip: "10.0.0.1", port: 1 }] });
    expect(poolDefinition.applyDefaults(once)).toEqual(once);
  });
});

describe("poolDefinition.columns", () => {
  it("counts only members that are still described and up", () => {
    const pool = poolDefinition.applyDefaults(
      poolWith(
        {
          members: [
            { ip: "10.0.0.1", port: 80 },
            { ip: "10.0.0.2", port: 80 },
          ],
        },
        {
          connectAddresses: [{ ip: "*", port: 40796, protocol: "TCP" }],
          members: [
            { ip: "10.0.0.1", port: 80, verdict: "up" },
            { ip: "10.0.0.2", port: 80, verdict: "down" },
            { ip: "10.0.0.3", port: 80, verdict: "up" },
          ],
          conditions: [{ type: "Available", status: "False", reason: "MembersDown" }],
        },
      ),
    );
    expect(row(pool)).toMatchObject({
      NAME: "web",
      ADDRESS: "<nodes>:40796",
      SCHEDULER: "rr",
      UP: "1/2",
      AGE: "2026-01-01T00:00:00Z",
      CONDITION: "Available=False (MembersDown)",
    });
  });

  it("says that the address is pending until the allocator has written one", () => {
    expect(row(defaulted({}))).toMatchObject({ ADDRESS: "<pending>", UP: "0/0", CONDITION: "<none>" });
  });
});
