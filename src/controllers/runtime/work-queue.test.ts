import { describe, expect, it } from "vitest";
import { FakeClock, silentLogger } from "../../foundation/index.ts";
import { createWorkQueue, type WorkQueueOptions } from "./work-queue.ts";

function startQueue(reconcile: WorkQueueOptions["reconcile"], parallelCount = 4) {
  const clock = new FakeClock();
  const stop = new AbortController();
  const queue = createWorkQueue({
    reconcile,
    parallelCount,
    clock,
    logger: silentLogger,
    signal: stop.signal,
    random: () => 0,
  });
  return { clock, queue, stop };
}

/** A reconcile that finishes when told to. */
function heldWork() {
  const started: string[] = [];
  const finishers = new Map<string, () => void>();
  const reconcile = (key: string): Promise<void> => {
    started.push(key);
    return new Promise((resolve) => finishers.set(key, resolve));
  };
  return { started, reconcile, finish: (key: string) => finishers.get(key)?.() };
}

describe("work queue", () => {
  it("works on a key once, however often it was added meanwhile", async () => {
    const seen: string[] = [];
    const { clock, queue } = startQueue(async (key) => {
      seen.push(key);
    });
    for (let count = 0; count < 100; count += 1) queue.add("a");
    await clock.advance(0);
    expect(seen).toEqual(["a", "a"]);
  });

  it("never works on one key twice at a time, and comes back to it when it changed meanwhile", async () => {
    const work = heldWork();
    const { clock, queue } = startQueue(work.reconcile);
    queue.add("a");
    await clock.advance(0);
    queue.add("a");
    queue.add("a");
    await clock.advance(0);
    expect(work.started).toEqual(["a"]);
    work.finish("a");
    await clock.advance(0);
    expect(work.started).toEqual(["a", "a"]);
  });

  it("works on as many keys at a time as allowed, in the order they came", async () => {
    const work = heldWork();
    const { clock, queue } = startQueue(work.reconcile, 2);
    for (const key of ["a", "b", "c", "d"]) queue.add(key);
    await clock.advance(0);
    expect(work.started).toEqual(["a", "b"]);
    work.finish("b");
    await clock.advance(0);
    expect(work.started).toEqual(["a", "b", "c"]);
    expect(queue.pendingCount).toBe(3);
  });

  it("tries a failing key again with growing waits, and others go on meanwhile", async () => {
    const attempts: number[] = [];
    let others = 0;
    const { clock, queue } = startQueue(async (key) => {
      if (key === "good") {
        others += 1;
        return;
      }
      attempts.push(clock.monotonicMs());
      if (attempts.length < 4) throw new Error("no");
    }, 1);
    queue.add("bad");
    queue.add("good");
    await clock.advance(10_000);
    expect(attempts).toEqual([0, 25, 75, 175]);
    expect(others).toBe(1);
  });

  it("keeps the earlier of two appointments", async () => {
    const times: number[] = [];
    const { clock, queue } = startQueue(async () => {
      times.push(clock.monotonicMs());
    });
    queue.addAfter("a", 500);
    queue.addAfter("a", 100);
    queue.addAfter("a", 300);
    await clock.advance(1_000);
    expect(times).toEqual([100]);
  });

  it("starts nothing after the signal, and says when the last work is finished", async () => {
    const work = heldWork();
    const { clock, queue, stop } = startQueue(work.reconcile, 1);
    queue.add("a");
    queue.add("b");
    queue.addAfter("c", 10);
    await clock.advance(0);
    stop.abort();
    let isDrained = false;
    const drained = queue.drained().then(() => {
      isDrained = true;
    });
    await clock.advance(100);
    expect(isDrained).toBe(false);
    work.finish("a");
    await drained;
    queue.add("d");
    await clock.advance(100);
    expect(work.started).toEqual(["a"]);
  });
});
