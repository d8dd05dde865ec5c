import { ParasausError } from "../foundation/index.ts";
import type { ReadableHistory } from "./readable-history.ts";
import type { RangeOptions, RangeResult, StoreEntry } from "./store.ts";

/** The current entries, in key order. */
export interface CurrentEntries {
  has(key: string): boolean;
  /** How many keys begin with `prefix`. */
  count(prefix: string): number;
  /** Entries under `prefix` behind `after`, in key order. */
  under(prefix: string, after?: string): Iterable<StoreEntry>;
}

type Differences = ReadonlyMap<string, StoreEntry | undefined>;

/**
 * Reads the keys under `prefix`, now or as of a revision.
 *
 * @throws ParasausError `Expired` for a forgotten revision, `BadRequest` for one that is still to come
 */
export function readRange(
  current: CurrentEntries,
  history: ReadableHistory,
  prefix: string,
  { limit = Number.POSITIVE_INFINITY, revision = history.revision, after }: RangeOptions,
): RangeResult {
  if (revision > history.revision) {
    throw new ParasausError(
      "BadRequest",
      `Cannot read revision ${revision}: the store is at ${history.revision}`,
    );
  }
  const isNow = revision === history.revision;
  const differences: Differences = isNow ? new Map() : history.differencesAt(revision);
  const found = take(entriesAt(current, differences, prefix, after), limit + 1);
  const more = found.length > limit;
  const count = countAt(current, differences, prefix);
  return { entries: more ? found.slice(0, limit) : found, revision, more, count };
}

/** Today's entries, with what changed since turned back: a page of a long range costs what is in it. */
function* entriesAt(
  current: CurrentEntries,
  differences: Differences,
  prefix: string,
  after: string | undefined,
): Generator<StoreEntry> {
  const turnedBack = turnedBackUnder(differences, prefix, after);
  let next = 0;
  for (const entry of current.under(prefix, after)) {
    for (let old = turnedBack[next]; old && old.key <= entry.key; old = turnedBack[next]) {
      yield old;
      next += 1;
    }
    if (!differences.has(entry.key)) yield entry;
  }
  yield* turnedBack.slice(next);
}

function turnedBackUnder(differences: Differences, prefix: string, after = ""): StoreEntry[] {
  const entries = [...differences.values()].filter((entry) => entry !== undefined);
  return entries
    .filter(({ key }) => key.startsWith(prefix) && key > after)
    .sort((a, b) => (a.key < b.key ? -1 : 1));
}

function countAt(current: CurrentEntries, differences: Differences, prefix: string): number {
  let count = current.count(prefix);
  for (const [key, before] of differences) {
    if (key.startsWith(prefix)) count += Number(before !== undefined) - Number(current.has(key));
  }
  return count;
}

function take<T>(items: Iterable<T>, limit: number): T[] {
  const taken: T[] = [];
  for (const item of items) {
    if (taken.length >= limit) break;
    taken.push(item);
  }
  return taken;
}
