import { expect, it } from "vitest";
import { readTokenText } from "./token-text.ts";

const secret = "0123456789abcdef".repeat(4);
const hash = "fedcba9876543210".repeat(4);

it("reads a secret with the authority's hash, without one, and with the line's end", () => {
  expect(readTokenText(`${secret}.${hash}\n`)).toEqual({ secret, authorityHash: `sha256:${hash}` });
  expect(readTokenText(secret)).toEqual({ secret });
});

it.each([
  "",
  "\n",
  secret.slice(1),
  `${secret}.`,
  `${secret}.${hash.slice(1)}`,
  `${secret} ${hash}`,
  `${secret}${hash}`,
])("refuses what is cut short or put together, and quotes nothing of it: %j", (text) => {
  expect(() => readTokenText(text)).toThrow(/^Cannot read the token: it is not what/);
  expect(() => readTokenText(text)).not.toThrow(/0123/);
});
