import type { Condition, Pool } from "../../model/index.ts";
import { type ConditionWord, withCondition, withoutCondition } from "../runtime/conditions.ts";
import { type Allocation, formatAddress } from "./allocate.ts";
import { EVERY_NODE } from "./ranges.ts";

/** Holds a deleted pool until its connect address is safely kept back. */
export const ADDRESS_FINALIZER = "parasaus.io/address";

/** The pool with the finalizer, or undefined when it has it. */
export function withFinalizer(pool: Pool): Pool | undefined {
  const finalizers = pool.metadata.finalizers ?? [];
  if (finalizers.includes(ADDRESS_FINALIZER) || pool.metadata.deletionTimestamp !== undefined)
    return undefined;
  return { ...pool, metadata: { ...pool.metadata, finalizers: [...finalizers, ADDRESS_FINALIZER] } };
}

/** The pool without the finalizer, or undefined when it has none. */
export function withoutFinalizer(pool: Pool): Pool | undefined {
  const finalizers = pool.metadata.finalizers ?? [];
  if (!finalizers.includes(ADDRESS_FINALIZER)) return undefined;
  const kept = finalizers.filter((each) => each !== ADDRESS_FINALIZER);
  return { ...pool, metadata: { ...pool.metadata, finalizers: kept } };
}

/**
 * The pool with what the allocator has to say in its status, or undefined when it says so already.
 * A refusal leaves the address that the pool holds alone: traffic goes on while the operator reads the condition.
 */
export function withAllocation(pool: Pool, allocation: Allocation, now: Date): Pool | undefined {
  const status = pool.status ?? {};
  const connectAddresses = allocation.kind === "refused" ? status.connectAddresses : [allocation.address];
  const said = withCondition(status.conditions, allocationWord(allocation), now);
  const conditions = withAnnouncement(said, connectAddresses?.[0]?.ip, now);
  const isSame =
    conditions === status.conditions &&
    JSON.stringify(connectAddresses) === JSON.stringify(status.connectAddresses);
  if (isSame) return undefined;
  return { ...pool, status: { ...status, ...(connectAddresses ? { connectAddresses } : {}), conditions } };
}

function allocationWord(allocation: Allocation): ConditionWord {
  const type = "Allocated";
  if (allocation.kind === "refused") {
    return { type, status: "False", reason: allocation.reason, message: allocation.message };
  }
  const { address } = allocation;
  const message = `${formatAddress(address)} from address pool "${address.addressPool}"`;
  return { type, status: "True", reason: "Allocated", message };
}

/** Nobody announces addresses of their own yet, so whether packets for one reach the nodes is not known here. */
function withAnnouncement(
  conditions: readonly Condition[],
  ip: string | undefined,
  now: Date,
): readonly Condition[] {
  const type = "Announced";
  if (ip === undefined || ip === EVERY_NODE) return withoutCondition(conditions, type);
  const message = `the nodes do not announce ${ip}: route it to them`;
  return withCondition(conditions, { type, status: "Unknown", reason: "NotAnnounced", message }, now);
}
