import { describe, expect, it } from "vitest";
import { discoveryVersionOf, representationOf } from "./representation.ts";

const KUBECTL =
  "application/json;as=Table;v=v1;g=meta.k8s.io,application/json;as=Table;v=v1beta1;g=meta.k8s.io,application/json";

describe("representationOf", () => {
  it.each([
    [undefined, { kind: "object" }],
    ["*/*", { kind: "object" }],
    ["application/json", { kind: "object" }],
    [KUBECTL, { kind: "table", includeObject: "Metadata" }],
    ["application/json;as=Table;v=v1beta1;g=meta.k8s.io, application/json", { kind: "object" }],
    [
      "application/vnd.kubernetes.protobuf, application/json;as=Table;g=meta.k8s.io;v=v1",
      { kind: "table", includeObject: "Metadata" },
    ],
    ["application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io", { kind: "metadata" }],
  ])("reads %s", (accept, expected) => {
    expect(representationOf(accept, undefined)).toEqual(expected);
  });

  it("lets the rows carry the whole object where the client asks for it", () => {
    expect(representationOf(KUBECTL, "Object")).toEqual({ kind: "table", includeObject: "Object" });
  });
});

describe("discoveryVersionOf", () => {
  it.each([
    ["application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json", "v2"],
    [
      "application/json;g=apidiscovery.k8s.io;v=v9;as=APIGroupDiscoveryList,application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList",
      "v2beta1",
    ],
    ["application/json, */*", undefined],
    [undefined, undefined],
  ])("reads %s", (accept, expected) => {
    expect(discoveryVersionOf(accept)).toBe(expected);
  });
});
