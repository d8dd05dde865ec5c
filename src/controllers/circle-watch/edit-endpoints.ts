import { formatHostPort } from "../../foundation/index.ts";
import type { EndpointAddress, EndpointPort, EndpointSubset, ServicePort } from "../../model/index.ts";
import { portOf } from "./members.ts";

/** Where a member answers. */
export interface MemberPlace {
  readonly ip: string;
  /** 1-65535. */
  readonly port: number;
}

/** What is to become of the members of one port of a Service. */
export interface MembershipEdit {
  readonly servicePort: ServicePort;
  readonly added: readonly MemberPlace[];
  readonly removed: readonly MemberPlace[];
  /** That the port is to have. */
  readonly protocol: EndpointPort["protocol"];
}

/** The subsets with the members of one port changed, and those of the other ports as they are. Pure. */
export function editSubsets(
  subsets: readonly EndpointSubset[],
  { servicePort, added, removed, protocol }: MembershipEdit,
): readonly EndpointSubset[] {
  const leaving = new Set(removed.map(nameOf));
  const kept = subsets
    .flatMap((subset) => withoutMembers(subset, servicePort, leaving))
    .map((subset) => withProtocol(subset, servicePort, protocol));
  const port = { ...servicePort, ...(protocol === undefined ? {} : { protocol }) };
  return added.reduce<readonly EndpointSubset[]>((all, member) => withMember(all, port, member), kept);
}

/** Addresses that leave one port stay with the others of their subset. */
function withoutMembers(
  subset: EndpointSubset,
  servicePort: ServicePort,
  leaving: ReadonlySet<string>,
): readonly EndpointSubset[] {
  const port = portOf(subset, servicePort);
  if (!port) return [subset];
  const isLeaving = ({ ip }: EndpointAddress) => leaving.has(nameOf({ ip, port: port.port }));
  const others = subset.ports?.filter((each) => each !== port) ?? [];
  const staying = withAddresses(subset, (address) => !isLeaving(address));
  const left = withAddresses({ ...subset, ports: others }, isLeaving);
  return [staying, ...(others.length > 0 ? [left] : [])].filter(hasAddresses);
}

function withAddresses(subset: EndpointSubset, isMeant: (address: EndpointAddress) => boolean) {
  const { addresses, notReadyAddresses, ...rest } = subset;
  const [ready, notReady] = [addresses?.filter(isMeant) ?? [], notReadyAddresses?.filter(isMeant) ?? []];
  return {
    ...(ready.length > 0 ? { addresses: ready } : {}),
    ...(notReady.length > 0 ? { notReadyAddresses: notReady } : {}),
    ...rest,
  };
}

function hasAddresses({ addresses = [], notReadyAddresses = [] }: EndpointSubset): boolean {
  return addresses.length + notReadyAddresses.length > 0;
}

function withProtocol(
  subset: EndpointSubset,
  servicePort: ServicePort,
  protocol: EndpointPort["protocol"],
): EndpointSubset {
  const port = portOf(subset, servicePort);
  if (!port || protocol === undefined || (port.protocol ?? "TCP") === protocol) return subset;
  return {
    ...subset,
    ports: subset.ports?.map((each) => (each === port ? { ...each, protocol } : each)) ?? [],
  };
}

/** Beside others that have this port alone, or in a subset of its own. */
function withMember(
  subsets: readonly EndpointSubset[],
  servicePort: ServicePort,
  { ip, port }: MemberPlace,
): readonly EndpointSubset[] {
  const index = subsets.findIndex(
    (subset) => subset.ports?.length === 1 && portOf(subset, servicePort)?.port === port,
  );
  const { name, protocol } = servicePort;
  if (index >= 0)
    return subsets.map((subset, each) =>
      each === index ? { ...subset, addresses: [...(subset.addresses ?? []), { ip }] } : subset,
    );
  const own = {
    ...(name === undefined ? {} : { name }),
    port,
    ...(protocol === undefined ? {} : { protocol }),
  };
  return [...subsets, { addresses: [{ ip }], ports: [own] }];
}

function nameOf({ ip, port }: MemberPlace): string {
  return formatHostPort(ip, port);
}
