import { hasCode } from "../../foundation/index.ts";
import type { Store, StoreEntry } from "../store.ts";

const PAGE_SIZE = 1_000;
const ATTEMPTS = 3;

/** Everything under a prefix at one revision. */
export interface Listing {
  readonly entries: readonly StoreEntry[];
  readonly revision: number;
}

/**
 * Reads everything under `prefix`, in pages of one revision: no single answer is large.
 *
 * @throws ParasausError `Expired` when the revision was compacted between two pages again and again
 */
export async function readAll(store: Store, prefix: string): Promise<Listing> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await readAllOnce(store, prefix);
    } catch (failure) {
      if (!hasCode(failure, "Expired") || attempt === ATTEMPTS) throw failure;
    }
  }
}

async function readAllOnce(store: Store, prefix: string): Promise<Listing> {
  const entries: StoreEntry[] = [];
  let page = await store.range(prefix, { limit: PAGE_SIZE });
  const { revision } = page;
  for (;;) {
    for (const entry of page.entries) entries.push(entry);
    const after = page.entries.at(-1)?.key;
    if (!page.more || after === undefined) return { entries, revision };
    page = await store.range(prefix, { limit: PAGE_SIZE, revision, after });
  }
}

/** The oldest revision that the store can still read, at most `most` revisions before `revision`. */
export async function oldestReadable(
  store: Store,
  prefix: string,
  revision: number,
  most: number,
): Promise<number> {
  let forgotten = Math.max(0, revision - most - 1);
  let readable = revision;
  while (readable - forgotten > 1) {
    const middle = Math.floor((readable + forgotten) / 2);
    if (await isReadable(store, prefix, middle)) readable = middle;
    else forgotten = middle;
  }
  return readable;
}

async function isReadable(store: Store, prefix: string, revision: number): Promise<boolean> {
  try {
    await store.range(prefix, { revision, limit: 1 });
    return true;
  } catch (failure) {
    if (hasCode(failure, "Expired")) return false;
    throw failure;
  }
}
