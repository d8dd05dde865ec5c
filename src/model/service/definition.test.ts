import { describe, expect, it } from "vitest";
import type { KubeObject } from "../object.ts";
import { serviceDefinition } from "./definition.ts";
import type { Service } from "./service.ts";

function serviceWith(spec: object, status: object = {}): Service {
  const object = { apiVersion: "v1", kind: "Service", metadata: { name: "snake" }, spec, status };
  return serviceDefinition.applyDefaults(object as KubeObject) as Service;
}

function row(service: Service): Record<string, unknown> {
  return Object.fromEntries(serviceDefinition.columns.map((column) => [column.name, column.cell(service)]));
}

describe("serviceDefinition.applyDefaults", () => {
  it("takes a nodePort without a type for a NodePort Service", () => {
    const { spec } = serviceWith({ ports: [{ nodePort: 40796, port: 40796 }] });
    expect(spec).toMatchObject({
      type: "NodePort",
      sessionAffinity: "None",
      ports: [{ nodePort: 40796, port: 40796, targetPort: 40796, protocol: "TCP" }],
    });
  });

  it("takes the type from a port, as files in the field have it", () => {
    expect(serviceWith({ ports: [{ port: 80, type: "LoadBalancer" }] }).spec.type).toBe("LoadBalancer");
  });

  it("believes the type of the spec before any other", () => {
    expect(serviceWith({ type: "ClusterIP", ports: [{ port: 80, type: "NodePort" }] }).spec.type).toBe(
      "ClusterIP",
    );
  });
});

describe("serviceDefinition.warn", () => {
  it("names the port that has a type", () => {
    const warnings = serviceDefinition.warn?.(serviceWith({ ports: [{ port: 80, type: "NodePort" }] }));
    expect(warnings).toEqual([expect.stringContaining("spec.ports[0].type")]);
  });
});

describe("serviceDefinition.warn about a LoadBalancer", () => {
  it("says that its nodePort is not used", () => {
    const service = serviceWith({ type: "LoadBalancer", ports: [{ port: 80, nodePort: 30_080 }] });
    expect(serviceDefinition.warn?.(service)).toEqual([expect.stringContaining("spec.ports[0].nodePort")]);
  });
});

describe("serviceDefinition.columns", () => {
  it("shows a Service as kubectl users know it", () => {
    expect(
      row(
        serviceWith({
          ports: [
            { port: 80, nodePort: 30080 },
            { port: 53, protocol: "UDP" },
          ],
        }),
      ),
    ).toMatchObject({
      NAME: "snake",
      TYPE: "NodePort",
      "CLUSTER-IP": "<none>",
      "EXTERNAL-IP": "<none>",
      "PORT(S)": "80:30080/TCP,53/UDP",
    });
  });

  it("shows the address of a LoadBalancer, or that it has none yet", () => {
    expect(row(serviceWith({ type: "LoadBalancer" }))["EXTERNAL-IP"]).toBe("<pending>");
    const served = serviceWith({ type: "LoadBalancer" }, { loadBalancer: { ingress: [{ ip: "10.9.0.1" }] } });
    expect(row(served)["EXTERNAL-IP"]).toBe("10.9.0.1");
  });
});
