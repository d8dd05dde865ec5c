import { ParasausError } from "../foundation/index.ts";
import type { Store, StoreCondition, StoreEntry } from "./store.ts";

/**
 * Proof of who may write: a key that its holder put once and never writes again, at the revision of that put.
 * When anybody else holds the key, it is at another revision, and never at this one again.
 */
export type Fence = StoreCondition;

/**
 * The same store, written only while a fence stands: every transaction has it as one more condition, so that the store
 * itself refuses what a former holder sends too late. Reading and leases stay as they are; disposing it disposes nothing.
 *
 * @param refusal What to throw when the fence is lost, by what is at its key then. Default: `FenceLost`.
 * @returns a store whose `transact` throws that when the fence is lost; nothing is applied then
 */
export function fenceStore(
  store: Store,
  fence: Fence,
  refusal: (found: StoreEntry | undefined) => ParasausError = (found) => lost(fence, found),
): Store {
  return {
    revision: () => store.revision(),
    get: (key) => store.get(key),
    range: (prefix, options) => store.range(prefix, options),
    watch: (prefix, fromRevision, signal) => store.watch(prefix, fromRevision, signal),
    grantLease: (ttlSeconds) => store.grantLease(ttlSeconds),
    keepLeaseAlive: (leaseId) => store.keepLeaseAlive(leaseId),
    revokeLease: (leaseId) => store.revokeLease(leaseId),
    compact: (revision) => store.compact(revision),
    async transact(conditions, writes) {
      const result = await store.transact([fence, ...conditions], writes);
      if (!result.succeeded) await refuseLost(store, fence, refusal);
      return result;
    },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

/**
 * A transaction that failed does not say which condition did. The key never comes back to the fence's revision: if it is
 * still there now, it was there then, and one of the caller's own conditions failed.
 */
async function refuseLost(
  store: Store,
  { key, modRevision }: Fence,
  refusal: (found: StoreEntry | undefined) => ParasausError,
): Promise<void> {
  const entry = await store.get(key);
  if ((entry?.modRevision ?? 0) !== modRevision) throw refusal(entry);
}

function lost({ key, modRevision }: Fence, entry: StoreEntry | undefined): ParasausError {
  const found = entry ? `somebody else holds it since revision ${entry.modRevision}` : "nobody holds it";
  return new ParasausError("FenceLost", `Cannot write in the name of "${key}": ${found}, not ${modRevision}`);
}
