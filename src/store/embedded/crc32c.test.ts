import { expect, it } from "vitest";
import { crc32c } from "./crc32c.ts";

it("gives the check value of the CRC-32C catalogue", () => {
  expect(crc32c(Buffer.from("123456789"))).toBe(0xe3069283);
});

it("gives the values of RFC 3720, appendix B.4", () => {
  expect(crc32c(Buffer.alloc(32))).toBe(0x8a9136aa);
  expect(crc32c(Buffer.alloc(32, 0xff))).toBe(0x62a8ab43);
  expect(crc32c(Buffer.from(Array.from({ length: 32 }, (_, index) => index)))).toBe(0x46dd794e);
});

it("goes on from a seed as if the bytes were one piece", () => {
  const text = Buffer.from("pool/web is up since noon");
  for (let cut = 0; cut <= text.length; cut += 1) {
    expect(crc32c(text.subarray(cut), crc32c(text.subarray(0, cut)))).toBe(crc32c(text));
  }
});
