import { expect, it } from "vitest";
import { createToken, hashToken, isTokenOf } from "./token.ts";

it("knows a token again by its hash, and no other", () => {
  const token = createToken();
  const hash = hashToken(token);
  expect(isTokenOf(token, hash)).toBe(true);
  for (const other of [createToken(), "", token.slice(1), `${token} `, hash])
    expect(isTokenOf(other, hash)).toBe(false);
  expect(hash).not.toContain(token);
});

it("makes tokens of 256 bits that survive a shell", () => {
  const tokens = new Set(Array.from({ length: 100 }, createToken));
  expect(tokens.size).toBe(100);
  for (const token of tokens) expect(token).toMatch(/^[0-9a-f]{64}$/);
});
