import { expect, it } from "vitest";
import { FakeClock, silentLogger } from "../foundation/index.ts";
import { startTask } from "./tasks.ts";

it("starts a failed task again after a wait, and says meanwhile what is wrong", async () => {
  const clock = new FakeClock();
  const ending = new AbortController();
  let runs = 0;
  const task = startTask(
    "allocator",
    async (signal) => {
      runs += 1;
      if (runs === 1) throw new Error("store is gone");
      await clock.sleep(1_000_000, signal);
    },
    { log: silentLogger, clock, random: () => 1, signal: ending.signal },
  );
  await clock.advance(0);
  expect([runs, task.problem()]).toEqual([1, "store is gone"]);
  await clock.advance(500);
  expect([runs, task.problem()]).toEqual([2, undefined]);
  ending.abort(new Error("end"));
  await task.ended;
  expect(runs).toBe(2);
});
