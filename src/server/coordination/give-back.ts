import type { Logger } from "../../foundation/index.ts";
import type { Fence, HeldLease } from "../../store/index.ts";

/** Lets keys go, if the store can be told; else they go with the lease. */
export async function giveBack(lease: HeldLease, fences: readonly Fence[], logger: Logger): Promise<void> {
  if (lease.lost.aborted || fences.length === 0) return;
  try {
    await lease.release(...fences);
  } catch (error) {
    logger.debug("keys not given back, they end with the lease", {
      keys: fences.map(({ key }) => key),
      error,
    });
  }
}
