import { ParasausError } from "../foundation/index.ts";
import type { Pool } from "../model/index.ts";
import { decideForwarding } from "../scheduling/index.ts";
import type { DesiredPool } from "./driver.ts";

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
  const affinity = spec.sessionAffinity;
  return {
    isFailingOpen: decision.isFailingOpen,
    desired: {
      uid: metadata.uid,
      addresses: isGone
        ? []
        : (status?.connectAddresses ?? []).map(({ ip, port, protocol }) => ({ ip, port, protocol })),
      scheduler: spec.scheduler,
      forwarding: spec.forwarding,
      affinitySeconds: affinity.type === "ClientIP" ? affinity.timeoutSeconds : 0,
      drainSeconds: spec.drainSeconds,
      members: decision.members,
    },
  };
}
