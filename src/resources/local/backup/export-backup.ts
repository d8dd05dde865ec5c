import { hasCode, ParasausError } from "../../../foundation/index.ts";
import { type Operation, operationDefinition } from "../../../model/index.ts";
import type { RangeResult, Store, StoreEntry } from "../../../store/index.ts";
import { type BackupEntry, encodeBackup } from "../../backup/index.ts";
import type { Epoch } from "../epoch.ts";
import { prefixOf, REGISTRY_PREFIX } from "../keys.ts";
import { ResourceVersions } from "../resource-versions.ts";

const PAGE_LENGTH = 500;

/** What to back up, and what the backup says of itself. */
export interface BackupSource {
  readonly store: Pick<Store, "range">;
  readonly epoch: Epoch;
  /** Version of this program. */
  readonly version: string;
  readonly now: Date;
}

/**
 * A backup of every object, true at one revision, while others go on writing. Leases and what is held under them lie
 * beside the objects and are no part of it.
 *
 * @returns the file, in pieces
 * @throws ParasausError `Expired` when reading takes so long that the store forgets the revision
 */
export async function* exportBackup(source: BackupSource): AsyncGenerator<string> {
  const { store, epoch, version, now } = source;
  const versions = new ResourceVersions(epoch);
  const first = await store.range(REGISTRY_PREFIX, { limit: PAGE_LENGTH });
  const header = {
    version,
    revision: versions.of(first.revision),
    epoch: epoch.number,
    time: now.toISOString(),
    count: first.count,
  };
  yield* encodeBackup(header, portablePages(store, first, versions));
}

async function* portablePages(
  store: Pick<Store, "range">,
  first: RangeResult,
  versions: ResourceVersions,
): AsyncGenerator<readonly BackupEntry[]> {
  for (let page = first; ; page = await nextPage(store, page)) {
    yield page.entries.map((entry) => portable(entry, versions));
    if (!page.more) return;
  }
}

async function nextPage(
  store: Pick<Store, "range">,
  { entries, revision }: RangeResult,
): Promise<RangeResult> {
  try {
    return await store.range(REGISTRY_PREFIX, {
      limit: PAGE_LENGTH,
      revision,
      after: entries.at(-1)?.key ?? "",
    });
  } catch (cause) {
    if (!hasCode(cause, "Expired")) throw cause;
    const message = `Cannot back up: revision ${revision} was forgotten while it was read; try again`;
    throw new ParasausError("Expired", message, { cause });
  }
}

const OPERATIONS_PREFIX = prefixOf(operationDefinition);

/** What an entry means in any store: an Operation has to say its revision itself, as its entry will have another one. */
function portable({ key, value, createRevision }: StoreEntry, versions: ResourceVersions): BackupEntry {
  if (!key.startsWith(OPERATIONS_PREFIX)) return { key, value };
  const operation: Operation = JSON.parse(value);
  if (operation.spec.revision !== "") return { key, value };
  const spec = { ...operation.spec, revision: versions.of(createRevision) };
  return { key, value: JSON.stringify({ ...operation, spec }) };
}
