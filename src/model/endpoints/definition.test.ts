import { describe, expect, it } from "vitest";
import type { KubeObject } from "../object.ts";
import { validateObject } from "../validation/validate-object.ts";
import { endpointsDefinition } from "./definition.ts";

function validate(fields: object) {
  const input = {
    apiVersion: "v1",
    kind: "Endpoints",
    metadata: { name: "web", namespace: "shop" },
    ...fields,
  };
  return validateObject(endpointsDefinition, input, "Strict");
}

function errorsOf(subset: object): string[] {
  return validate({ subsets: [subset] }).errors.map(({ field, reason }) => `${field} ${reason}`);
}

const ADDRESSES = [{ ip: "10.0.0.1" }];

describe("endpointsDefinition", () => {
  it("accepts annotations beside metadata with a warning, as files in the field have them", () => {
    const result = validate({
      annotations: { calledSource: "kubectl-client-side-apply", healthCheckType: "http" },
      subsets: [{ addresses: [{ ip: "10.100.1.53" }], ports: [{ port: 8090, name: "dcmp-svc4" }] }],
    });
    expect(result.errors).toEqual([]);
    expect(result.warnings).toEqual([expect.stringContaining("metadata.annotations")]);
    expect(result.object).toMatchObject({ annotations: { healthCheckType: "http" } });
  });

  it.each<[string, object, string]>([
    ["no address", { ports: [{ port: 1 }] }, "subsets[0] FieldValueRequired"],
    [
      "a loopback address",
      { addresses: [{ ip: "127.0.0.1" }] },
      "subsets[0].addresses[0].ip FieldValueInvalid",
    ],
    [
      "a name as address",
      { notReadyAddresses: [{ ip: "web" }] },
      "subsets[0].notReadyAddresses[0].ip FieldValueInvalid",
    ],
    [
      "port 65536",
      { addresses: ADDRESSES, ports: [{ port: 65_536 }] },
      "subsets[0].ports[0].port FieldValueInvalid",
    ],
    [
      "unnamed ports",
      { addresses: ADDRESSES, ports: [{ port: 1 }, { port: 2, name: "b" }] },
      "subsets[0].ports[0].name FieldValueRequired",
    ],
    [
      "a port name twice",
      {
        addresses: ADDRESSES,
        ports: [
          { port: 1, name: "a" },
          { port: 2, name: "a" },
        ],
      },
      "subsets[0].ports[1].name FieldValueDuplicate",
    ],
    ["10,000 addresses", { addresses: new Array(10_000).fill(ADDRESSES[0]) }, "subsets FieldValueTooMany"],
  ])("refuses %s", (_, subset, expected) => {
    expect(errorsOf(subset)).toEqual([expected]);
  });

  it("refuses an unknown health check type where it is written", () => {
    const { errors } = validate({ annotations: { healthCheckType: "icmp" } });
    expect(errors.map(({ field }) => field)).toEqual(["annotations[healthCheckType]"]);
  });

  it("shows three members and counts the rest, as kubectl does", () => {
    const addresses = ["10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.4", "10.0.0.5"].map((ip) => ({ ip }));
    const object = { metadata: { name: "web" }, subsets: [{ addresses, ports: [{ port: 80 }] }] };
    const cell = endpointsDefinition.columns.find(({ name }) => name === "ENDPOINTS")?.cell;
    expect(cell?.(object as unknown as KubeObject)).toBe("10.0.0.1:80,10.0.0.2:80,10.0.0.3:80 + 2 more...");
  });
});
