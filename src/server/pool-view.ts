import type { Clock, Logger } from "../foundation/index.ts";
import { type KubeObject, type Pool, poolDefinition } from "../model/index.ts";
import { followObjects, type Resources } from "../resources/index.ts";

/** Every pool as it is now, by uid. */
export interface PoolView {
  readonly pools: ReadonlyMap<string, Pool>;
  /** Settles when the signal has aborted. */
  readonly ended: Promise<void>;
}

/** Follows the pools until the signal aborts. */
export function followPools(
  resources: Resources,
  { clock, logger, signal }: { readonly clock: Clock; readonly logger: Logger; readonly signal: AbortSignal },
): PoolView {
  const pools = new Map<string, Pool>();
  const put = (object: KubeObject) => void pools.set(object.metadata.uid ?? "", object as Pool);
  const ended = followObjects(resources, poolDefinition, {
    onSnapshot: (objects) => {
      pools.clear();
      objects.forEach(put);
    },
    onChange: ({ type, object }) => {
      if (type === "DELETED") pools.delete(object.metadata.uid ?? "");
      else put(object);
    },
    clock,
    logger,
    signal,
  });
  return { pools, ended };
}
