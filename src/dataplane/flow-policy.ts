import type { FlowPolicy } from "./driver.ts";

/** The policy alone, of whatever has one; nothing is set that is absent. */
export function flowPolicyOf(pool: FlowPolicy): FlowPolicy {
  const { scheduler, forwarding, affinitySeconds, affinityPrefixLength, isOnePacket } = pool;
  return {
    scheduler,
    forwarding,
    affinitySeconds,
    ...(affinityPrefixLength === undefined ? {} : { affinityPrefixLength }),
    ...(isOnePacket ? { isOnePacket } : {}),
  };
}

/** Whether both do the same with flows. */
export function isSameFlowPolicy(one: FlowPolicy, other: FlowPolicy): boolean {
  return (
    one.scheduler === other.scheduler &&
    one.forwarding === other.forwarding &&
    one.affinitySeconds === other.affinitySeconds &&
    one.affinityPrefixLength === other.affinityPrefixLength &&
    one.isOnePacket === other.isOnePacket
  );
}
