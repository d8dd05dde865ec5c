import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { MemberAdminState, Verdict } from "../model/index.ts";
import { decideForwarding, type ForwardingInput } from "./forwarding-decision.ts";

/** Members `ready:up`, `drain:down:0` (state, verdict, weight), in order, on 10.0.0.1, .2 … */
function poolOf(members: readonly string[], spec: Partial<ForwardingInput["spec"]> = {}): ForwardingInput {
  const parsed = members.map((text, index) => {
    const [state, verdict, weight = "1"] = text.split(":");
    return { ip: `10.0.0.${index + 1}`, port: 80, state, verdict, weight: Number(weight) };
  });
  return {
    spec: {
      drainSeconds: 30,
      onMemberDown: "keep",
      failOpen: { threshold: 0 },
      healthCheck: { type: "tcp", initialState: "unchecked" },
      members: parsed.map(({ ip, port, weight, state }) => ({
        ip,
        port,
        weight,
        state: state as MemberAdminState,
      })),
      ...spec,
    },
    statuses: parsed
      .filter(({ verdict }) => verdict !== "none")
      .map(({ ip, port, verdict }) => ({ ip, port, verdict: verdict as Verdict })),
  };
}

function dispositionsOf(input: ForwardingInput): string[] {
  return decideForwarding(input).members.map((member) => member.disposition);
}

describe("decideForwarding", () => {
  it("sends new flows to members that are up and ready, and to nobody else", () => {
    const pool = poolOf(["ready:up", "ready:down", "ready:unchecked", "drain:up", "maint:up", "ready:up:0"]);
    expect(dispositionsOf(pool)).toEqual(["active", "paused", "paused", "draining", "cut", "paused"]);
  });

  it("takes a member that names neither weight nor state for a ready one of weight 1", () => {
    const { spec, statuses } = poolOf(["ready:up"]);
    const members = [{ ip: "10.0.0.1", port: 80 }];
    expect(decideForwarding({ spec: { ...spec, members }, statuses }).members).toMatchObject([
      { weight: 1, disposition: "active" },
    ]);
    const down = statuses.map((status) => ({ ...status, verdict: "down" as const }));
    expect(decideForwarding({ spec: { ...spec, members }, statuses: down }).isFailingOpen).toBe(true);
  });

  it("cuts the flows of a member that went down only where the pool asks for it", () => {
    expect(dispositionsOf(poolOf(["ready:up", "ready:down"], { onMemberDown: "cut" }))).toEqual([
      "active",
      "cut",
    ]);
  });

  it("ignores health when no member is up, but not what the operator said", () => {
    const pool = poolOf(["ready:down", "ready:down:0", "drain:down", "maint:down"]);
    expect(dispositionsOf(pool)).toEqual(["active", "paused", "draining", "cut"]);
    expect(decideForwarding(pool).isFailingOpen).toBe(true);
  });

  it("does not fail open before every member has a verdict, so that a new pool waits for its first pass", () => {
    expect(dispositionsOf(poolOf(["ready:unchecked", "ready:unchecked"]))).toEqual(["paused", "paused"]);
    expect(dispositionsOf(poolOf(["ready:down", "ready:unchecked"]))).toEqual(["paused", "paused"]);
  });

  it("goes on failing open when an unchecked member joins, so that adding one never stops the traffic", () => {
    const grown = { ...poolOf(["ready:down", "ready:none"]), wasFailingOpen: true };
    expect(dispositionsOf(grown)).toEqual(["active", "active"]);
  });

  it("fails open at exactly the threshold, where one was opted into", () => {
    const half = ["ready:up", "ready:down"];
    const twoThirds = ["ready:up", "ready:up", "ready:down"];
    expect(dispositionsOf(poolOf(half, { failOpen: { threshold: 50 } }))).toEqual(["active", "active"]);
    expect(dispositionsOf(poolOf(half, { failOpen: { threshold: 49 } }))).toEqual(["active", "paused"]);
    expect(dispositionsOf(poolOf(twoThirds, { failOpen: { threshold: 50 } }))).toEqual([
      "active",
      "active",
      "paused",
    ]);
  });

  it("counts every member as up where there is no health check", () => {
    const pool = poolOf(["ready:none", "ready:down"], {
      healthCheck: { type: "none", initialState: "unchecked" },
    });
    expect(dispositionsOf(pool)).toEqual(["active", "active"]);
  });

  it("takes the check's initial state for a member without a verdict", () => {
    const pool = poolOf(["ready:none", "ready:up"], { healthCheck: { type: "tcp", initialState: "up" } });
    expect(dispositionsOf(pool)).toEqual(["active", "active"]);
  });

  it("prefers the member's own drain time to the pool's", () => {
    const { spec, statuses } = poolOf(["drain:up", "drain:up"]);
    const members = spec.members.map((member, index) => (index ? member : { ...member, drainSeconds: 300 }));
    const decided = decideForwarding({ spec: { ...spec, members }, statuses });
    expect(decided.members.map((member) => member.drainSeconds)).toEqual([300, 30]);
  });

  it("never leaves a pool whose members all have verdicts without one that takes traffic", () => {
    const member = fc
      .record({
        state: fc.constantFrom("ready", "drain", "maint"),
        verdict: fc.constantFrom("up", "down"),
        weight: fc.integer({ min: 0, max: 2 }),
      })
      .map(({ state, verdict, weight }) => `${state}:${verdict}:${weight}`);
    fc.assert(
      fc.property(
        fc.array(member, { maxLength: 6 }),
        fc.integer({ min: 0, max: 100 }),
        (texts, threshold) => {
          const dispositions = dispositionsOf(poolOf(texts, { failOpen: { threshold } }));
          const canServe = texts.map((text) => text.startsWith("ready:") && !text.endsWith(":0"));
          expect(dispositions.includes("active")).toBe(canServe.includes(true));
          expect(
            dispositions.every((disposition, index) => disposition !== "active" || canServe[index]),
          ).toBe(true);
        },
      ),
    );
  });
});
