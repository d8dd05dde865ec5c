import type { FieldError } from "../../foundation/index.ts";
import { healthCheckAnnotationErrors } from "../annotations.ts";
import type { KubeObject } from "../object.ts";
import { MEMBER_LIMIT } from "../pool/schema.ts";
import { unicastErrors } from "../validation/addresses.ts";
import { duplicate, invalid, missing, tooMany } from "../validation/field-errors.ts";
import { annotationErrors } from "../validation/metadata.ts";
import { nameComplaint } from "../validation/names.ts";
import type { EndpointAddress, EndpointPort, EndpointSubset, Endpoints } from "./endpoints.ts";

/** What the schema of Endpoints cannot say; Kubernetes' rules. */
export function endpointsErrors(object: KubeObject): FieldError[] {
  const { subsets = [], annotations, metadata } = object as Endpoints;
  const addressCount = subsets.reduce((sum, subset) => sum + allAddresses(subset).length, 0);
  return [
    ...(addressCount > MEMBER_LIMIT ? [tooMany("subsets", addressCount, MEMBER_LIMIT)] : []),
    ...subsets.flatMap((subset, index) => subsetErrors(`subsets[${index}]`, subset)),
    ...annotationErrors("annotations", annotations),
    ...healthCheckAnnotationErrors("annotations", annotations),
    ...healthCheckAnnotationErrors("metadata.annotations", metadata.annotations),
  ];
}

function allAddresses({
  addresses = [],
  notReadyAddresses = [],
}: EndpointSubset): readonly EndpointAddress[] {
  return [...addresses, ...notReadyAddresses];
}

function subsetErrors(field: string, subset: EndpointSubset): FieldError[] {
  const { addresses = [], notReadyAddresses = [], ports = [] } = subset;
  const empty = addresses.length + notReadyAddresses.length === 0;
  return [
    ...(empty ? [missing(field, "must specify addresses or notReadyAddresses")] : []),
    ...addressErrors(`${field}.addresses`, addresses),
    ...addressErrors(`${field}.notReadyAddresses`, notReadyAddresses),
    ...portErrors(`${field}.ports`, ports),
  ];
}

/** The same address twice is allowed, as in Kubernetes: members are joined. */
function addressErrors(field: string, addresses: readonly EndpointAddress[]): FieldError[] {
  return addresses.flatMap(({ ip }, index) => unicastErrors(`${field}[${index}].ip`, ip));
}

function portErrors(field: string, ports: readonly EndpointPort[]): FieldError[] {
  const seen = new Set<string>();
  return ports.flatMap(({ name = "" }, index) => {
    const complaint = name === "" ? undefined : nameComplaint(name, "label");
    const again = seen.has(name);
    seen.add(name);
    return [
      ...(complaint ? [invalid(`${field}[${index}].name`, name, complaint)] : []),
      ...(name === "" && ports.length > 1
        ? [missing(`${field}[${index}].name`, "needed when there is more than one port")]
        : again
          ? [duplicate(`${field}[${index}].name`, name)]
          : []),
    ];
  });
}
