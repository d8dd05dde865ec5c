import { describe, expect, it } from "vitest";
import { validateObject } from "../validation/validate-object.ts";
import { addressPoolDefinition } from "./definition.ts";

function errorsOf(spec: object): string[] {
  const input = { metadata: { name: "public" }, spec };
  return validateObject(addressPoolDefinition, input, "Strict").errors.map(
    ({ field, reason }) => `${field} ${reason}`,
  );
}

describe("addressPoolDefinition", () => {
  it("accepts CIDRs, ranges and single addresses beside each other", () => {
    expect(
      errorsOf({ addresses: ["10.0.0.0/24", "10.0.2.1-10.0.2.9", "10.0.3.1"], ports: ["80", "443"] }),
    ).toEqual([]);
  });

  it("accepts prefixes, ranges and single addresses of IPv6, beside those of IPv4", () => {
    const addresses = ["10.0.0.0/24", "2001:db8::/64", "2001:db8:1::1-2001:db8:1::9", "2001:db8:2::1"];
    expect(errorsOf({ addresses })).toEqual([]);
  });

  it("accepts the built-in pool", () => {
    expect(errorsOf({ addresses: ["node"], ports: ["30000-64999"] })).toEqual([]);
  });

  it.each<[string, object, string]>([
    ["nothing to hand out", { addresses: [] }, "spec.addresses FieldValueRequired"],
    ["no addresses", {}, "spec.addresses FieldValueRequired"],
    ["a name", { addresses: ["web"] }, "spec.addresses[0] FieldValueInvalid"],
    ["a backward range", { addresses: ["10.0.0.9-10.0.0.1"] }, "spec.addresses[0] FieldValueInvalid"],
    ["a loopback network", { addresses: ["127.0.0.0/8"] }, "spec.addresses[0] FieldValueInvalid"],
    ["everything", { addresses: ["0.0.0.0/0"] }, "spec.addresses[0] FieldValueInvalid"],
    [
      "overlapping ranges",
      { addresses: ["10.0.0.7", "10.0.0.0/24"] },
      "spec.addresses[0] FieldValueDuplicate",
    ],
    [
      "overlapping ranges of IPv6",
      { addresses: ["2001:db8::/64", "2001:db8::7"] },
      "spec.addresses[1] FieldValueDuplicate",
    ],
    ["a prefix that is none", { addresses: ["2001:db8::/129"] }, "spec.addresses[0] FieldValueInvalid"],
    ["link-local addresses", { addresses: ["fe80::/10"] }, "spec.addresses[0] FieldValueInvalid"],
    ["port 0", { addresses: ["10.0.0.1"], ports: ["0-10"] }, "spec.ports[0] FieldValueInvalid"],
    ["port 65536", { addresses: ["10.0.0.1"], ports: ["65536"] }, "spec.ports[0] FieldValueInvalid"],
    [
      "overlapping ports",
      { addresses: ["10.0.0.1"], ports: ["1-10", "10"] },
      "spec.ports[1] FieldValueDuplicate",
    ],
    ["a node's service ports", { addresses: ["node"], ports: ["22"] }, "spec.ports[0] FieldValueForbidden"],
    [
      "node beside another",
      { addresses: ["node", "10.0.0.1"], ports: ["30000"] },
      "spec.addresses[0] FieldValueForbidden",
    ],
  ])("refuses %s", (_, spec, expected) => {
    expect(errorsOf(spec)).toEqual([expected]);
  });
});
