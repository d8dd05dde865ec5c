import { randomBytes } from "node:crypto";
import { ParasausError } from "../../foundation/index.ts";
import { createToken, hashToken } from "../../pki/index.ts";
import type { Store, StoreEntry } from "../../store/index.ts";
import { enrolmentKey, TOKENS_PREFIX } from "./keys.ts";

/** A new token, which is nowhere but here. */
export interface EnrolmentToken {
  /** 64 hexadecimal digits. */
  readonly secret: string;
  readonly expires: Date;
}

/** How to make a token. */
export interface TokenOptions {
  readonly nodeName: string;
  readonly lifetimeMs: number;
  readonly now: Date;
}

/** A token that may be used for a node, by who has a certain key. */
export interface UsableToken {
  /** 32 hexadecimal digits that tell this enrolment from others of the node. */
  readonly enrolment: string;
  /**
   * Uses it up for a key: no other key can use it afterwards, however many try at once.
   *
   * @param keyHash As `publicKeyHash`.
   * @returns false when somebody else was faster: look again
   */
  readonly use: (keyHash: string) => Promise<boolean>;
}

/** What is stored of a token, under its hash. */
interface StoredToken {
  readonly nodeName: string;
  /** ISO 8601. */
  readonly expires: string;
  /** Absent: it was not used yet. */
  readonly use?: { readonly keyHash: string; readonly enrolment: string };
}

/** Makes a token that lets one agent enrol as this node, once, and forgets those that have ended. */
export async function createEnrolmentToken(
  store: Store,
  { nodeName, lifetimeMs, now }: TokenOptions,
): Promise<EnrolmentToken> {
  const secret = createToken();
  const expires = new Date(now.getTime() + lifetimeMs);
  const stored: StoredToken = { nodeName, expires: expires.toISOString() };
  await forgetEnded(store, now);
  await store.transact([], [{ kind: "put", key: keyOf(secret), value: JSON.stringify(stored) }]);
  return { secret, expires };
}

/**
 * Looks a token up for a node.
 *
 * @throws ParasausError `Unauthorized` when there is no such token or it has ended, `Forbidden` when it is another node's
 */
export async function findEnrolmentToken(
  store: Store,
  secret: string,
  nodeName: string,
  now: Date,
): Promise<UsableToken> {
  const refuse = (code: "Unauthorized" | "Forbidden", reason: string) =>
    new ParasausError(code, `Cannot enrol the node "${nodeName}": ${reason}`);
  const entry = await store.get(keyOf(secret));
  if (!entry) throw refuse("Unauthorized", "the token is not known here; it has ended, or was never made");
  const token = JSON.parse(entry.value) as StoredToken;
  if (now >= new Date(token.expires)) throw refuse("Unauthorized", `the token ended at ${token.expires}`);
  if (token.nodeName !== nodeName) throw refuse("Forbidden", `the token is for the node "${token.nodeName}"`);
  const { use } = token;
  const enrolment = use?.enrolment ?? randomBytes(16).toString("hex");
  return {
    enrolment,
    use: async (keyHash) => {
      // Who asks again with the same key did not get the answer.
      if (use?.keyHash === keyHash) return true;
      if (use) throw refuse("Unauthorized", "the token was used already, by another agent or another key");
      return await spend(store, entry, { ...token, use: { keyHash, enrolment } });
    },
  };
}

/** The token is used and the node's enrolment is this one, both or neither. */
async function spend(
  store: Store,
  entry: StoreEntry,
  token: StoredToken & Required<Pick<StoredToken, "use">>,
) {
  const { nodeName, use } = token;
  const { succeeded } = await store.transact(
    [{ key: entry.key, modRevision: entry.modRevision }],
    [
      { kind: "put", key: entry.key, value: JSON.stringify(token) },
      { kind: "put", key: enrolmentKey(nodeName), value: JSON.stringify({ enrolment: use.enrolment }) },
    ],
  );
  return succeeded;
}

/** Every token that was made for a node and is not forgotten yet. */
export async function tokensOf(store: Store, nodeName: string): Promise<readonly StoreEntry[]> {
  const { entries } = await store.range(TOKENS_PREFIX);
  return entries.filter(({ value }) => (JSON.parse(value) as StoredToken).nodeName === nodeName);
}

async function forgetEnded(store: Store, now: Date): Promise<void> {
  const { entries } = await store.range(TOKENS_PREFIX);
  for (const { key, value, modRevision } of entries) {
    if (now < new Date((JSON.parse(value) as StoredToken).expires)) continue;
    await store.transact([{ key, modRevision }], [{ kind: "delete", key }]);
  }
}

function keyOf(secret: string): string {
  return `${TOKENS_PREFIX}${hashToken(secret)}`;
}
