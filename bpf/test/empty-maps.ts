import type { BpfMap } from "../../src/linux/index.ts";

/** The maps that are hash tables; the others are arrays. */
export const HASHES = ["service", "flow", "affinity", "local_flow", "local_datagram", "node_address"];
const ARRAYS = [
  "slot",
  "pool",
  "member",
  "member_traffic",
  "half_open_ring",
  "half_open_head",
  "config",
  "drops",
];

/** Makes every map what it was when the object was loaded: much cheaper than to load it again. */
export function emptyMaps(maps: ReadonlyMap<string, BpfMap>): void {
  for (const [name, map] of maps) {
    if (HASHES.includes(name)) emptyHash(map);
    else if (ARRAYS.includes(name)) zeroArray(map);
    // Maps with a dot are a program's own constants.
    else if (!name.includes("."))
      throw new Error(`Cannot empty map "${name}": this file does not know its kind`);
  }
}

function emptyHash(map: BpfMap): void {
  const keys: Buffer[] = [];
  for (const batch of map.batches(4096)) {
    for (let at = 0; at < batch.count; at++)
      keys.push(Buffer.from(batch.keys.subarray(at * map.keyBytes, (at + 1) * map.keyBytes)));
  }
  for (const key of keys) map.delete(key);
}

function zeroArray(map: BpfMap): void {
  const rows = Uint32Array.from({ length: map.capacityCount }, (_, row) => row);
  const zeros = Buffer.alloc(map.capacityCount * map.valueBytes);
  map.updateBatch(new Uint8Array(rows.buffer), zeros, map.capacityCount);
}
