import type { Store } from "../../store/index.ts";
import { HELD_PREFIXES } from "./keys.ts";

// A store takes 128 writes at once, as etcd does.
const DELETED_PER_TRANSACTION = 100;

/**
 * Ends what former processes still hold. For a store that one process has for itself: whoever had it before is dead,
 * so that nobody has to wait until the lease of a killed process runs out.
 *
 * @throws ParasausError what the store throws
 */
export async function forgetHolders(store: Store): Promise<void> {
  const ranges = await Promise.all(HELD_PREFIXES.map((prefix) => store.range(prefix)));
  const keys = ranges.flatMap(({ entries }) => entries.map(({ key }) => key));
  for (let start = 0; start < keys.length; start += DELETED_PER_TRANSACTION) {
    const some = keys.slice(start, start + DELETED_PER_TRANSACTION);
    await store.transact(
      [],
      some.map((key) => ({ kind: "delete", key })),
    );
  }
}
