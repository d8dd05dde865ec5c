import type { FlowPolicy } from "./driver.ts";

/** The policy alone, of whatever has one; nothing is set that is absent. */
export function flowPolicyOf(pool: FlowPolicy): FlowPolicy {
  const { scheduler, forwarding, guePort, affinitySeconds, affinityPrefixLength, isOnePacket } = pool;
  return {
    scheduler,
    forwarding,
    ...(guePort === undefined ? {} : { guePort }),
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
    one.guePort === other.guePort &&
    one.affinitySeconds === other.affinitySeconds &&
    one.affinityPrefixLength === other.affinityPrefixLength &&
    one.isOnePacket === other.isOnePacket
  );
}
