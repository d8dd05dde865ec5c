import { expect, it } from "vitest";
import type { KubeObject } from "../../model/index.ts";
import { LineCache } from "./line-cache.ts";

const MEGABYTE = 1024 * 1024;
const object = (): KubeObject => ({ apiVersion: "v1", kind: "Pool", metadata: { name: "web" } });

it("encodes a line once for each form of an object", () => {
  const lines = new LineCache();
  const [one, other] = [object(), object()];
  let encoded = 0;
  const ask = (of: KubeObject, form: string) =>
    lines.line(of, form, () => {
      encoded += 1;
      return Buffer.from(form);
    });
  for (let round = 0; round < 254; round += 1) {
    ask(one, "plain");
    ask(one, "table");
    ask(other, "plain");
  }
  expect(encoded).toBe(3);
});

it("forgets what nobody asked for while many others came, so that it cannot grow", () => {
  const lines = new LineCache();
  const first = object();
  const kept = Array.from({ length: 20 }, object);
  const megabyte = () => Buffer.alloc(MEGABYTE);
  const line = lines.line(first, "plain", megabyte);
  // Compared as booleans: vitest would print the megabytes.
  expect(lines.line(first, "plain", megabyte) === line).toBe(true);
  for (const each of kept) lines.line(each, "plain", megabyte);
  expect(lines.line(first, "plain", megabyte) === line).toBe(false);
});
