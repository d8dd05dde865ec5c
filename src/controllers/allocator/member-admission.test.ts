import { describe, expect, it } from "vitest";
import { hasCode } from "../../foundation/index.ts";
import { endpointsDefinition, type KubeObject, poolDefinition } from "../../model/index.ts";
import { type MemberWrite, memberAddressAdmission } from "./member-admission.ts";

const admit = memberAddressAdmission((ip, port, protocol) =>
  `${ip}:${port}/${protocol}` === "10.9.0.1:80/TCP" ? "default/web" : undefined,
);

function pool(members: readonly { ip: string; port: number }[], protocol = "TCP"): KubeObject {
  const spec = { protocol, members };
  return {
    apiVersion: "parasaus.io/v1",
    kind: "Pool",
    metadata: { name: "chain" },
    spec,
  } as unknown as KubeObject;
}

function refusedFields(write: MemberWrite): string[] {
  try {
    admit(write);
    return [];
  } catch (failure) {
    if (!hasCode(failure, "Invalid")) throw failure;
    expect(failure.message).toContain('pool "default/web"');
    return failure.fields.map(({ field }) => field);
  }
}

describe("members that are connect addresses", () => {
  const fine = { ip: "10.0.0.1", port: 80 };
  const circle = { ip: "10.9.0.1", port: 80 };

  it("are refused in a pool with their path and the pool that listens there", () => {
    expect(refusedFields({ definition: poolDefinition, next: pool([fine, circle]) })).toEqual([
      "spec.members[1]",
    ]);
  });

  it("are refused in Endpoints too, ready or not", () => {
    const subsets = [
      { addresses: [{ ip: "10.0.0.1" }], ports: [{ port: 80 }] },
      { notReadyAddresses: [{ ip: "10.0.0.2" }, { ip: "10.9.0.1" }], ports: [{ port: 81 }, { port: 80 }] },
    ];
    const next = { apiVersion: "v1", kind: "Endpoints", metadata: { name: "web" }, subsets } as KubeObject;
    expect(refusedFields({ definition: endpointsDefinition, next })).toEqual([
      "subsets[1].notReadyAddresses[1].ip",
    ]);
  });

  it("are another matter on another port or protocol", () => {
    const next = pool([{ ip: "10.9.0.1", port: 81 }]);
    expect(refusedFields({ definition: poolDefinition, next })).toEqual([]);
    expect(refusedFields({ definition: poolDefinition, next: pool([circle], "UDP") })).toEqual([]);
  });

  it("may stay where they stood before, so that the object can be edited", () => {
    expect(
      refusedFields({ definition: poolDefinition, previous: pool([circle]), next: pool([circle, fine]) }),
    ).toEqual([]);
    expect(refusedFields({ definition: poolDefinition, previous: pool([circle]) })).toEqual([]);
  });
});
