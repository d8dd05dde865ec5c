import { ParasausError } from "../../foundation/index.ts";

/** A token as it is handed to an agent. */
export interface TokenText {
  /** What the server knows it by. */
  readonly secret: string;
  /** `sha256:<hex>` of the public key of the authority that servers must show; absent: it is known by other means. */
  readonly authorityHash?: string;
}

const FORM = /^([0-9a-f]{64})(?:\.([0-9a-f]{64}))?$/;

/**
 * Reads a token: the secret, then a dot and the hash of the authority, as `parasaus node token` prints it.
 *
 * @throws ParasausError `Usage` when it is none; the text is not quoted, it may be most of a secret
 */
export function readTokenText(text: string): TokenText {
  const [, secret, hash] = FORM.exec(text.trim()) ?? [];
  if (secret === undefined) {
    throw new ParasausError("Usage", "Cannot read the token: it is not what `parasaus node token` printed");
  }
  return { secret, ...(hash === undefined ? {} : { authorityHash: `sha256:${hash}` }) };
}
