import { expect, it } from "vitest";
import { Retention } from "./retention.ts";

const MINUTE_MS = 60_000;

it("keeps everything while there are fewer than 10,000 revisions, however old they are", () => {
  const retention = new Retention();
  retention.observe(9_000, 0);
  expect(retention.observe(9_000, 60 * MINUTE_MS)).toBe(1);
});

it("keeps more than 10,000 revisions while they are younger than 10 minutes", () => {
  const retention = new Retention();
  retention.observe(1_000, 0);
  expect(retention.observe(50_000, 9 * MINUTE_MS)).toBe(1);
  expect(retention.observe(50_000, 11 * MINUTE_MS)).toBe(1_000);
  expect(retention.observe(50_000, 20 * MINUTE_MS)).toBe(40_000);
});

it("never keeps more than 100,000 revisions", () => {
  const retention = new Retention();
  retention.observe(1_000, 0);
  expect(retention.observe(300_000, MINUTE_MS)).toBe(200_000);
});
