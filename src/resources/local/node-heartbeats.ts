import type { Store } from "../../store/index.ts";

/** Beside the objects: it is rewritten for all nodes at once, and nobody watches it. */
const KEY = "/parasaus/node-heartbeats";
const MAX_ATTEMPTS = 8;

/** What a node said of itself when it was last heard of: what changes too often to be written for each node alone. */
export interface NodeHeartbeat {
  /** When that was, milliseconds since 1970. */
  readonly atMs: number;
  /** Of the store that the revision is of: how often it was restored, counted from 1. */
  readonly epoch?: number;
  readonly appliedRevision?: string;
  readonly tableHash?: string;
  readonly poolCount?: number;
  /** Entries in the flow table. */
  readonly flowEntryCount?: number;
  /** How busy the machine's processors were, 0-100. */
  readonly cpuPercent?: number;
}

/** The last heartbeat of each node, by name. */
export type NodeHeartbeats = ReadonlyMap<string, NodeHeartbeat>;

/** Reads when each node was last heard of by any server, as of the last time that a server wrote it down. */
export async function readHeartbeats(store: Pick<Store, "get">): Promise<NodeHeartbeats> {
  return decode((await store.get(KEY))?.value);
}

/**
 * Writes down for all nodes at once what one server heard. What other servers heard later stays.
 *
 * @param isKnown Whether there is a node of this name: others are forgotten.
 * @returns false when others kept writing it at the same time: the next time brings it
 * @throws ParasausError what the store throws
 */
export async function writeHeartbeats(
  store: Pick<Store, "get" | "transact">,
  heard: NodeHeartbeats,
  isKnown: (name: string) => boolean,
): Promise<boolean> {
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt += 1) {
    const entry = await store.get(KEY);
    const merged = new Map(
      [...mergeHeartbeats(decode(entry?.value), heard)].filter(([name]) => isKnown(name)),
    );
    const value = JSON.stringify(Object.fromEntries(merged));
    if (value === entry?.value) return true;
    const condition = { key: KEY, modRevision: entry?.modRevision ?? 0 };
    const { succeeded } = await store.transact([condition], [{ kind: "put", key: KEY, value }]);
    if (succeeded) return true;
  }
  return false;
}

/** Of each node the later heartbeat. */
export function mergeHeartbeats(one: NodeHeartbeats, other: NodeHeartbeats): NodeHeartbeats {
  const merged = new Map(one);
  for (const [name, heartbeat] of other) {
    if (heartbeat.atMs > (merged.get(name)?.atMs ?? Number.NEGATIVE_INFINITY)) merged.set(name, heartbeat);
  }
  return merged;
}

function decode(value: string | undefined): NodeHeartbeats {
  const heartbeats =
    value === undefined ? {} : (JSON.parse(value) as Readonly<Record<string, NodeHeartbeat>>);
  return new Map(Object.entries(heartbeats));
}
