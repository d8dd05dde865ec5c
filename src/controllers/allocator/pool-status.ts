import type { Pool } from "../../model/index.ts";
import { withCondition } from "../runtime/conditions.ts";
import { type Allocation, formatAddress } from "./allocate.ts";

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
  const granted = allocation.kind === "refused" ? undefined : [allocation.address];
  const word =
    allocation.kind === "refused"
      ? ({ status: "False", reason: allocation.reason, message: allocation.message } as const)
      : ({
          status: "True",
          reason: "Allocated",
          message: `${formatAddress(allocation.address)} from address pool "${allocation.address.addressPool}"`,
        } as const);
  const conditions = withCondition(status.conditions, { type: "Allocated", ...word }, now);
  const isSame =
    conditions === status.conditions &&
    (granted === undefined || JSON.stringify(granted) === JSON.stringify(status.connectAddresses));
  if (isSame) return undefined;
  return { ...pool, status: { ...status, ...(granted ? { connectAddresses: granted } : {}), conditions } };
}
