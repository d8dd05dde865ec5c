import type { BpfMap } from "../../linux/index.ts";
import type { Kernel } from "./kernel.ts";
import { LAYOUT } from "./layout.ts";
import { decodeServiceKey } from "./rows.ts";

const BATCH_COUNT = 8192;

/** The tables as they were read, row after row. */
export interface Snapshot {
  readonly pools: Buffer;
  readonly members: Buffer;
  readonly slots: Buffer;
  readonly services: Buffer;
  /** Row of `services` by connect address. */
  readonly serviceRows: ReadonlyMap<number, number>;
}

/** Reads what pools consist of, with pauses in which the process can do other things. */
export async function readSnapshot(kernel: Kernel): Promise<Snapshot> {
  const { service, pool, member, slot } = kernel.maps;
  const services = await readService(service);
  return {
    ...services,
    pools: await readArray(pool),
    members: await readArray(member),
    slots: await readArray(slot, highestSlot(services.services)),
  };
}

/** Lets other work run. */
export function pause(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

async function readService(map: BpfMap): Promise<Pick<Snapshot, "services" | "serviceRows">> {
  const parts: Buffer[] = [];
  const serviceRows = new Map<number, number>();
  let row = 0;
  for (const { keys, values, count } of map.batches(BATCH_COUNT)) {
    parts.push(Buffer.from(values.subarray(0, count * map.valueBytes)));
    for (let place = 0; place < count; place += 1) {
      serviceRows.set(decodeServiceKey(keys, place * map.keyBytes), row);
      row += 1;
    }
    await pause();
  }
  return { services: Buffer.concat(parts), serviceRows };
}

async function readArray(map: BpfMap, limitCount = map.capacityCount): Promise<Buffer> {
  const rows = Buffer.alloc(Math.min(map.capacityCount, limitCount) * map.valueBytes);
  let at = 0;
  for (const { values, count } of map.batches(BATCH_COUNT)) {
    values.copy(rows, at, 0, count * map.valueBytes);
    at += count * map.valueBytes;
    if (at >= rows.length) break;
    await pause();
  }
  return rows;
}

/** One behind the last slot that any service uses. */
function highestSlot(services: Buffer): number {
  const { size, sequence_at, sequence_count, eligible_at, eligible_count } = LAYOUT.service;
  const wordsOf = new Uint32Array(services.buffer, services.byteOffset, services.length / 4);
  let highest = 0;
  for (let row = 0; row < wordsOf.length; row += size / 4) {
    const word = (at: number) => wordsOf[row + at / 4] ?? 0;
    highest = Math.max(highest, word(sequence_at) + word(sequence_count));
    highest = Math.max(highest, word(eligible_at) + word(eligible_count));
  }
  return highest;
}
