import { type Clock, type Logger, ParasausError } from "../../foundation/index.ts";
import { EPOCH_KEY, type Epoch, readEpoch, refuseUnfinished } from "../../resources/local/index.ts";
import { type Fence, fenceStore, type Store } from "../../store/index.ts";

const RETRY_MS = 1_000;

/** A store in the epoch in which a server found it. */
export interface StoreInEpoch {
  /** Refuses writes once something is restored into it. */
  readonly store: Store;
  readonly epoch: Epoch;
}

/**
 * Binds a server to the epoch that its store is in: whoever knew the objects before a restore must not write after it.
 *
 * @throws ParasausError `RestoreUnfinished`, `StoreCorrupt`
 */
export async function enterEpoch(store: Store): Promise<StoreInEpoch> {
  const epoch = await readEpoch(store);
  refuseUnfinished(epoch);
  return { epoch, store: fenceStore(store, epoch.fence, overtaken) };
}

function overtaken(): ParasausError {
  return new ParasausError(
    "Unavailable",
    "Cannot write: a backup was restored into the store since this server started; it has to start again",
  );
}

/** What watching for a restore needs. */
export interface RestoreWatchOptions {
  readonly store: Store;
  /** Of the epoch that the server is in. */
  readonly fence: Fence;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Ends the watch. */
  readonly signal: AbortSignal;
}

/** Aborts when a restore into the store has begun: the server has to end, and to start again when it is done. */
export function watchForRestore(options: RestoreWatchOptions): AbortSignal {
  const restored = new AbortController();
  void followEpoch(options).then((isRestored) => {
    if (!isRestored) return;
    options.logger.error("a backup was restored into the store; the server ends and has to start again");
    restored.abort();
  });
  return restored.signal;
}

async function followEpoch(options: RestoreWatchOptions): Promise<boolean> {
  const { clock, logger, signal } = options;
  while (!signal.aborted) {
    try {
      if (await hasChanged(options)) return true;
    } catch (error) {
      logger.debug("watch of the epoch broke off, trying again", { error });
      await clock.sleep(RETRY_MS, signal).catch(() => undefined);
    }
  }
  return false;
}

/** Whether the epoch is another one now; else waits until it may be. */
async function hasChanged({ store, fence, signal }: RestoreWatchOptions): Promise<boolean> {
  const revision = await store.revision();
  const entry = await store.get(EPOCH_KEY);
  if ((entry?.modRevision ?? 0) !== fence.modRevision) return true;
  for await (const { kind } of store.watch(EPOCH_KEY, revision + 1, signal)) if (kind === "events") break;
  return false;
}
