import { readFileSync } from "node:fs";
import type { BpfMap } from "../../src/linux/index.ts";

const IS_UML = readFileSync("/proc/cpuinfo", "utf8").includes("User Mode Linux");
/** Two entries each; the kernel asks for more when 32 of up to 96 are left. */
const PACKETS_PER_TICK = 12;
const TICK_MS = 11;

/**
 * Kernels since 6.1 take hash entries from pools of their own, which they refill by an interrupt to themselves.
 * User-mode-linux has no such interrupt: the refill waits for the clock's tick, and a burst of new flows finds the pool
 * empty, as on no real machine. The answer is called before each packet, and there waits for the tick now and then.
 */
export function createPacer(hashes: readonly BpfMap[]): () => void {
  if (!IS_UML) return () => undefined;
  // A pool begins with 4 entries; the first that is taken asks for more.
  for (const map of hashes) {
    const key = Buffer.alloc(map.keyBytes);
    map.update(key, Buffer.alloc(map.valueBytes));
    map.delete(key);
  }
  waitForTick();
  let packets = 0;
  return () => {
    packets += 1;
    if (packets % PACKETS_PER_TICK === 0) waitForTick();
  };
}

function waitForTick(): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, TICK_MS);
}
