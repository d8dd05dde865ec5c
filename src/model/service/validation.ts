import { type FieldError, familyOfIp } from "../../foundation/index.ts";
import { healthCheckAnnotationErrors } from "../annotations.ts";
import type { KubeObject } from "../object.ts";
import { unicastErrors } from "../validation/addresses.ts";
import { duplicate, forbidden, invalid, missing } from "../validation/field-errors.ts";
import { nameComplaint } from "../validation/names.ts";
import type { Service, ServicePort } from "./service.ts";

/** What the schema of a Service cannot say; Kubernetes' rules, as far as they make sense here. */
export function serviceErrors(object: KubeObject): FieldError[] {
  const { spec, metadata } = object as Service;
  const ports = spec.ports ?? [];
  return [
    ...presenceErrors(spec),
    ...ports.flatMap((port, index) => portErrors(`spec.ports[${index}]`, port, spec.type, ports.length > 1)),
    ...duplicateErrors(ports),
    ...addressErrors(spec),
    ...affinityErrors(spec),
    ...healthCheckAnnotationErrors("metadata.annotations", metadata.annotations),
  ];
}

function presenceErrors({ type, ports = [], clusterIP, externalName }: Service["spec"]): FieldError[] {
  if (type === "ExternalName")
    return externalName ? [] : [missing("spec.externalName", "type is ExternalName")];
  return ports.length > 0 || clusterIP === "None" ? [] : [missing("spec.ports")];
}

function portErrors(
  field: string,
  { name, nodePort, targetPort }: ServicePort,
  type: Service["spec"]["type"],
  several: boolean,
): FieldError[] {
  const complaint = name === undefined ? undefined : nameComplaint(name, "label");
  const misplaced = nodePort !== undefined && (type === "ClusterIP" || type === "ExternalName");
  const outside = typeof targetPort === "number" && (targetPort < 1 || targetPort > 65_535);
  return [
    ...(complaint && name ? [invalid(`${field}.name`, name, complaint)] : []),
    ...(several && !name ? [missing(`${field}.name`, "needed when there is more than one port")] : []),
    ...(misplaced ? [forbidden(`${field}.nodePort`, `may not be used when spec.type is ${type}`)] : []),
    ...(outside
      ? [invalid(`${field}.targetPort`, targetPort, "must be between 1 and 65535, inclusive")]
      : []),
  ];
}

/** Names, port and protocol, nodePort and protocol: each may occur once. */
function duplicateErrors(ports: readonly ServicePort[]): FieldError[] {
  const seen = new Set<string>();
  return ports.flatMap(({ name, port, nodePort, protocol }, index) => {
    const keys: [string, string | number | undefined, string][] = [
      ["name", name || undefined, `name ${name}`],
      ["port", port, `port ${port}/${protocol}`],
      ["nodePort", nodePort, `nodePort ${nodePort}/${protocol}`],
    ];
    return keys.flatMap(([field, value, key]) => {
      if (value === undefined) return [];
      if (seen.has(key)) return [duplicate(`spec.ports[${index}].${field}`, value)];
      seen.add(key);
      return [];
    });
  });
}

function addressErrors(spec: Service["spec"] & { readonly ipFamilies?: readonly string[] }): FieldError[] {
  const { clusterIP, clusterIPs, loadBalancerIP, externalIPs = [], ipFamilies = [] } = spec;
  const first = clusterIPs?.[0];
  return [
    ...(clusterIP && clusterIP !== "None" ? unicastErrors("spec.clusterIP", clusterIP) : []),
    ...(first !== undefined && clusterIP && first !== clusterIP
      ? [invalid("spec.clusterIPs[0]", first, "must be the same as spec.clusterIP")]
      : []),
    ...(loadBalancerIP ? unicastErrors("spec.loadBalancerIP", loadBalancerIP) : []),
    ...externalIPs.flatMap((ip, index) =>
      familyOfIp(ip) === undefined
        ? [invalid(`spec.externalIPs[${index}]`, ip, "must be an IP address")]
        : [],
    ),
    ...ipFamilies
      .slice(1)
      .map((family, index) =>
        forbidden(`spec.ipFamilies[${index + 1}]`, `${family}: a Service has one address family here`),
      ),
  ];
}

function affinityErrors({ sessionAffinity, sessionAffinityConfig }: Service["spec"]): FieldError[] {
  if (!sessionAffinityConfig?.clientIP || sessionAffinity === "ClientIP") return [];
  return [forbidden("spec.sessionAffinityConfig", "only with sessionAffinity ClientIP")];
}
