import { ParasausError } from "../../foundation/index.ts";
import type { Store, StoreEntry, StoreWrite } from "../../store/index.ts";
import { tokensOf } from "./enrolment-tokens.ts";
import { enrolmentKey, REVOCATIONS_PREFIX, revocationKey } from "./keys.ts";

/** No certificate lives longer (`--node-certificate-seconds`), milliseconds. */
const LONGEST_LIFE_MS = 366 * 86_400_000;
/** How many old revocations are forgotten with a new one. */
const MOST_FORGOTTEN = 20;

/** What is stored of a revocation. */
interface StoredRevocation {
  /** ISO 8601. */
  readonly at: string;
}

/**
 * Ends a node's enrolment: certificates that it has count no more and are not renewed, and its tokens are good for nothing.
 *
 * @throws ParasausError `NotFound` when it is not enrolled and has no token, `Conflict` when it enrols at the same moment
 */
export async function revokeNode(store: Store, nodeName: string, now: Date): Promise<void> {
  const entries = [await store.get(enrolmentKey(nodeName)), ...(await tokensOf(store, nodeName))].flatMap(
    (entry) => entry ?? [],
  );
  const refuse = (code: "NotFound" | "Conflict", reason: string) =>
    new ParasausError(code, `Cannot revoke the enrolment of the node "${nodeName}": ${reason}`);
  if (entries.length === 0) throw refuse("NotFound", "it is not enrolled, and no token was made for it");
  const revocation: StoredRevocation = { at: now.toISOString() };
  const forgotten = (await oldRevocations(store, now)).filter(({ key }) => key !== revocationKey(nodeName));
  const { succeeded } = await store.transact(
    entries.map(({ key, modRevision }) => ({ key, modRevision })),
    [
      { kind: "put", key: revocationKey(nodeName), value: JSON.stringify(revocation) },
      ...[...entries, ...forgotten].map(({ key }): StoreWrite => ({ kind: "delete", key })),
    ],
  );
  if (!succeeded) throw refuse("Conflict", "it is being enrolled just now; revoke it again");
}

/** Those whose certificates have all ended since. */
async function oldRevocations(store: Store, now: Date): Promise<readonly StoreEntry[]> {
  const { entries } = await store.range(REVOCATIONS_PREFIX);
  const isOld = ({ value }: StoreEntry) =>
    now.getTime() - Date.parse((JSON.parse(value) as StoredRevocation).at) > LONGEST_LIFE_MS;
  return entries.filter(isOld).slice(0, MOST_FORGOTTEN);
}
