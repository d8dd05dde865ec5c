import { createHash } from "node:crypto";

/** What a page has to repeat of a session: worked out from its secret, which no page can read. Hexadecimal. */
export function csrfTokenOf(secret: string): string {
  return createHash("sha256").update(`csrf ${secret}`).digest("hex");
}
