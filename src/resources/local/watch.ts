import { ParasausError } from "../../foundation/index.ts";
import type { ResourceDefinition } from "../../model/index.ts";
import type { RangeResult, Store, StoreEvent } from "../../store/index.ts";
import type { WatchEvent, WatchOptions } from "../resources.ts";
import { compileSelection, type Matcher } from "../selectors.ts";
import type { ObjectReader } from "./codec.ts";
import { selectedPrefix } from "./list.ts";

type ObjectEvent = Exclude<WatchEvent, { readonly type: "BOOKMARK" }>;

/**
 * Watches the objects of a kind through the store's history: no queue per watcher, so a slow one only falls behind,
 * and ends with `Expired` when it falls behind what is kept.
 *
 * @throws ParasausError `Expired`, `BadRequest`
 */
export async function* watchObjects(
  store: Store,
  reader: ObjectReader,
  definition: ResourceDefinition,
  options: WatchOptions,
): AsyncGenerator<WatchEvent> {
  const selection = compileSelection(definition, options);
  const matches = selection.matches ?? (() => true);
  const prefix = selectedPrefix(definition, options, selection);
  let revision = reader.versions.revisionOf(options.resourceVersion ?? "");
  if (revision === 0) {
    const range = await store.range(prefix);
    revision = range.revision;
    yield* initialEvents(range, reader, matches, options);
  } else await refuseFuture(store, revision, options);
  for await (const message of store.watch(prefix, revision + 1, options.signal)) {
    if (message.kind === "events")
      yield* message.events.flatMap((event) => translate(event, reader, matches));
    else yield* bookmark(reader, message.revision, options);
  }
}

function* initialEvents(
  { entries, revision }: RangeResult,
  reader: ObjectReader,
  matches: Matcher,
  options: WatchOptions,
): Generator<WatchEvent> {
  for (const entry of entries) {
    if (options.signal.aborted) return;
    const object = reader.read(entry);
    if (matches(object)) yield { type: "ADDED", object };
  }
  yield* bookmark(reader, revision, options);
}

/** Whoever has seen more than there is has seen another store, and would miss what this one does until it counts as far. */
async function refuseFuture(
  store: Store,
  revision: number,
  { resourceVersion }: WatchOptions,
): Promise<void> {
  const current = await store.revision();
  if (revision <= current) return;
  const message = `Cannot watch from resourceVersion ${resourceVersion}: the store is behind it; list again`;
  throw new ParasausError("Expired", message);
}

function bookmark(reader: ObjectReader, revision: number, { bookmarks }: WatchOptions): WatchEvent[] {
  return bookmarks ? [{ type: "BOOKMARK", resourceVersion: reader.versions.of(revision) }] : [];
}

/** What an event means to a watcher who sees only what matches: an object that stops matching is gone for it. */
function translate(event: StoreEvent, reader: ObjectReader, matches: Matcher): ObjectEvent[] {
  const before = event.previous;
  const seen = before && reader.read(before);
  const previous = seen && matches(seen) ? seen : undefined;
  const object = event.kind === "put" ? reader.read(event.entry) : undefined;
  if (object && matches(object))
    return [previous ? { type: "MODIFIED", object, previous } : { type: "ADDED", object }];
  if (!before || !previous) return [];
  const revision = event.kind === "put" ? event.entry.modRevision : event.revision;
  return [{ type: "DELETED", object: reader.readEnded(before, revision), previous }];
}
