import type { Driver, Predecessor } from "./driver.ts";

/** What the drivers that program a kernel have in common. */

/** CLOCK_MONOTONIC, milliseconds, as `bpf_ktime_get_ns` has it. */
export function kernelNowMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}

/** Runs tasks one after the other: who reads the kernel must not see half of a change. */
export function createQueue(): <Result>(task: () => Promise<Result>) => Promise<Result> {
  let last: Promise<unknown> = Promise.resolve();
  return (task) => {
    const turn = last.then(task);
    last = turn.catch(() => undefined);
    return turn;
  };
}

/** @param uninstall Takes the driver out of the kernel; it is still open. */
export function createPredecessor(driver: Driver, handOver: () => void, uninstall: () => void): Predecessor {
  let isOpen = true;
  const close = async () => {
    if (isOpen) await driver[Symbol.asyncDispose]();
    isOpen = false;
  };
  return {
    driver,
    handOver,
    remove: async () => {
      uninstall();
      await close();
    },
    [Symbol.asyncDispose]: close,
  };
}
