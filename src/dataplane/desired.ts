import { ParasausError } from "../foundation/index.ts";
import type { Pool } from "../model/index.ts";
import { decideForwarding } from "../scheduling/index.ts";
import type { DesiredPool, FlowPolicy } from "./driver.ts";

/** A pool translated for the kernel, and what the next translation of it has to know. */
export interface PoolTranslation {
  readonly desired: DesiredPool;
  /** Health is being ignored because too few members are up. */
  readonly isFailingOpen: boolean;
}

/**
 * Translates a Pool object into what the kernel shall hold. A pool that is being deleted or has no connect address is
 * given no addresses: what remains of it in the kernel drains.
 *
 * @param wasFailingOpen `isFailingOpen` of the translation before this one.
 * @throws ParasausError `Invalid` when the object has no uid
 */
export function desiredPoolOf(pool: Pool, wasFailingOpen = false): PoolTranslation {
  const { spec, status, metadata } = pool;
  if (!metadata.uid)
    throw new ParasausError("Invalid", `Cannot program pool "${metadata.name}": it has no uid`);
  const isGone = metadata.deletionTimestamp !== undefined;
  const decision = decideForwarding({ spec, statuses: status?.members ?? [], wasFailingOpen });
  return {
    isFailingOpen: decision.isFailingOpen,
    desired: {
      uid: metadata.uid,
      addresses: isGone
        ? []
        : (status?.connectAddresses ?? []).map(({ ip, port, protocol }) => ({ ip, port, protocol })),
      scheduler: spec.scheduler,
      forwarding: spec.forwarding,
      ...affinityOf(spec),
      ...(spec.onePacketScheduling ? { isOnePacket: true as const } : {}),
      drainSeconds: spec.drainSeconds,
      members: decision.members,
    },
  };
}

/** The bits of an IPv4 address. */
const WHOLE_ADDRESS = 32;

function affinityOf({
  sessionAffinity,
}: Pool["spec"]): Pick<FlowPolicy, "affinitySeconds" | "affinityPrefixLength"> {
  const { type, timeoutSeconds, prefixLength = WHOLE_ADDRESS } = sessionAffinity;
  if (type === "None") return { affinitySeconds: 0 };
  const isWhole = prefixLength === WHOLE_ADDRESS;
  return { affinitySeconds: timeoutSeconds, ...(isWhole ? {} : { affinityPrefixLength: prefixLength }) };
}
