import { ParasausError } from "../foundation/index.ts";
import type { StoreCondition, StoreWrite } from "./store.ts";

/** Most bytes of one transaction, as in etcd. */
const MAX_TRANSACTION_BYTES = 1_572_864;
/** Most writes, and most conditions, of one transaction, as in etcd. */
const MAX_TRANSACTION_PARTS = 128;
const KEY = /^[\x21-\x7e]{1,1024}$/;

/**
 * Refuses what no store can hold.
 *
 * @returns The size of the transaction, bytes.
 * @throws ParasausError `BadRequest`, `TooLarge`
 */
export function assertWithinLimits(
  conditions: readonly StoreCondition[],
  writes: readonly StoreWrite[],
): number {
  const parts = Math.max(conditions.length, writes.length);
  if (parts > MAX_TRANSACTION_PARTS) {
    const limit = `at most ${MAX_TRANSACTION_PARTS} are allowed`;
    throw new ParasausError("TooLarge", `Cannot write ${parts} keys at once: ${limit}`);
  }
  let size = 0;
  const written = new Set<string>();
  for (const { key } of conditions) assertKey(key);
  for (const write of writes) {
    assertKey(write.key);
    if (written.has(write.key)) {
      throw new ParasausError("BadRequest", `Cannot write "${write.key}" twice in one transaction`);
    }
    written.add(write.key);
    size += write.key.length + (write.kind === "put" ? Buffer.byteLength(write.value) : 0);
  }
  if (size > MAX_TRANSACTION_BYTES) {
    throw new ParasausError(
      "TooLarge",
      `Cannot write ${size} bytes at once: at most ${MAX_TRANSACTION_BYTES} are allowed`,
    );
  }
  return size;
}

function assertKey(key: string): void {
  if (!KEY.test(key)) {
    throw new ParasausError(
      "BadRequest",
      `Cannot use the key "${key}": it must be 1 to 1,024 printable ASCII characters`,
    );
  }
}
