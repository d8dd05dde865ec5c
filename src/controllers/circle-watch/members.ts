import type { EndpointPort, EndpointSubset, Endpoints, ServicePort } from "../../model/index.ts";

/** One member as the Endpoints describe it. */
export interface DescribedMember {
  readonly ip: string;
  /** 1-65535. */
  readonly port: number;
  /** False for what stands under `notReadyAddresses` alone: such a member takes no new flows. */
  readonly isReady: boolean;
}

/** The members of one port of a Service: every subset with its port of the same name, joined; ready somewhere is ready. */
export function membersOf(servicePort: ServicePort, endpoints: Endpoints | undefined): DescribedMember[] {
  const members = new Map<string, DescribedMember>();
  for (const member of (endpoints?.subsets ?? []).flatMap((subset) => describe(subset, servicePort))) {
    const key = `${member.ip}:${member.port}`;
    if (member.isReady || !members.has(key)) members.set(key, member);
  }
  return [...members.values()];
}

function describe(subset: EndpointSubset, servicePort: ServicePort): DescribedMember[] {
  const port = portOf(subset, servicePort)?.port;
  if (port === undefined) return [];
  const ready = (subset.addresses ?? []).map(({ ip }) => ({ ip, port, isReady: true }));
  const notReady = (subset.notReadyAddresses ?? []).map(({ ip }) => ({ ip, port, isReady: false }));
  return [...ready, ...notReady];
}

/** The port of a subset that serves a port of the Service: the one of the same name, or its only, unnamed one. */
export function portOf({ ports = [] }: EndpointSubset, servicePort: ServicePort): EndpointPort | undefined {
  const protocol = servicePort.protocol ?? "TCP";
  const named = ports.find(
    (each) => (each.name ?? "") === (servicePort.name ?? "") && (each.protocol ?? "TCP") === protocol,
  );
  if (named) return named;
  const [only, ...others] = ports;
  const isOnlyUnnamed = only && others.length === 0 && (only.name ?? "") === "";
  return isOnlyUnnamed && (only.protocol ?? "TCP") === protocol ? only : undefined;
}
