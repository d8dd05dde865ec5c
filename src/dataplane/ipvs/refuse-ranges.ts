import type { OperationFailure, PoolOperation } from "../driver.ts";
import { isRange } from "./ranges.ts";

/**
 * Refuses ranges of ports by name where they cannot be had.
 *
 * @param lacking Why the kernel cannot mark packets; undefined when it can.
 */
export function refuseRanges(operation: PoolOperation, lacking: string | undefined): OperationFailure[] {
  if (operation.kind === "remove" || !operation.pool.addresses.some(isRange)) return [];
  const { uid, addresses } = operation.pool;
  const why = addresses.some((address) => isRange(address) && address.ip === "*")
    ? "with an address of the pool's own only"
    : lacking;
  if (why === undefined) return [];
  const message = `Cannot program pool "${uid}" with a range of ports: ${why}; leave spec.lastPort out`;
  return [{ uid, code: "KernelUnsupported", message }];
}
