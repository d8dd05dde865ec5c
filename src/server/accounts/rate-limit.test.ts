import { expect, it } from "vitest";
import { RateLimit } from "./rate-limit.ts";

function limitAt() {
  const time = { ms: 0 };
  return { time, limit: new RateLimit({ burst: 3, refillMs: 1_000, nowMs: () => time.ms }) };
}

it("lets a burst pass, then one each time that it refills, and says when", () => {
  const { time, limit } = limitAt();
  const tries = () => [1, 2, 3, 4].map(() => limit.take("a"));
  expect(tries()).toEqual([0, 0, 0, 1]);
  time.ms = 1_000;
  expect(tries()).toEqual([0, 1, 1, 1]);
  time.ms = 60_000;
  expect(tries()).toEqual([0, 0, 0, 1]);
});

it("tells one from another, and gives back what was no failure", () => {
  const { limit } = limitAt();
  for (const _ of [1, 2, 3]) limit.take("a");
  expect([limit.take("a"), limit.take("b")]).toEqual([1, 0]);
  limit.giveBack("a");
  expect([limit.take("a"), limit.take("a")]).toEqual([0, 1]);
});
