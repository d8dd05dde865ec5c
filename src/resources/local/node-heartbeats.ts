import type { Store } from "../../store/index.ts";

/** Beside the objects: it is rewritten for all nodes at once, and nobody watches it. */
const KEY = "/parasaus/node-heartbeats";
const MAX_ATTEMPTS = 8;

/** When each node was last heard of, milliseconds since 1970, by name. */
export type NodeHeartbeats = ReadonlyMap<string, number>;

/** Reads when each node was last heard of by any server, as of the last time that a server wrote it down. */
export async function readHeartbeats(store: Store): Promise<NodeHeartbeats> {
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
  store: Store,
  heard: NodeHeartbeats,
  isKnown: (name: string) => boolean,
): Promise<boolean> {
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt += 1) {
    const entry = await store.get(KEY);
    const merged = new Map([...decode(entry?.value)].filter(([name]) => isKnown(name)));
    for (const [name, atMs] of heard) {
      if (isKnown(name)) merged.set(name, Math.max(atMs, merged.get(name) ?? 0));
    }
    const value = JSON.stringify(Object.fromEntries(merged));
    if (value === entry?.value) return true;
    const condition = { key: KEY, modRevision: entry?.modRevision ?? 0 };
    const { succeeded } = await store.transact([condition], [{ kind: "put", key: KEY, value }]);
    if (succeeded) return true;
  }
  return false;
}

function decode(value: string | undefined): NodeHeartbeats {
  const times = value === undefined ? {} : (JSON.parse(value) as Readonly<Record<string, number>>);
  return new Map(Object.entries(times));
}
