import { type Clock, ParasausError } from "../../foundation/index.ts";
import type { Store } from "../../store/index.ts";
import {
  confirmationKey,
  type KeptConfirmation,
  readConfirmation,
  writeConfirmation,
} from "./stored-confirmation.ts";

/** A change that waits, or did. @throws ParasausError `NotFound` */
export async function findConfirmation(store: Pick<Store, "get">, id: string): Promise<KeptConfirmation> {
  const entry = await store.get(confirmationKey(id));
  if (entry) return readConfirmation(entry);
  throw new ParasausError("NotFound", `Cannot confirm "${id}": no change of this name waits`);
}

/**
 * Keeps a change for good. Again and again does no harm.
 *
 * @throws ParasausError `NotFound`; `Conflict` when it was taken back
 */
export async function keepChange(
  { store, clock }: { readonly store: Store; readonly clock: Clock },
  id: string,
  confirmedBy: string,
): Promise<KeptConfirmation> {
  const found = await findConfirmation(store, id);
  if (found.state === "confirmed") return found;
  const done = { ...found, state: "confirmed" as const, finished: clock.now().toISOString(), confirmedBy };
  const condition = { key: confirmationKey(id), modRevision: found.modRevision };
  const isPending = found.state === "pending" && Date.parse(found.deadline) > clock.now().getTime();
  if (isPending && (await store.transact([condition], [writeConfirmation(done)])).succeeded) return done;
  const after = await findConfirmation(store, id);
  if (after.state === "confirmed") return after;
  const message = `Cannot confirm "${id}": its time was up at ${found.deadline}, it is taken back`;
  throw new ParasausError("Conflict", message);
}
