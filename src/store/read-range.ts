import { ParasausError } from "../foundation/index.ts";
import type { History } from "./embedded/history.ts";
import type { KeySpace } from "./embedded/key-space.ts";
import type { RangeOptions, RangeResult, StoreEntry } from "./store.ts";

/**
 * Reads the keys under `prefix`, now or as of a revision.
 *
 * @throws ParasausError `Expired` for a forgotten revision, `BadRequest` for one that is still to come
 */
export function readRange(
  keys: KeySpace,
  history: History,
  prefix: string,
  { limit = Number.POSITIVE_INFINITY, revision = history.revision, after }: RangeOptions,
): RangeResult {
  if (revision === history.revision) {
    const entries = take(keys.under(prefix, after), limit + 1);
    const more = entries.length > limit;
    return { entries: more ? entries.slice(0, limit) : entries, revision, more, count: keys.count(prefix) };
  }
  if (revision > history.revision) {
    throw new ParasausError(
      "BadRequest",
      `Cannot read revision ${revision}: the store is at ${history.revision}`,
    );
  }
  history.assertReachable(revision);
  const all = entriesAt(keys, history, prefix, revision);
  const rest = after === undefined ? all : all.filter(({ key }) => key > after);
  return { entries: rest.slice(0, limit), revision, more: rest.length > limit, count: all.length };
}

/** Today's entries, with what changed since turned back. */
function entriesAt(keys: KeySpace, history: History, prefix: string, revision: number): StoreEntry[] {
  const differences = history.differencesAt(revision);
  const unchanged = [...keys.under(prefix)].filter(({ key }) => !differences.has(key));
  const turnedBack = [...differences.values()].filter((entry) => entry?.key.startsWith(prefix));
  const entries = [...unchanged, ...turnedBack.filter((entry) => entry !== undefined)];
  return entries.sort((a, b) => (a.key < b.key ? -1 : 1));
}

function take<T>(items: Iterable<T>, limit: number): T[] {
  const taken: T[] = [];
  for (const item of items) {
    if (taken.length >= limit) break;
    taken.push(item);
  }
  return taken;
}
