import { describe, expect, it } from "vitest";
import { type Pool, poolDefinition } from "../model/index.ts";
import { desiredPoolOf } from "./desired.ts";

function desiredOf(spec: object, ips: readonly string[] = []) {
  const connectAddresses = ips.map((ip) => ({ ip, port: 80, protocol: "TCP" as const }));
  const object = {
    apiVersion: "parasaus.io/v1",
    kind: "Pool",
    metadata: { name: "web", uid: "u" },
    spec,
    status: { connectAddresses },
  };
  return desiredPoolOf(poolDefinition.applyDefaults(object) as Pool).desired;
}

const six = { members: [{ ip: "2001:db8::1", port: 80 }] };
const four = { members: [{ ip: "10.0.0.1", port: 80 }] };

describe("desiredPoolOf", () => {
  it("passes on affinity by prefix only where the prefix is shorter than the address", () => {
    const by = (prefixLength: number, spec: object) =>
      desiredOf({ ...spec, sessionAffinity: { type: "ClientIP", timeoutSeconds: 60, prefixLength } });
    expect(by(24, four)).toMatchObject({ affinitySeconds: 60, affinityPrefixLength: 24 });
    expect(by(32, four)).not.toHaveProperty("affinityPrefixLength");
    expect(by(64, six)).toMatchObject({ affinityPrefixLength: 64 });
    expect(by(128, six)).not.toHaveProperty("affinityPrefixLength");
    const none = { ...four, sessionAffinity: { type: "None", prefixLength: 24 } };
    expect(desiredOf(none)).toMatchObject({ affinitySeconds: 0 });
    expect(desiredOf(none)).not.toHaveProperty("affinityPrefixLength");
  });

  it("leaves out an address of the other family, behind which no member can be reached", () => {
    expect(desiredOf(six, ["10.9.0.1", "2001:db8::9"]).addresses.map(({ ip }) => ip)).toEqual([
      "2001:db8::9",
    ]);
    expect(desiredOf(four, ["*"]).addresses).toHaveLength(1);
    expect(desiredOf(six, ["*"]).addresses).toEqual([]);
  });
});
