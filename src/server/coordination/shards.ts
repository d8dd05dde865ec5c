/** Into how many shards the pools fall, a count. Servers of different versions work together, so it stays as it is. */
export const SHARD_COUNT = 64;

/** The shard of a pool, an index from 0. @param poolKey `namespace/name` */
export function shardOfPool(poolKey: string): number {
  return hash(poolKey) % SHARD_COUNT;
}

/**
 * The server that a shard is meant for. Each server draws a number for each shard, and the highest wins: when a server
 * comes or goes, only the shards that it wins or had won move.
 *
 * @returns undefined when there are no servers
 */
export function preferredServer(shard: number, serverIds: Iterable<string>): string | undefined {
  let winner: string | undefined;
  let highest = -1;
  for (const id of serverIds) {
    const drawn = hash(`${id}#${shard}`);
    const wins = drawn > highest || (drawn === highest && winner !== undefined && id < winner);
    if (!wins) continue;
    highest = drawn;
    winner = id;
  }
  return winner;
}

/** FNV-1a, and MurmurHash3's finalizer so that texts which differ in the last letter differ everywhere. 0 to 2^32 - 1. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let at = 0; at < text.length; at += 1) value = Math.imul(value ^ text.charCodeAt(at), 0x01000193);
  value = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
  value = Math.imul(value ^ (value >>> 13), 0xc2b2ae35);
  return (value ^ (value >>> 16)) >>> 0;
}
