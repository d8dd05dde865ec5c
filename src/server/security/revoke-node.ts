import { ParasausError } from "../../foundation/index.ts";
import type { Store } from "../../store/index.ts";
import { tokensOf } from "./enrolment-tokens.ts";
import { enrolmentKey } from "./keys.ts";

/**
 * Ends a node's enrolment: its certificate is not renewed any more, and its tokens are good for nothing.
 *
 * @throws ParasausError `NotFound` when it is not enrolled and has no token, `Conflict` when it enrols at the same moment
 */
export async function revokeNode(store: Store, nodeName: string): Promise<void> {
  const entries = [await store.get(enrolmentKey(nodeName)), ...(await tokensOf(store, nodeName))].flatMap(
    (entry) => entry ?? [],
  );
  const refuse = (code: "NotFound" | "Conflict", reason: string) =>
    new ParasausError(code, `Cannot revoke the enrolment of the node "${nodeName}": ${reason}`);
  if (entries.length === 0) throw refuse("NotFound", "it is not enrolled, and no token was made for it");
  const { succeeded } = await store.transact(
    entries.map(({ key, modRevision }) => ({ key, modRevision })),
    entries.map(({ key }) => ({ kind: "delete", key })),
  );
  if (!succeeded) throw refuse("Conflict", "it is being enrolled just now; revoke it again");
}
