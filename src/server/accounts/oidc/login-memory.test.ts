import { expect, it } from "vitest";
import { memoryCookie, memoryIn } from "./login-memory.ts";

const MEMORY = { state: "s", nonce: "n", codeVerifier: "v" };

it("gives back what it kept, among other cookies", () => {
  const [pair = ""] = memoryCookie(MEMORY).split(";");
  expect(memoryIn(`a=b; ${pair}; c=d`)).toEqual(MEMORY);
  expect(memoryCookie(MEMORY)).toContain("; Secure; HttpOnly; SameSite=Lax");
});

it.each([
  undefined,
  "",
  "a=b",
  "__Host-parasaus-oidc=",
  "__Host-parasaus-oidc=%%%",
  `__Host-parasaus-oidc=${Buffer.from(JSON.stringify({ state: "s", nonce: "n" })).toString("base64url")}`,
  `__Host-parasaus-oidc=${Buffer.from(JSON.stringify({ ...MEMORY, nonce: 1 })).toString("base64url")}`,
])("takes %s for nothing", (cookies) => {
  expect(memoryIn(cookies)).toBeUndefined();
});

it("forgets", () => {
  expect(memoryCookie(undefined)).toMatch(/^__Host-parasaus-oidc=; Path=\/; Max-Age=0;/);
});
