import type { JsonSchema } from "../definition.ts";
import { conditionsSchema, objectSchema } from "../schema/metadata.ts";
import {
  ATOMIC,
  dictionary,
  flag,
  integer,
  intOrString,
  list,
  mergedBy,
  oneOf,
  PROTOCOLS,
  port,
  structure,
  text,
} from "../schema/vocabulary.ts";

const SERVICE_TYPES = ["ClusterIP", "NodePort", "LoadBalancer", "ExternalName"];
const TRAFFIC_POLICIES = ["Cluster", "Local"];

const servicePort = structure(
  {
    name: text("Name of the port, unique in the Service; needed when there is more than one."),
    protocol: oneOf(PROTOCOLS, "Transport protocol.", { default: "TCP" }),
    appProtocol: text("Application protocol; kept and not read."),
    port: port("Port that a ClusterIP or LoadBalancer Service listens on; for NodePort it is only recorded."),
    targetPort: intOrString(
      "Kept and not read: the members' ports are those of the Endpoints. Default: the port.",
    ),
    nodePort: port("Port that every node listens on; absent for a NodePort Service: allocated."),
    type: oneOf(
      SERVICE_TYPES,
      "No field of Kubernetes: belongs into spec.type, and is read as that when spec.type is absent.",
    ),
  },
  "One port of a Service.",
  { required: ["port"] },
);

const sessionAffinityConfig = structure(
  {
    clientIP: structure(
      { timeoutSeconds: integer("How long a client is remembered.", 1, 86_400) },
      "Details of ClientIP affinity.",
    ),
  },
  "Details of the session affinity.",
);

const spec = structure(
  {
    type: oneOf(
      SERVICE_TYPES,
      "NodePort listens on nodePort of every node; LoadBalancer and ClusterIP on port of an address from an address pool. Default: NodePort when a port has a nodePort, else ClusterIP.",
    ),
    ports: list(servicePort, "Ports of the Service; each becomes one Pool.", {
      ...mergedBy("port", ["port", "protocol"]),
      maxItems: 256,
    }),
    selector: dictionary(text("Value of the label."), "Kept and not read: members come from the Endpoints.", {
      "x-kubernetes-map-type": "atomic",
    }),
    clusterIP: text("Address that a ClusterIP Service listens on; None for no address."),
    clusterIPs: list(text("An address."), "The clusterIP as a list; its first entry equals it.", ATOMIC),
    externalIPs: list(text("An address."), "Kept and not read.", ATOMIC),
    externalName: text("Name that an ExternalName Service stands for; such a Service gets no Pool."),
    sessionAffinity: oneOf(["None", "ClientIP"], "ClientIP keeps a client on its member.", {
      default: "None",
    }),
    sessionAffinityConfig,
    loadBalancerIP: text("Address that a LoadBalancer Service asks for."),
    loadBalancerClass: text("Which load balancer is meant; absent: this one."),
    loadBalancerSourceRanges: list(text("A CIDR."), "Kept and not read.", ATOMIC),
    externalTrafficPolicy: oneOf(TRAFFIC_POLICIES, "Kept and not read: every node serves every member."),
    internalTrafficPolicy: oneOf(TRAFFIC_POLICIES, "Kept and not read: every node serves every member."),
    trafficDistribution: text("Kept and not read."),
    healthCheckNodePort: integer("Kept and not read.", 0, 65_535),
    publishNotReadyAddresses: flag("Kept and not read."),
    allocateLoadBalancerNodePorts: flag("Kept and not read: a LoadBalancer Service gets no extra nodePort."),
    ipFamilies: list(oneOf(["IPv4", "IPv6"], "An address family."), "Address families.", ATOMIC),
    ipFamilyPolicy: oneOf(
      ["SingleStack", "PreferDualStack", "RequireDualStack"],
      "How many address families are wanted.",
    ),
  },
  "What is wanted of the Service.",
  { default: {} },
);

const ingressPort = structure(
  {
    port: port("The port."),
    protocol: text("Its protocol."),
    error: text("Why the port does not work, as one word."),
  },
  "State of one port.",
  { required: ["port", "protocol"] },
);

const ingress = structure(
  {
    ip: text("Address that clients connect to."),
    hostname: text("Host name that clients connect to."),
    ipMode: text("VIP or Proxy."),
    ports: list(ingressPort, "State of the ports.", ATOMIC),
  },
  "One way in.",
);

const status = structure(
  {
    loadBalancer: structure(
      { ingress: list(ingress, "Where clients connect to.", ATOMIC) },
      "Where a LoadBalancer Service is reached.",
    ),
    conditions: conditionsSchema,
  },
  "What became of the Service; read-only for operators.",
);

/** Schema of a Service: every field of Kubernetes' own. */
export const serviceSchema: JsonSchema = objectSchema(
  "v1",
  "Service",
  "A named set of ports; each becomes a Pool whose members come from the Endpoints of the same name.",
  { spec, status },
);
