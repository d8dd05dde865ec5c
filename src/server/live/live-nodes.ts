import {
  type Condition,
  isReadyUnknown,
  type KubeObject,
  type Node,
  nodeDefinition,
  type Pool,
  withReadyUnknown,
} from "../../model/index.ts";
import type { Resources } from "../../resources/index.ts";
import type { NodeHeartbeat, NodeHeartbeats } from "../../resources/local/index.ts";

/** A node that was not heard of for longer is lost, milliseconds. */
const SILENT_MS = 30_000;

/** What is joined into Nodes when they are read. */
export interface LiveNodeSources {
  /** What each node said last, to whichever server. */
  readonly heartbeats: () => Promise<NodeHeartbeats>;
  /** Revision that the newest pool was written at, or 0. */
  readonly poolRevision: () => number;
  readonly now: () => Date;
}

/**
 * The same objects, and in every Node that is read what its agent said last: stored is only what seldom changes. `Ready` of
 * a node that is silent is `Unknown`. A watch shows what is stored, where that is written a little later.
 */
export function withLiveNodes(resources: Resources, sources: LiveNodeSources): Resources {
  return {
    ...readsWithLiveNodes(resources, sources),
    watch: (definition, options) => resources.watch(definition, options),
    create: (definition, object, options) => resources.create(definition, object, options),
    update: (reference, object, options) => resources.update(reference, object, options),
    patch: (reference, patch, options) => resources.patch(reference, patch, options),
    delete: (reference, options) => resources.delete(reference, options),
  };
}

/** What {@link withLiveNodes} changes: reading. */
export function readsWithLiveNodes(
  resources: Pick<Resources, "get" | "list">,
  sources: LiveNodeSources,
): Pick<Resources, "get" | "list"> {
  return {
    get: async (reference) => {
      const object = await resources.get(reference);
      if (reference.definition !== nodeDefinition) return object;
      return joined(object, await sources.heartbeats(), sources);
    },
    list: async (definition, options) => {
      const list = await resources.list(definition, options);
      if (definition !== nodeDefinition) return list;
      const heartbeats = await sources.heartbeats();
      return { ...list, items: list.items.map((object) => joined(object, heartbeats, sources)) };
    },
  };
}

function joined(object: KubeObject, heartbeats: NodeHeartbeats, sources: LiveNodeSources): KubeObject {
  const { status = {}, ...rest } = object as Node;
  const storedMs = Date.parse(status.heartbeat ?? "") || 0;
  const heard = heartbeats.get(rest.metadata.name);
  const heardMs = Math.max(storedMs, heard?.atMs ?? 0);
  if (heardMs === 0) return object;
  const live = heard && heard.atMs >= storedMs ? liveStatus(heard, sources.poolRevision()) : {};
  const heartbeat = new Date(heardMs).toISOString();
  const isSilent = sources.now().getTime() - heardMs > SILENT_MS;
  const conditions = status.conditions ?? [];
  const next = {
    ...{ ...status, ...live, heartbeat },
    ...(isSilent && !isReadyUnknown(conditions) ? { conditions: silenced(conditions, heardMs) } : {}),
  };
  return { ...rest, status: next } as KubeObject;
}

function liveStatus({ atMs: _, ...said }: NodeHeartbeat, poolRevision: number): object {
  if (said.appliedRevision === undefined) return said;
  return { ...said, lagRevisions: Math.max(0, poolRevision - Number(said.appliedRevision)) };
}

function silenced(conditions: readonly Condition[], heardMs: number): readonly Condition[] {
  return withReadyUnknown(conditions, heardMs, new Date(heardMs + SILENT_MS));
}

/** Revision of the newest of the pools, worked out anew at most once a second. */
export function newestRevision(pools: ReadonlyMap<string, Pool>, nowMs: () => number): () => number {
  let found = 0;
  let foundMs = Number.NEGATIVE_INFINITY;
  return () => {
    if (nowMs() - foundMs < 1_000) return found;
    foundMs = nowMs();
    found = 0;
    for (const { metadata } of pools.values()) found = Math.max(found, Number(metadata.resourceVersion ?? 0));
    return found;
  };
}
