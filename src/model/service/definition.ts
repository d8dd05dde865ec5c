import { AGE, columnsOf, NAME, NONE } from "../columns.ts";
import type { ResourceDefinition } from "../definition.ts";
import type { KubeObject } from "../object.ts";
import { fillDefaults } from "../schema/defaults.ts";
import { serviceSchema } from "./schema.ts";
import type { Service, ServicePort, ServiceType } from "./service.ts";
import { serviceErrors } from "./validation.ts";

function withDefaults(object: KubeObject): KubeObject {
  const service = fillDefaults(serviceSchema, object) as Service;
  const ports = service.spec.ports?.map((port) => ({ targetPort: port.port, ...port }));
  const spec = { ...service.spec, type: serviceType(service), ...(ports ? { ports } : {}) };
  return { ...service, spec } as KubeObject;
}

/** Files in the field give a nodePort without a type, or the type inside the port. */
function serviceType({ spec: { type, ports = [] } }: Service): ServiceType {
  if (type) return type;
  const nodePort = ports.some((port) => port.nodePort !== undefined);
  return nodePort ? "NodePort" : (ports.find((port) => port.type)?.type ?? "ClusterIP");
}

function warningsAbout(object: KubeObject): string[] {
  const { ports = [], type: serviceType } = (object as Service).spec;
  return ports.flatMap(({ type, nodePort }, index) => {
    const field = `spec.ports[${index}]`;
    const misplaced = `${field}.type: unknown to Kubernetes: give the type of the Service as spec.type: ${type}`;
    const unused = `${field}.nodePort: not used: a LoadBalancer Service listens on its port alone`;
    return [...(type ? [misplaced] : []), ...(nodePort && serviceType === "LoadBalancer" ? [unused] : [])];
  });
}

function portText({ port, nodePort, protocol }: ServicePort): string {
  return `${port}${nodePort ? `:${nodePort}` : ""}/${protocol ?? "TCP"}`;
}

function externalIpText({ spec, status }: Service): string {
  const ips = (status?.loadBalancer?.ingress ?? []).flatMap(({ ip }) => (ip ? [ip] : []));
  const known = [...ips, ...(spec.externalIPs ?? [])].join(",");
  if (known) return known;
  if (spec.type === "ExternalName") return spec.externalName ?? NONE;
  return spec.type === "LoadBalancer" ? "<pending>" : NONE;
}

/** Services: `v1`, namespaced. */
export const serviceDefinition: ResourceDefinition = {
  group: "",
  version: "v1",
  kind: "Service",
  plural: "services",
  singular: "service",
  shortNames: ["svc"],
  categories: ["all"],
  namespaced: true,
  nameFormat: "label",
  writable: true,
  hasStatus: true,
  schema: serviceSchema,
  selectableFields: ["spec.clusterIP", "spec.type"],
  columns: columnsOf<Service>({
    NAME,
    TYPE: { description: "How the Service is reached.", cell: ({ spec }) => spec.type },
    "CLUSTER-IP": {
      description: "Address that a ClusterIP Service listens on.",
      cell: ({ spec }) => spec.clusterIP,
    },
    "EXTERNAL-IP": {
      description: "Address that a LoadBalancer Service listens on.",
      cell: externalIpText,
    },
    "PORT(S)": {
      description: "Ports: port:nodePort/protocol.",
      cell: ({ spec }) => (spec.ports ?? []).map(portText).join(","),
    },
    AGE,
    SELECTOR: {
      description: "Kept and not read.",
      wide: true,
      cell: ({ spec }) =>
        Object.entries(spec.selector ?? {})
          .map(([key, value]) => `${key}=${value}`)
          .join(","),
    },
  }),
  applyDefaults: withDefaults,
  validate: serviceErrors,
  warn: warningsAbout,
};
