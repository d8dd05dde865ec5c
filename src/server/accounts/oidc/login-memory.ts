import type { LoginMemory } from "./provider.ts";

/** Cookie that holds what a browser keeps while it is at the provider. */
const COOKIE = "__Host-parasaus-oidc";
/** People take their time with a second factor, seconds. */
const MEMORY_SECONDS = 600;

/**
 * The cookie's header. The way back from the provider begins at another site, so that a browser would not show a `Strict`
 * cookie; nothing but the three values that this very login is checked against is in it.
 *
 * @param memory Absent: what is kept is forgotten.
 */
export function memoryCookie(memory: LoginMemory | undefined): string {
  const value = memory ? Buffer.from(JSON.stringify(memory)).toString("base64url") : "";
  const maxAgeSeconds = memory ? MEMORY_SECONDS : 0;
  return `${COOKIE}=${value}; Path=/; Max-Age=${maxAgeSeconds}; Secure; HttpOnly; SameSite=Lax`;
}

/** What the browser kept; undefined: nothing, or nothing that can be read. */
export function memoryIn(cookies: string | undefined): LoginMemory | undefined {
  const pair = (cookies ?? "")
    .split(";")
    .map((each) => each.trim())
    .find((each) => each.startsWith(`${COOKIE}=`));
  try {
    const text = Buffer.from(pair?.slice(COOKIE.length + 1) ?? "", "base64url").toString("utf8");
    const { state, nonce, codeVerifier } = JSON.parse(text) as Record<string, unknown>;
    const isWhole = [state, nonce, codeVerifier].every((part) => typeof part === "string" && part !== "");
    return isWhole ? ({ state, nonce, codeVerifier } as LoginMemory) : undefined;
  } catch {
    return undefined;
  }
}
