import { expect, it } from "vitest";
import { murmurHash32 } from "./murmur-hash.ts";

it("gives the published values, so that another implementation can be compared with ours", () => {
  expect(murmurHash32("", 0)).toBe(0);
  expect(murmurHash32("", 1)).toBe(0x514e28b7);
  expect(murmurHash32("", 0xffffffff)).toBe(0x81f16f39);
  expect(murmurHash32("test", 0)).toBe(0xba6bd213);
  expect(murmurHash32("Hello, world!", 0)).toBe(0xc0363e43);
  expect(murmurHash32("The quick brown fox jumps over the lazy dog", 0x9747b28c)).toBe(0x2fa826cd);
});
