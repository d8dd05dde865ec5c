import { expect, it } from "vitest";
import { type Clock, FakeClock } from "./clock.ts";
import { watchdog } from "./watchdog.ts";

it("calls out once when it is not fed in time, up to a quarter later, and never once it is stopped", async () => {
  const clock = new FakeClock();
  let starvedCount = 0;
  const dog = watchdog(clock, 1_000, () => {
    starvedCount += 1;
  });
  for (let round = 0; round < 5; round += 1) {
    await clock.advance(900);
    dog.feed();
  }
  expect(starvedCount).toBe(0);
  await clock.advance(1_000);
  expect(starvedCount).toBe(0);
  await clock.advance(250);
  expect(starvedCount).toBe(1);
  await clock.advance(10_000);
  expect(starvedCount).toBe(1);
  const stopped = watchdog(clock, 1_000, () => {
    starvedCount += 1;
  });
  stopped[Symbol.dispose]();
  await clock.advance(10_000);
  expect(starvedCount).toBe(1);
});

it("does not take the time for silence in which its own process stood still", async () => {
  const fake = new FakeClock();
  const wakes: (() => void)[] = [];
  const clock: Clock = {
    now: () => fake.now(),
    monotonicMs: () => fake.monotonicMs(),
    sleep: () => new Promise((resolve) => wakes.push(resolve)),
  };
  let starvedCount = 0;
  const dog = watchdog(clock, 1_000, () => {
    starvedCount += 1;
  });
  const look = async () => {
    wakes.shift()?.();
    await new Promise((resolve) => setImmediate(resolve));
  };
  await fake.advance(60_000);
  await look();
  expect(starvedCount).toBe(0);
  dog.feed();
  for (let count = 0; count < 4; count += 1) await look();
  expect(starvedCount).toBe(0);
  // The control: what stays silent starves all the same.
  await look();
  expect(starvedCount).toBe(1);
});
