import type { KubeObject, ResourceDefinition } from "../../model/index.ts";
import type { RangeResult, Store, StoreEvent } from "../../store/index.ts";
import type { WatchEvent, WatchOptions } from "../resources.ts";
import { atRevision, type ObjectReader } from "./codec.ts";
import { readRevision, selectedPrefix } from "./list.ts";
import { compileSelection, type Matcher } from "./selectors.ts";

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
  let revision = readRevision(options.resourceVersion ?? "");
  if (revision === 0) {
    const range = await store.range(prefix);
    revision = range.revision;
    yield* initialEvents(range, reader, matches, options);
  }
  for await (const message of store.watch(prefix, revision + 1, options.signal)) {
    if (message.kind === "events")
      yield* message.events.flatMap((event) => translate(event, reader, matches));
    else yield* bookmark(message.revision, options);
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
  yield* bookmark(revision, options);
}

function bookmark(revision: number, { bookmarks }: WatchOptions): WatchEvent[] {
  return bookmarks ? [{ type: "BOOKMARK", resourceVersion: String(revision) }] : [];
}

/** What an event means to a watcher who sees only what matches: an object that stops matching is gone for it. */
function translate(event: StoreEvent, reader: ObjectReader, matches: Matcher): ObjectEvent[] {
  const seen = event.previous && reader.read(event.previous);
  const previous = seen && matches(seen) ? seen : undefined;
  if (event.kind === "delete") return previous ? [deleted(previous, event.revision)] : [];
  const object = reader.read(event.entry);
  if (!matches(object)) return previous ? [deleted(previous, event.entry.modRevision)] : [];
  return [previous ? { type: "MODIFIED", object, previous } : { type: "ADDED", object }];
}

function deleted(previous: KubeObject, revision: number): ObjectEvent {
  return { type: "DELETED", object: atRevision(previous, revision), previous };
}
