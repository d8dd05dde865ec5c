import { createHash, randomBytes, timingSafeEqual } from "node:crypto";

/** 256 bits: nobody guesses them, so that a plain hash keeps them safe. */
const TOKEN_BYTES = 32;

/** Makes a token: 64 hexadecimal digits, so that no shell and no command line takes a part of it for something else. */
export function createToken(): string {
  return randomBytes(TOKEN_BYTES).toString("hex");
}

/** What of a token is stored: enough to know it again, useless to whoever reads the store. Hexadecimal. */
export function hashToken(token: string): string {
  return createHash("sha256").update(token).digest("hex");
}

/** Whether a token is the one that was hashed. Takes as long for a wrong one as for the right one. */
export function isTokenOf(token: string, hash: string): boolean {
  return timingSafeEqual(Buffer.from(hashToken(token), "hex"), Buffer.from(hash, "hex"));
}
