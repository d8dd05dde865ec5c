import {
  POOL_SORT_KEYS,
  POOL_STATES,
  type PoolSortKey,
  type PoolState,
} from "../../../../src/model/console/pool-views.ts";

/** What the address of the page says is looked for, so that it can be sent to somebody. */
export interface PoolSearch {
  readonly search?: string;
  readonly state?: PoolState;
  /** `name`, or `-name` for the reverse. */
  readonly sort?: string;
}

/** Reads it; what makes no sense is left out. */
export function readPoolSearch(written: Readonly<Record<string, unknown>>): PoolSearch {
  const { search, state, sort } = written;
  const known = POOL_STATES.find((each) => each === state);
  return {
    ...(search === undefined || search === "" ? {} : { search: String(search) }),
    ...(known ? { state: known } : {}),
    ...(typeof sort === "string" && sortOf(sort) && sort !== "name" ? { sort } : {}),
  };
}

/** The column and direction that a written order means. */
export function sortOf(
  written = "name",
): { readonly key: PoolSortKey; readonly isDescending: boolean } | undefined {
  const key = POOL_SORT_KEYS.find((each) => each === written.replace(/^-/, ""));
  return key && { key, isDescending: written.startsWith("-") };
}

/** What the server is asked for. */
export function poolListUrl(
  { search = "", state, sort }: PoolSearch,
  offsetCount: number,
  limitCount: number,
): string {
  const query = new URLSearchParams({
    search: [search, ...(state ? [`state:${state}`] : [])].join(" ").trim(),
    sort: sort ?? "name",
    offset: String(offsetCount),
    limit: String(limitCount),
  });
  return `/api/console/pools?${query}`;
}
