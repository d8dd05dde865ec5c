import { hasCode } from "../../foundation/index.ts";
import type { RangeOptions, RangeResult, StoreEntry } from "../store.ts";
import type { Cluster, Operation } from "./cluster.ts";
import { NO_KEY, type RangeRequest, type RangeResponse } from "./key-value-messages.ts";
import { METHODS } from "./methods.ts";

const FIRST_PAGE_KEYS = 500;
const MAX_PAGE_KEYS = 10_000;
/** What a page should hold, bytes: it must come within a second, also over a slow link. */
const PAGE_BYTES = 2_000_000;
const BEGINNINGS = 3;

/**
 * The revision of the cluster now.
 *
 * @param revision Finds out besides whether this one can still be read.
 * @throws ParasausError `Expired`, `BadRequest` for a revision that is still to come, `Unavailable`
 */
export async function readRevision(
  cluster: Cluster,
  revision?: number,
  about: Partial<Omit<Operation<RangeResponse>, "send">> = {},
): Promise<number> {
  const action = revision === undefined ? "read the revision" : `read revision ${revision}`;
  const request = { key: NO_KEY, countOnly: true, ...(revision === undefined ? {} : { revision }) };
  const { header } = await cluster.call(METHODS.range, request, { kind: "read", action, ...about });
  return header.revision;
}

/** Reads one key. */
export async function readKey(cluster: Cluster, key: string): Promise<StoreEntry | undefined> {
  const about = { kind: "read" as const, action: `read "${key}"` };
  const { entries } = await cluster.call(METHODS.range, { key }, about);
  return entries[0];
}

/**
 * Reads the keys under `prefix` in pages, all as of one revision.
 *
 * @throws ParasausError `Expired` for a forgotten revision, `BadRequest` for one that is still to come, `Unavailable`
 */
export async function readRange(
  cluster: Cluster,
  prefix: string,
  options: RangeOptions,
): Promise<RangeResult> {
  for (let beginning = 1; ; beginning += 1) {
    try {
      return await readPages(cluster, prefix, options);
    } catch (failure) {
      // Only where nobody asked for a revision: compaction overtook our own pages.
      const isOurs = options.revision === undefined && hasCode(failure, "Expired");
      if (!isOurs || beginning >= BEGINNINGS) throw failure;
    }
  }
}

async function readPages(cluster: Cluster, prefix: string, options: RangeOptions): Promise<RangeResult> {
  const { limit = Number.POSITIVE_INFINITY, after } = options;
  const isInside = after !== undefined && after >= prefix;
  const read = (request: Partial<RangeRequest>) => readUnder(cluster, prefix, request);
  const first = await read(pageOf(options.revision, isInside ? after : undefined, FIRST_PAGE_KEYS, limit));
  const revision = options.revision ?? first.header.revision;
  const entries = [...first.entries];
  let { more } = first;
  for (let page = first; more && entries.length < limit; { more } = page) {
    const pageKeys = nextPageKeys(page.entries);
    page = await read(pageOf(revision, entries.at(-1)?.key, pageKeys, limit - entries.length));
    entries.push(...page.entries);
  }
  // etcd counts from where it begins to read.
  const { count } = isInside ? await read({ revision, countOnly: true }) : first;
  return { entries: entries.slice(0, limit), revision, more: more || entries.length > limit, count };
}

function pageOf(
  revision: number | undefined,
  after: string | undefined,
  pageKeys: number,
  limit: number,
): Partial<RangeRequest> {
  return {
    limit: Math.max(1, Math.min(pageKeys, limit)),
    ...(revision === undefined ? {} : { revision }),
    ...(after === undefined ? {} : { key: `${after}\0` }),
  };
}

/** How many keys the next page may have, as large as these are. */
function nextPageKeys(entries: readonly StoreEntry[]): number {
  const bytes = entries.reduce((sum, { key, value }) => sum + key.length + value.length, 0);
  return Math.max(1, Math.min(MAX_PAGE_KEYS, Math.floor((PAGE_BYTES * entries.length) / bytes)));
}

function readUnder(cluster: Cluster, prefix: string, request: Partial<RangeRequest>): Promise<RangeResponse> {
  const about = { kind: "read", action: `read "${prefix}"` } as const;
  return cluster.call(METHODS.range, { key: prefix || NO_KEY, end: endOf(prefix), ...request }, about);
}

/** The first key behind all that begin with `prefix`. Keys are ASCII; a zero byte means the end of all keys. */
function endOf(prefix: string): string {
  if (prefix === "") return NO_KEY;
  return prefix.slice(0, -1) + String.fromCharCode(prefix.charCodeAt(prefix.length - 1) + 1);
}
