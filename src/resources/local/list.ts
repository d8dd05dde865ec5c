import { setImmediate } from "node:timers/promises";
import { hasCode, ParasausError } from "../../foundation/index.ts";
import type { KubeObject, ResourceDefinition } from "../../model/index.ts";
import type { RangeOptions, RangeResult, Store, StoreEntry } from "../../store/index.ts";
import type { ListOptions, ObjectList, Selection } from "../resources.ts";
import { type CompiledSelection, compileSelection, type Matcher } from "../selectors.ts";
import type { ObjectReader } from "./codec.ts";
import { keyOf, prefixOf } from "./keys.ts";
import type { ResourceVersions } from "./resource-versions.ts";

const READS_PER_TURN = 500;

/** Where a page ended: the revision that all pages show, and the last key. */
interface Position {
  readonly revision?: number;
  readonly after?: string;
}

/**
 * Lists the objects of a kind, in pages where asked to, all pages as of the revision of the first.
 *
 * @throws ParasausError `Expired` for a forgotten revision, `Timeout` for one to come, `BadRequest` for what cannot be read
 */
export async function listObjects(
  store: Store,
  reader: ObjectReader,
  definition: ResourceDefinition,
  options: ListOptions,
): Promise<ObjectList> {
  const selection = compileSelection(definition, options);
  const { versions } = reader;
  const position = options.continue ? readToken(options.continue, versions) : positionOf(options, versions);
  const prefix = selectedPrefix(definition, options, selection);
  const limit = options.limit && options.limit > 0 ? options.limit : Number.POSITIVE_INFINITY;
  const pages = { store, reader, prefix, matches: selection.matches, limit };
  const { items, revision, last, rest } = await collect(pages, position);
  const resourceVersion = versions.of(revision);
  if (last === undefined) return { items, resourceVersion };
  const remaining = selection.matches || rest === undefined ? {} : { remainingItemCount: rest };
  return { items, resourceVersion, continue: writeToken(resourceVersion, last), ...remaining };
}

/** The prefix under which everything that is selected lies; one key where a name is selected. */
export function selectedPrefix(
  definition: ResourceDefinition,
  { namespace }: Selection,
  { name }: CompiledSelection,
): string {
  const isOneKey = name !== undefined && (!definition.namespaced || namespace);
  if (!isOneKey) return prefixOf(definition, namespace);
  return keyOf({ definition, name, ...(namespace ? { namespace } : {}) });
}

interface Collected {
  readonly items: readonly KubeObject[];
  readonly revision: number;
  /** The last key that was looked at, when there is more behind it. */
  readonly last?: string;
  /** How many keys lie behind it. */
  readonly rest?: number;
}

interface Pages {
  readonly store: Store;
  readonly reader: ObjectReader;
  readonly prefix: string;
  readonly matches: Matcher | undefined;
  readonly limit: number;
}

async function collect(pages: Pages, start: Position): Promise<Collected> {
  const { reader, matches, limit } = pages;
  const items: KubeObject[] = [];
  let position: RangeOptions = start;
  for (;;) {
    const missing = limit - items.length;
    const { entries, more, revision, count } = await readPage(pages, position, missing);
    for (const object of await readAll(reader, entries, matches)) items.push(object);
    const last = entries.at(-1)?.key;
    if (!more || last === undefined) return { items, revision };
    if (items.length >= limit) {
      const isFirstPage = start.after === undefined && items.length === entries.length;
      return { items, revision, last, ...(isFirstPage ? { rest: count - entries.length } : {}) };
    }
    position = { revision, after: last };
  }
}

/** 35,000 objects that nobody has read yet take most of a second: others get their turn in between. */
async function readAll(
  reader: ObjectReader,
  entries: readonly StoreEntry[],
  matches: Matcher | undefined,
): Promise<KubeObject[]> {
  const objects: KubeObject[] = [];
  for (let start = 0; start < entries.length; start += READS_PER_TURN) {
    if (start > 0) await setImmediate();
    for (const entry of entries.slice(start, start + READS_PER_TURN)) {
      const object = reader.read(entry);
      if (!matches || matches(object)) objects.push(object);
    }
  }
  return objects;
}

async function readPage(
  { store, reader, prefix }: Pages,
  position: Position,
  limit: number,
): Promise<RangeResult> {
  try {
    return await store.range(prefix, { ...position, ...(Number.isFinite(limit) ? { limit } : {}) });
  } catch (failure) {
    throw await explain(store, reader.versions, position, failure);
  }
}

async function explain(
  store: Store,
  versions: ResourceVersions,
  { revision = 0, after }: Position,
  failure: unknown,
): Promise<unknown> {
  if (hasCode(failure, "Expired") && after !== undefined) return tokenExpired(failure);
  if (!hasCode(failure, "BadRequest")) return failure;
  const current = versions.of(await store.revision());
  const message = `Too large resource version: ${versions.of(revision)}, current: ${current}`;
  return new ParasausError("Timeout", message, { cause: failure });
}

function tokenExpired(cause: unknown): ParasausError {
  const message =
    "The provided continue parameter is too old to display a consistent list result: list again from the start";
  return new ParasausError("Expired", message, { cause });
}

function positionOf({ resourceVersion = "" }: ListOptions, versions: ResourceVersions): Position {
  const revision = versions.revisionOf(resourceVersion);
  return revision === 0 ? {} : { revision };
}

function writeToken(version: string, after: string): string {
  return Buffer.from(JSON.stringify({ version, after })).toString("base64url");
}

function readToken(token: string, versions: ResourceVersions): Position {
  const parsed = parseToken(token);
  if (!parsed)
    throw new ParasausError("BadRequest", `Cannot read the continue token "${token.slice(0, 80)}"`);
  try {
    return { revision: versions.revisionOf(parsed.version), after: parsed.after };
  } catch (failure) {
    throw hasCode(failure, "Expired") ? tokenExpired(failure) : failure;
  }
}

function parseToken(token: string): { readonly version: string; readonly after: string } | undefined {
  try {
    const { version, after } = JSON.parse(Buffer.from(token, "base64url").toString());
    return typeof version === "string" && typeof after === "string" ? { version, after } : undefined;
  } catch {
    return undefined;
  }
}
