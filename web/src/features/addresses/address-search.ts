/** What the address of the page says is looked at. */
export interface AddressSearch {
  /** Name of an address pool; absent: the first. */
  readonly of?: string;
  /** Place of a block in it, from 0; absent: all of them. */
  readonly block?: number | undefined;
  readonly search?: string;
}

/** Reads it; what makes no sense is left out. */
export function readAddressSearch(written: Readonly<Record<string, unknown>>): AddressSearch {
  const { of, block, search } = written;
  return {
    ...(of === undefined || of === "" ? {} : { of: String(of) }),
    ...(Number.isInteger(block) && Number(block) >= 0 ? { block: Number(block) } : {}),
    ...(search === undefined || search === "" ? {} : { search: String(search) }),
  };
}

/** What the server is asked for. */
export function addressListUrl(
  of: string,
  { block, search = "" }: AddressSearch,
  limitCount: number,
): string {
  const query = new URLSearchParams({ search, limit: String(limitCount) });
  if (block !== undefined) query.set("block", String(block));
  return `/api/console/addresses/${encodeURIComponent(of)}?${query}`;
}
