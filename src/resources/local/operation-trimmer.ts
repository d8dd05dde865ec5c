import type { Clock, Logger } from "../../foundation/index.ts";
import { type Operation, operationDefinition } from "../../model/index.ts";
import type { Store, StoreEntry } from "../../store/index.ts";
import { prefixOf } from "./keys.ts";

const DEFAULT_KEPT_COUNT = 10_000;
// A store takes 128 writes at once, as etcd does.
const DELETED_PER_TRANSACTION = 100;
const CHECK_INTERVAL_MS = 5_000;

/** What the trimmer works on. */
export interface OperationTrimmerOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly signal: AbortSignal;
  /** How many Operations are kept at least; older ones go. Default 10,000. */
  readonly keptCount?: number;
  /** Older ones go whatever their number, milliseconds. Default: none does. */
  readonly keptMs?: number;
}

/** Keeps the newest Operations and deletes older ones, by number and by age, every 5 s, until the signal aborts. */
export async function startOperationTrimmer(options: OperationTrimmerOptions): Promise<void> {
  const { clock, logger, signal } = options;
  while (!signal.aborted) {
    await trim(options).catch((error: unknown) => logger.warn("old operations not deleted", { error }));
    await clock.sleep(CHECK_INTERVAL_MS, signal).catch(() => undefined);
  }
}

async function trim({
  store,
  clock,
  signal,
  keptCount = DEFAULT_KEPT_COUNT,
  keptMs,
}: OperationTrimmerOptions) {
  const oldestMs = keptMs === undefined ? Number.NEGATIVE_INFINITY : clock.now().getTime() - keptMs;
  while (!signal.aborted) {
    const { entries, count } = await store.range(prefixOf(operationDefinition), {
      limit: DELETED_PER_TRANSACTION,
    });
    const isSurplus = ({ value }: StoreEntry, index: number) =>
      index < count - keptCount || Date.parse((JSON.parse(value) as Operation).spec.time) < oldestMs;
    const surplus = entries.filter(isSurplus);
    if (surplus.length === 0) return;
    await store.transact(
      [],
      surplus.map(({ key }) => ({ kind: "delete", key })),
    );
  }
}
