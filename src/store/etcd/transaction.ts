import { ParasausError } from "../../foundation/index.ts";
import { assertWithinLimits } from "../limits.ts";
import type { StoreCondition, StoreWrite, TransactionResult } from "../store.ts";
import type { Cluster } from "./cluster.ts";
import { NO_KEY } from "./key-value-messages.ts";
import { readLeaseId } from "./leases.ts";
import { METHODS } from "./methods.ts";

/**
 * Applies all writes when every condition holds, else none.
 *
 * @throws ParasausError `BadRequest`, `TooLarge`, `NotFound`, `StorageFull`, `Unavailable`
 */
export async function transact(
  cluster: Cluster,
  conditions: readonly StoreCondition[],
  writes: readonly StoreWrite[],
): Promise<TransactionResult> {
  assertWithinLimits(conditions, writes);
  for (const write of writes) refuseImpossibleLease(write);
  // etcd answers a transaction without a single read or write from whatever the member has, compared with nobody
  // (isTxnSerializable in etcdserver/v3_server.go): a read makes it ask the leader.
  const reads = writes.length === 0 ? [{ key: NO_KEY, countOnly: true }] : [];
  const kind = writes.length === 0 ? "read" : "once";
  const about = { kind, action: `write ${namesOf(writes)}` } as const;
  const { succeeded, header } = await cluster.call(METHODS.txn, { conditions, writes, reads }, about);
  return { succeeded, revision: header.revision };
}

function refuseImpossibleLease(write: StoreWrite): void {
  if (write.kind === "delete" || write.leaseId === undefined || readLeaseId(write.leaseId) !== undefined)
    return;
  throw new ParasausError("NotFound", `Cannot write "${write.key}": its lease "${write.leaseId}" has ended`);
}

function namesOf(writes: readonly StoreWrite[]): string {
  const [first, ...others] = writes;
  if (!first) return "nothing";
  return others.length === 0 ? `"${first.key}"` : `"${first.key}" and ${others.length} more`;
}
