import type { ConnectAddress, ForwardingMode, SchedulerName } from "../../model/index.ts";
import type { FlowPolicy, ProgrammedAddress, ProgrammedMember, ProgrammedPool } from "../driver.ts";
import { placeKey } from "../order.ts";

/**
 * How IPVS passes packets on: with the address translated (masquerading), as they are to a machine on the same wire
 * (direct routing), in IPIP, in GUE to a UDP port, or in a way that Parasaus does not use.
 */
export type ForwardingMethod = "masq" | "route" | "tunnel" | `gue ${number}` | "other";

const FORWARDING_METHODS: Readonly<Record<ForwardingMode, ForwardingMethod>> = {
  fullnat: "masq",
  nat: "masq",
  dsr: "route",
  tunnel: "tunnel",
};

/** The kernel's word for what a pool wants. */
export function methodOf({
  forwarding,
  guePort,
}: Pick<FlowPolicy, "forwarding" | "guePort">): ForwardingMethod {
  return forwarding === "tunnel" && guePort !== undefined ? `gue ${guePort}` : FORWARDING_METHODS[forwarding];
}

/** One destination of a service. */
export interface Destination {
  /** IPv4, dotted quad, or IPv6 in canonical text. */
  readonly ip: string;
  /** 1-65535. */
  readonly port: number;
  /** 0 = no new flows. */
  readonly weight: number;
  readonly method: ForwardingMethod;
}

/** How a service picks members. */
export interface ServicePolicy extends Omit<FlowPolicy, "scheduler" | "forwarding" | "guePort"> {
  /** `other`: one that Parasaus does not use, or with flags that it does not set. */
  readonly scheduler: SchedulerName | "other";
}

/** One service of the kernel's table, as it is or shall be. */
export interface Service extends ServicePolicy {
  /** Never `*`: IPVS has one service for each address. */
  readonly address: ConnectAddress;
  /** By `placeKey`. */
  readonly destinations: ReadonlyMap<string, Destination>;
}

/** Whether both pick members in the same way. */
export function isSamePolicy(one: ServicePolicy, other: ServicePolicy): boolean {
  return (
    one.scheduler === other.scheduler &&
    one.affinitySeconds === other.affinitySeconds &&
    one.affinityPrefixLength === other.affinityPrefixLength &&
    one.isOnePacket === other.isOnePacket
  );
}

/** Whether the kernel shall hold nothing of the member any more: its flows are cut, or their time is over. */
export function isMemberDone({ disposition, deadlineMs }: ProgrammedMember, nowMs: number): boolean {
  return disposition === "cut" || (disposition === "draining" && (deadlineMs ?? 0) <= nowMs);
}

/** Whether the kernel shall hold nothing of the address any more. */
export function isAddressDone({ closingDeadlineMs }: ProgrammedAddress, nowMs: number): boolean {
  return closingDeadlineMs !== undefined && closingDeadlineMs <= nowMs;
}

/**
 * Destinations for the pool's members that are not done.
 *
 * @param takesNewFlows Whether the service does at all; at one that is closing every weight is 0.
 */
export function destinationsOf(
  pool: ProgrammedPool,
  takesNewFlows: boolean,
  nowMs: number,
): ReadonlyMap<string, Destination> {
  const destinations = new Map<string, Destination>();
  const method = methodOf(pool);
  for (const member of pool.members) {
    if (isMemberDone(member, nowMs)) continue;
    const { ip, port } = member;
    const weight = takesNewFlows && member.disposition === "active" ? member.weight : 0;
    destinations.set(placeKey({ ip, port }), { ip, port, weight, method });
  }
  return destinations;
}
