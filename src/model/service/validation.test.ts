import { describe, expect, it } from "vitest";
import { validateObject } from "../validation/validate-object.ts";
import { serviceDefinition } from "./definition.ts";

function errorsOf(spec: object, metadata: object = {}): string[] {
  const input = { metadata: { name: "web", namespace: "shop", ...metadata }, spec };
  return validateObject(serviceDefinition, input, "Strict").errors.map(
    ({ field, reason }) => `${field} ${reason}`,
  );
}

describe("serviceDefinition", () => {
  it("accepts every field that kubectl and Helm charts send", () => {
    const spec = {
      type: "LoadBalancer",
      selector: { app: "web" },
      clusterIP: "10.96.0.10",
      clusterIPs: ["10.96.0.10"],
      externalIPs: ["192.0.2.1"],
      sessionAffinity: "ClientIP",
      sessionAffinityConfig: { clientIP: { timeoutSeconds: 600 } },
      loadBalancerIP: "10.9.0.1",
      loadBalancerClass: "example.com/lb",
      loadBalancerSourceRanges: ["10.0.0.0/8"],
      externalTrafficPolicy: "Local",
      internalTrafficPolicy: "Cluster",
      trafficDistribution: "PreferClose",
      healthCheckNodePort: 31_000,
      publishNotReadyAddresses: true,
      allocateLoadBalancerNodePorts: false,
      ipFamilies: ["IPv4"],
      ipFamilyPolicy: "SingleStack",
      ports: [
        { name: "http", port: 80, targetPort: "http", nodePort: 30_080, appProtocol: "http" },
        { name: "dns", port: 53, protocol: "UDP" },
      ],
    };
    expect(errorsOf(spec)).toEqual([]);
  });

  it.each<[string, object, string]>([
    ["no ports", {}, "spec.ports FieldValueRequired"],
    ["an unknown type", { type: "Ingress", ports: [{ port: 80 }] }, "spec.type FieldValueNotSupported"],
    ["DCCP", { ports: [{ port: 80, protocol: "DCCP" }] }, "spec.ports[0].protocol FieldValueNotSupported"],
    ["port 0", { ports: [{ port: 0 }] }, "spec.ports[0].port FieldValueInvalid"],
    [
      "nodePort 65536",
      { ports: [{ port: 1, nodePort: 65_536 }] },
      "spec.ports[0].nodePort FieldValueInvalid",
    ],
    [
      "a nodePort of a ClusterIP",
      { type: "ClusterIP", ports: [{ port: 1, nodePort: 30_000 }] },
      "spec.ports[0].nodePort FieldValueForbidden",
    ],
    ["a port name with a dot", { ports: [{ port: 1, name: "a.b" }] }, "spec.ports[0].name FieldValueInvalid"],
    [
      "two ports, one unnamed",
      { ports: [{ port: 1, name: "a" }, { port: 2 }] },
      "spec.ports[1].name FieldValueRequired",
    ],
    [
      "a port twice",
      {
        ports: [
          { port: 1, name: "a" },
          { port: 1, name: "b" },
        ],
      },
      "spec.ports[1].port FieldValueDuplicate",
    ],
    [
      "a name twice",
      {
        ports: [
          { port: 1, name: "a" },
          { port: 2, name: "a" },
        ],
      },
      "spec.ports[1].name FieldValueDuplicate",
    ],
    [
      "a nodePort twice",
      {
        ports: [
          { port: 1, name: "a", nodePort: 30_000 },
          { port: 2, name: "b", nodePort: 30_000 },
        ],
      },
      "spec.ports[1].nodePort FieldValueDuplicate",
    ],
    ["ExternalName without name", { type: "ExternalName" }, "spec.externalName FieldValueRequired"],
    ["a loopback clusterIP", { clusterIP: "::1", ports: [{ port: 1 }] }, "spec.clusterIP FieldValueInvalid"],
    [
      "two families",
      { ipFamilies: ["IPv4", "IPv6"], ports: [{ port: 1 }] },
      "spec.ipFamilies[1] FieldValueForbidden",
    ],
    ["a selector that is a list", { selector: [], ports: [{ port: 1 }] }, "spec.selector FieldValueInvalid"],
  ])("refuses %s", (_, spec, expected) => {
    expect(errorsOf(spec)).toEqual([expected]);
  });

  it("accepts one port number for TCP and UDP", () => {
    const ports = [
      { port: 53, name: "tcp" },
      { port: 53, name: "udp", protocol: "UDP" },
    ];
    expect(errorsOf({ ports })).toEqual([]);
  });

  it("refuses a health check type that nobody knows", () => {
    expect(errorsOf({ ports: [{ port: 1 }] }, { annotations: { healthCheckType: "icmp" } })).toEqual([
      "metadata.annotations[healthCheckType] FieldValueNotSupported",
    ]);
  });
});
