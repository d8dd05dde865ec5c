import { formatHostPort } from "../../foundation/index.ts";
import { AGE, columnsOf, NAME } from "../columns.ts";
import type { JsonSchema, ResourceDefinition } from "../definition.ts";
import type { KubeObject } from "../object.ts";
import { objectSchema } from "../schema/metadata.ts";
import { ATOMIC, dictionary, list, oneOf, PROTOCOLS, port, structure, text } from "../schema/vocabulary.ts";
import type { EndpointSubset, Endpoints } from "./endpoints.ts";
import { endpointsErrors } from "./validation.ts";

const targetRef = structure(
  {
    apiVersion: text("API version of the object."),
    kind: text("Kind of the object."),
    namespace: text("Namespace of the object."),
    name: text("Name of the object."),
    uid: text("UID of the object."),
    resourceVersion: text("Revision of the object."),
    fieldPath: text("Part of the object that is meant."),
  },
  "Object that provides the address; kept and not read.",
  { "x-kubernetes-map-type": "atomic" },
);

const address = structure(
  {
    ip: text("IP address of the member; not loopback, link-local or multicast."),
    hostname: text("Kept and not read."),
    nodeName: text("Kept and not read."),
    targetRef,
  },
  "Address of one member.",
  { required: ["ip"], "x-kubernetes-map-type": "atomic" },
);

const endpointPort = structure(
  {
    name: text("Which port of the Service this one serves: the one of the same name."),
    port: port("Port of the member."),
    protocol: oneOf(PROTOCOLS, "Transport protocol. Absent: TCP."),
    appProtocol: text("Application protocol; kept and not read."),
  },
  "One port of the members.",
  { required: ["port"], "x-kubernetes-map-type": "atomic" },
);

const subset = structure(
  {
    addresses: list(address, "Members that take traffic.", ATOMIC),
    notReadyAddresses: list(address, "Members that take no new flows.", ATOMIC),
    ports: list(endpointPort, "Ports that every address of the subset serves.", ATOMIC),
  },
  "Addresses that serve the same ports.",
);

const endpointsSchema: JsonSchema = objectSchema(
  "v1",
  "Endpoints",
  "The members of the Service of the same name.",
  {
    annotations: dictionary(
      text("Value of the annotation."),
      "No field of Kubernetes: annotations as files in the field have them, read like metadata.annotations, which win.",
    ),
    subsets: list(subset, "Members: every address with every port of its subset, joined.", ATOMIC),
  },
);

const SHOWN_ENDPOINTS = 3;

function endpointsOf({ addresses = [], ports = [] }: EndpointSubset): string[] {
  if (ports.length === 0) return addresses.map(({ ip }) => ip);
  return ports.flatMap((served) => addresses.map(({ ip }) => formatHostPort(ip, served.port)));
}

/** As kubectl shows them: three, then how many more. */
function endpointsText({ subsets = [] }: Endpoints): string {
  const all = subsets.flatMap(endpointsOf);
  const more = all.length - SHOWN_ENDPOINTS;
  return all.slice(0, SHOWN_ENDPOINTS).join(",") + (more > 0 ? ` + ${more} more...` : "");
}

function warningsAbout(object: KubeObject): string[] {
  return (object as Endpoints).annotations
    ? ["annotations: unknown to Kubernetes in this place: annotations belong into metadata.annotations"]
    : [];
}

/** Endpoints: `v1`, namespaced. */
export const endpointsDefinition: ResourceDefinition = {
  group: "",
  version: "v1",
  kind: "Endpoints",
  plural: "endpoints",
  singular: "endpoints",
  shortNames: ["ep"],
  categories: [],
  namespaced: true,
  writable: true,
  hasStatus: false,
  schema: endpointsSchema,
  selectableFields: [],
  columns: columnsOf<Endpoints>({
    NAME,
    ENDPOINTS: { description: "Members, ip:port.", cell: endpointsText },
    AGE,
  }),
  // None are filled in: subsets are patched as a whole, so a default in them would make every kubectl apply a change.
  applyDefaults: (object) => object,
  validate: endpointsErrors,
  warn: warningsAbout,
};
