import { ConnectAddressIndex, type ConnectAddressLookup } from "../controllers/index.ts";
import type { Clock, Logger } from "../foundation/index.ts";
import { type KubeObject, type Node, nodeDefinition, type Pool, poolDefinition } from "../model/index.ts";
import { followObjects, type Resources } from "../resources/index.ts";

/** Every pool as it is now, by uid, and who listens where. */
export interface PoolView {
  readonly pools: ReadonlyMap<string, Pool>;
  readonly holderAt: ConnectAddressLookup;
  /** Another number after every change. */
  readonly version: () => number;
  /** Calls back after every change; returns what ends that. */
  readonly onChange: (listener: () => void) => () => void;
  /** Settles when the signal has aborted. */
  readonly ended: Promise<void>;
}

/** What a view needs. */
export interface PoolViewSurroundings {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly signal: AbortSignal;
}

/** Follows the pools, and the nodes' addresses, until the signal aborts. */
export function followPools(resources: Resources, surroundings: PoolViewSurroundings): PoolView {
  const pools = new Map<string, Pool>();
  const index = new ConnectAddressIndex();
  const listeners = new Set<() => void>();
  let version = 0;
  const tellAll = () => {
    version += 1;
    for (const listener of listeners) listener();
  };
  const put = (object: KubeObject) => {
    pools.set(object.metadata.uid ?? "", object as Pool);
    index.put(object as Pool);
  };
  const ended = followObjects(resources, poolDefinition, {
    ...surroundings,
    onSnapshot: (objects) => {
      pools.clear();
      index.clear();
      objects.forEach(put);
      tellAll();
    },
    onChange: ({ type, object }) => {
      if (type !== "DELETED") put(object);
      else {
        pools.delete(object.metadata.uid ?? "");
        index.remove(object.metadata.uid ?? "");
      }
      tellAll();
    },
  });
  const nodesEnded = followNodeIps(resources, surroundings, (ips) => index.setNodeIps(ips));
  return {
    pools,
    holderAt: (...address) => index.holderAt(...address),
    version: () => version,
    onChange(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    ended: Promise.all([ended, nodesEnded]).then(() => undefined),
  };
}

function followNodeIps(
  resources: Resources,
  surroundings: PoolViewSurroundings,
  onChange: (ips: ReadonlySet<string>) => void,
): Promise<void> {
  const addresses = new Map<string, readonly string[]>();
  const put = (object: KubeObject) =>
    void addresses.set(object.metadata.name, (object as Node).status?.addresses ?? []);
  const tell = () => onChange(new Set([...addresses.values()].flat()));
  return followObjects(resources, nodeDefinition, {
    ...surroundings,
    onSnapshot: (objects) => {
      addresses.clear();
      objects.forEach(put);
      tell();
    },
    onChange: ({ type, object }) => {
      if (type === "DELETED") addresses.delete(object.metadata.name);
      else put(object);
      tell();
    },
  });
}
