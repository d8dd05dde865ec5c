import { randomBytes } from "node:crypto";
import { hash, verify } from "@node-rs/argon2";
import { ParasausError } from "../../foundation/index.ts";
import type { StoredPassword } from "./stored.ts";

/** OWASP's least for argon2id: 19 MiB, two passes, one lane. */
const COST = { memoryCost: 19_456, timeCost: 2, parallelism: 1 } as const;
/** Each takes its memory and a CPU for about 15 ms. */
const MOST_AT_ONCE = 4;
const MOST_WAITING = 64;
const LEAST_LENGTH = 12;
const MOST_BYTES = 256;

/**
 * Refuses a password that is easily guessed: shorter than 12 characters, or about the account's name alone.
 *
 * @throws ParasausError `Invalid`; the password is not quoted
 */
export function checkPassword(password: string, accountName: string): void {
  const complaint = complaintAbout(password, accountName);
  if (complaint === undefined) return;
  throw new ParasausError("Invalid", `Cannot take the password: ${complaint}`);
}

function complaintAbout(password: string, accountName: string): string | undefined {
  const { length } = [...password];
  if (length < LEAST_LENGTH) return `it has ${length} characters, expected ${LEAST_LENGTH} or more`;
  if (Buffer.byteLength(password) > MOST_BYTES) return `it is longer than ${MOST_BYTES} bytes`;
  if (new Set(password).size < 5) return "it has fewer than five different characters";
  const rest = password.toLowerCase().replaceAll(accountName.toLowerCase(), "");
  return rest.length < LEAST_LENGTH / 2 ? "it is the account's name and little more" : undefined;
}

/** Hashes passwords, a few at a time. */
export class PasswordHasher {
  #running = 0;
  readonly #waiting: (() => void)[] = [];
  #decoy: Promise<string> | undefined;

  /** What is stored of a new password. */
  async store(password: string, uid: string): Promise<StoredPassword> {
    const hashed = await this.#inTurn(() => hash(password, COST));
    return { uid, hash: hashed, version: randomBytes(16).toString("hex") };
  }

  /** Whether it is the password. Takes as long where there is none. */
  async isRight(password: string, stored: StoredPassword | undefined): Promise<boolean> {
    // Only the first to ask may fail to hash the decoy; the next one tries again.
    this.#decoy ??= hash(randomBytes(16), COST);
    const expected = stored?.hash ?? (await this.#decoy);
    const isRight = await this.#inTurn(() => verify(expected, password));
    return isRight && stored !== undefined;
  }

  async #inTurn<Value>(work: () => Promise<Value>): Promise<Value> {
    if (this.#running >= MOST_AT_ONCE) {
      if (this.#waiting.length >= MOST_WAITING) {
        const message = "Cannot look at the password: too many log in at once";
        throw new ParasausError("TooManyRequests", message, { retryAfterSeconds: 1 });
      }
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    } else this.#running += 1;
    try {
      return await work();
    } finally {
      const next = this.#waiting.shift();
      if (next) next();
      else this.#running -= 1;
    }
  }
}
