import { ParasausError } from "../foundation/index.ts";
import type { RangeOptions, RangeResult, Store, StoreCondition, StoreEntry, StoreWrite } from "./store.ts";

/** What of a store a draft asks. */
type Readable = Pick<Store, "get" | "range" | "revision">;

/**
 * A store in which everything can be written and nothing is: reads see the store below it and, before that, what was
 * written here. Who writes through it learns what would come of it. Leases and watches it has none.
 */
export function createDraftStore(below: Readable): Store {
  const written = new Map<string, StoreEntry | undefined>();
  const seen = new Map<string, StoreEntry | undefined>();
  let risen = 0;
  // What was read once stays so: others go on writing below, and a draft is about one moment.
  const get = async (key: string) => {
    if (written.has(key)) return written.get(key);
    if (!seen.has(key)) seen.set(key, await below.get(key));
    return seen.get(key);
  };
  const revision = async () => (await below.revision()) + risen;
  return {
    get,
    revision,
    range: (prefix, options = {}) => rangeWith(below, written, prefix, options),
    async transact(conditions, writes) {
      for (const condition of conditions) {
        if (!holds(condition, await get(condition.key)))
          return { succeeded: false, revision: await revision() };
      }
      risen += 1;
      const now = await revision();
      for (const write of writes) written.set(write.key, entryOf(write, await get(write.key), now));
      return { succeeded: true, revision: now };
    },
    watch: () => {
      throw refused("watch");
    },
    grantLease: () => Promise.reject(refused("lease")),
    keepLeaseAlive: () => Promise.reject(refused("lease")),
    revokeLease: () => Promise.reject(refused("lease")),
    compact: () => Promise.reject(refused("compact")),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

function holds({ modRevision }: StoreCondition, entry: StoreEntry | undefined): boolean {
  return (entry?.modRevision ?? 0) === modRevision;
}

function entryOf(write: StoreWrite, before: StoreEntry | undefined, now: number): StoreEntry | undefined {
  if (write.kind === "delete") return undefined;
  const { key, value } = write;
  return { key, value, createRevision: before?.createRevision ?? now, modRevision: now };
}

async function rangeWith(
  below: Readable,
  written: ReadonlyMap<string, StoreEntry | undefined>,
  prefix: string,
  { limit, after, revision }: RangeOptions,
): Promise<RangeResult> {
  const found = await below.range(prefix, revision === undefined ? {} : { revision });
  const entries = new Map(found.entries.map((entry) => [entry.key, entry]));
  for (const [key, entry] of written) {
    if (!key.startsWith(prefix)) continue;
    if (entry) entries.set(key, entry);
    else entries.delete(key);
  }
  const all = [...entries.values()].sort((a, b) => Buffer.compare(Buffer.from(a.key), Buffer.from(b.key)));
  const rest = after === undefined ? all : all.filter(({ key }) => key > after);
  const page = limit === undefined ? rest : rest.slice(0, limit);
  return {
    entries: page,
    revision: found.revision,
    more: page.length < rest.length,
    count: all.length,
  };
}

function refused(what: string): ParasausError {
  return new ParasausError("Internal", `Cannot ${what} in a draft: nothing in it is ever stored`);
}
