import { familyOfIp, formatHostPort, type IpFamily } from "../../foundation/index.ts";
import type { AddressPool, Endpoints, Pool, Service, ServicePort } from "../../model/index.ts";
import { contains, EVERY_NODE, hasFamily, readRanges } from "../allocator/ranges.ts";
import { type AskedPolicy, readPolicy } from "./annotations.ts";
import { membersOf } from "./members.ts";

/** Annotation of a generated Pool: the name of the Service port that it stands for. */
export const SERVICE_PORT_ANNOTATION = "parasaus.io/service-port";

/** One member of a wanted pool. */
export interface WantedMember {
  readonly ip: string;
  /** 1-65535. */
  readonly port: number;
  /** Only where the Service or its Endpoints say so, 0-256. */
  readonly weight?: number;
}

/** What a Pool must be for one port of a Service. What stands here belongs to the Service; the rest to the operator. */
export interface WantedPool {
  readonly name: string;
  readonly portName: string;
  /** Fields of the spec by path. */
  readonly fields: Readonly<Record<string, unknown>>;
  readonly members: readonly WantedMember[];
}

/** Why something could not be generated; the type of the Service's condition. */
export interface Problem {
  readonly type: "NoAddressPool" | "InvalidAnnotation" | "PoolNameTaken" | "PoolRefused";
  readonly message: string;
}

/** Everything that generating looks at. */
export interface GenerationInput {
  readonly service: Service;
  readonly endpoints: Endpoints | undefined;
  /** The Pools that this Service owns now. */
  readonly owned: readonly Pool[];
  readonly addressPools: readonly AddressPool[];
}

/** What should be. */
export interface Generation {
  readonly pools: readonly WantedPool[];
  readonly problems: readonly Problem[];
}

/** Works out the Pools of a Service. Pure. */
export function generate(input: GenerationInput): Generation {
  const { service, endpoints } = input;
  const policy = readPolicy(service, endpoints);
  const problems: Problem[] = policy.problems.map((message) => ({ type: "InvalidAnnotation", message }));
  const ports = listensAtAll(service) ? (service.spec.ports ?? []) : [];
  const source = ports.length === 0 ? undefined : sourceOf(input, policy);
  if (source?.kind === "missing") problems.push({ type: "NoAddressPool", message: source.message });
  if (source?.kind !== "found") return { pools: [], problems };
  const names = new PoolNames(input);
  const pools = ports.flatMap((port, index) => {
    // Every port listens on one address: the further ones wait until the first has it.
    if (source.sharesIp && source.ip === undefined && index > 0) return [];
    return [wantedPool(input, port, names.nameOf(port, index), source, policy)];
  });
  return { pools, problems };
}

/** The type of a Service; without one, a `nodePort` means NodePort and a type inside a port is taken. */
export function serviceTypeOf({ spec }: Service): NonNullable<Service["spec"]["type"]> {
  if (spec.type) return spec.type;
  const ports = spec.ports ?? [];
  if (ports.some(({ nodePort }) => nodePort !== undefined)) return "NodePort";
  return ports.find(({ type }) => type)?.type ?? "ClusterIP";
}

/** The Pool of a port among those that the Service owns. */
export function ownedPoolOf(owned: readonly Pool[], portName: string): Pool | undefined {
  return owned.find(({ metadata }) => metadata.annotations?.[SERVICE_PORT_ANNOTATION] === portName);
}

function listensAtAll(service: Service): boolean {
  const type = serviceTypeOf(service);
  return type !== "ExternalName" && !(type === "ClusterIP" && service.spec.clusterIP === "None");
}

type Source =
  | { readonly kind: "found"; readonly addressPool: string; readonly ip?: string; readonly sharesIp: boolean }
  | { readonly kind: "missing"; readonly message: string };

function sourceOf(input: GenerationInput, policy: AskedPolicy): Source {
  const { service, owned } = input;
  const type = serviceTypeOf(service);
  if (type === "NodePort") return { kind: "found", addressPool: "node-ports", sharesIp: false };
  const asked = type === "LoadBalancer" ? service.spec.loadBalancerIP : service.spec.clusterIP;
  const before = owned.find(({ spec }) => spec.addressPool !== "node-ports")?.spec.addressPool;
  const addressPool =
    policy.addressPool ?? (asked ? undefined : before) ?? pickAddressPool(input, asked || undefined);
  if (addressPool === undefined) {
    const what = asked ? `holds ${asked}` : "with addresses hands them out by itself (autoAssign)";
    return { kind: "missing", message: `no address pool ${what}: a ${type} Service needs one` };
  }
  const ip = asked || allocatedIp(owned, addressPool);
  return { kind: "found", addressPool, sharesIp: true, ...(ip ? { ip } : {}) };
}

/** The address pool with the lowest priority number that may be used, one that is not full before one that is. */
function pickAddressPool(input: GenerationInput, ip: string | undefined): string | undefined {
  const isFull = ({ status }: AddressPool): number =>
    status?.capacity !== undefined && (status.used ?? 0) >= status.capacity ? 1 : 0;
  const candidates = input.addressPools
    .filter(({ spec }) => spec.autoAssign && !spec.addresses.includes("node"))
    .filter(({ spec }) => ip === undefined || holdsIp(spec, ip))
    .filter(({ spec }) => hasFamily(readRanges(spec), familyOf(input)))
    .sort(
      (a, b) =>
        isFull(a) - isFull(b) ||
        a.spec.priority - b.spec.priority ||
        (a.metadata.name < b.metadata.name ? -1 : 1),
    );
  return candidates[0]?.metadata.name;
}

/** Of the members, so that the pool's address is one that they can be reached behind. */
function familyOf({ endpoints }: GenerationInput): IpFamily {
  const [first] = (endpoints?.subsets ?? []).flatMap(({ addresses = [], notReadyAddresses = [] }) => [
    ...addresses,
    ...notReadyAddresses,
  ]);
  return familyOfIp(first?.ip ?? "") ?? 4;
}

function holdsIp(spec: AddressPool["spec"], ip: string): boolean {
  const ranges = readRanges(spec);
  const [first] = ranges.ports;
  return first !== undefined && contains(ranges, ip, first.first);
}

function allocatedIp(owned: readonly Pool[], addressPool: string): string | undefined {
  return owned
    .filter(({ spec }) => spec.addressPool === addressPool)
    .flatMap(({ status }) => status?.connectAddresses ?? [])
    .find(({ ip }) => ip !== EVERY_NODE)?.ip;
}

function wantedPool(
  input: GenerationInput,
  port: ServicePort,
  name: string,
  source: Extract<Source, { kind: "found" }>,
  policy: AskedPolicy,
): WantedPool {
  const portName = port.name ?? "";
  const existing = ownedPoolOf(input.owned, portName);
  const { sessionAffinity, sessionAffinityConfig } = input.service.spec;
  const timeoutSeconds = sessionAffinityConfig?.clientIP?.timeoutSeconds ?? 10_800;
  const listenPort = source.sharesIp ? port.port : (port.nodePort ?? nodePortOf(existing));
  return {
    name,
    portName,
    fields: {
      addressPool: source.addressPool,
      protocol: port.protocol ?? "TCP",
      ...(listenPort === undefined ? {} : { port: listenPort }),
      ...(source.ip === undefined ? {} : { ip: source.ip }),
      ...(sessionAffinity === "ClientIP" ? { sessionAffinity: { type: "ClientIP", timeoutSeconds } } : {}),
      ...policy.fields,
    },
    members: membersOf(port, input.endpoints).map(({ ip, port: memberPort, isReady }) => {
      const weight = isReady
        ? (policy.weights.get(formatHostPort(ip, memberPort)) ?? policy.weights.get(ip))
        : 0;
      return { ip, port: memberPort, ...(weight === undefined ? {} : { weight }) };
    }),
  };
}

/** A node port that was allocated stays, also when the Service is written again without it. */
function nodePortOf(pool: Pool | undefined): number | undefined {
  return pool?.status?.connectAddresses?.find(({ ip }) => ip === EVERY_NODE)?.port;
}

/** The first port's pool is named like the Service; a pool that exists keeps its name. */
class PoolNames {
  readonly #input: GenerationInput;

  constructor(input: GenerationInput) {
    this.#input = input;
  }

  nameOf(port: ServicePort, index: number): string {
    const { service, owned } = this.#input;
    const existing = ownedPoolOf(owned, port.name ?? "");
    if (existing) return existing.metadata.name;
    const { name } = service.metadata;
    const isBaseFree = !owned.some(({ metadata }) => metadata.name === name);
    return index === 0 && isBaseFree ? name : `${name}-${port.name || port.port}`;
  }
}
