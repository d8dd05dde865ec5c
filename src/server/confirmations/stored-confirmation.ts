import type { Store, StoreEntry } from "../../store/index.ts";

/** One entry for each change that waits for somebody's word, or got it lately. Beside the objects, so no backup has it. */
export const CONFIRMATIONS_PREFIX = "/parasaus/confirmations/";

/** One object by name. */
export interface ConfirmedObject {
  readonly kind: string;
  readonly namespace?: string;
  readonly name: string;
}

/** An object that was not made what it was before, and why. */
export interface LeftAlone extends ConfirmedObject {
  readonly why: string;
}

/** A change that is taken back unless somebody confirms it in time. */
export interface StoredConfirmation {
  /** Who made the change. */
  readonly operator: string;
  /** ISO 8601; when nothing was confirmed by then, it is taken back. */
  readonly deadline: string;
  /** As the operator gave it, seconds. */
  readonly withinSeconds: number;
  /** Epoch of the store that the change was made in, counted from 1. */
  readonly epoch: number;
  readonly objects: readonly ConfirmedObject[];
  readonly state: "pending" | "confirmed" | "reverted";
  /** ISO 8601; absent while it is pending. */
  readonly finished?: string;
  /** Who confirmed it. */
  readonly confirmedBy?: string;
  /** What was not taken back when the rest was. */
  readonly leftAlone?: readonly LeftAlone[];
}

/** The same with its name, and the revisions of the store that made it and wrote it last. */
export interface KeptConfirmation extends StoredConfirmation {
  readonly id: string;
  /** Of the change itself, which was made in the same transaction. */
  readonly changeRevision: number;
  readonly modRevision: number;
}

/** Under which key one lies. */
export function confirmationKey(id: string): string {
  return `${CONFIRMATIONS_PREFIX}${id}`;
}

/** Reads what an entry says. */
export function readConfirmation({ key, value, createRevision, modRevision }: StoreEntry): KeptConfirmation {
  const id = key.slice(CONFIRMATIONS_PREFIX.length);
  return { ...(JSON.parse(value) as StoredConfirmation), id, changeRevision: createRevision, modRevision };
}

/** What is written of one. */
export function writeConfirmation({
  id,
  changeRevision: _,
  modRevision: __,
  ...stored
}: StoredConfirmation & { readonly id: string } & Partial<KeptConfirmation>) {
  return { kind: "put", key: confirmationKey(id), value: JSON.stringify(stored) } as const;
}

/** Every confirmation that is kept, and the revision at which that is so. */
export async function listConfirmations(
  store: Pick<Store, "range">,
): Promise<{ readonly items: readonly KeptConfirmation[]; readonly revision: number }> {
  const { entries, revision } = await store.range(CONFIRMATIONS_PREFIX);
  return { items: entries.map(readConfirmation), revision };
}
