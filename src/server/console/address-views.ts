import { parseSearch, type View } from "../../api/index.ts";
import { formatHostPort, ParasausError } from "../../foundation/index.ts";
import {
  type AddressPage,
  type AddressPool,
  type AddressPoolList,
  type AddressRow,
  addressPoolDefinition,
  type Pool,
} from "../../model/index.ts";
import type { Resources } from "../../resources/index.ts";
import { addressesIn, blockSizeOf, layOut, useInBlocks } from "./occupancy.ts";
import { pageIn } from "./questions.ts";

/** What the views of addresses are made of. */
export interface AddressViewsSource {
  readonly resources: Pick<Resources, "get" | "list">;
  readonly pools: ReadonlyMap<string, Pool>;
  readonly onChange: View["onChange"];
}

const FIELDS = ["address", "pool", "namespace"] as const;
const PERIOD_MS = 2_000;

/** `GET /api/console/addresses`: how full each address pool is. */
export function addressPoolListView({ resources, pools, onChange }: AddressViewsSource): View {
  return {
    url: "/api/console/addresses",
    onChange,
    periodMs: PERIOD_MS,
    read: async (): Promise<AddressPoolList> => {
      const { items } = await resources.list(addressPoolDefinition);
      return {
        pools: (items as readonly AddressPool[]).map((pool) => {
          const line = layOut(pool.spec);
          return useInBlocks(pool, line, addressesIn(line, pool, pools.values()));
        }),
      };
    },
  };
}

/** `GET /api/console/addresses/NAME`: who has which connect address of an address pool, of a `block` or all. */
export function addressListView({ resources, pools, onChange }: AddressViewsSource): View {
  return {
    url: "/api/console/addresses/:name",
    onChange,
    periodMs: PERIOD_MS,
    read: async ({ path: { name = "" }, query }): Promise<AddressPage> => {
      const { search, offsetCount, limitCount } = pageIn(query);
      const pool = (await resources.get({ definition: addressPoolDefinition, name })) as AddressPool;
      const line = layOut(pool.spec);
      const block = blockIn(query["block"]);
      const size = blockSizeOf(line);
      const terms = parseSearch(search, FIELDS);
      const found = addressesIn(line, pool, pools.values())
        .filter(({ place, row }) => block === undefined || isInBlock(place, row, block * size, size))
        .filter(({ row }) => terms.every(({ field, text }) => textOf(row, field).includes(text)));
      return {
        matchCount: found.length,
        offsetCount,
        rows: found.slice(offsetCount, offsetCount + limitCount).map(({ row }) => row),
      };
    },
  };
}

function isInBlock(
  place: number,
  { port, lastPort = port }: AddressRow,
  first: number,
  size: number,
): boolean {
  return place < first + size && place + lastPort - port >= first;
}

function blockIn(text: string | undefined): number | undefined {
  if (text === undefined || text === "") return undefined;
  if (/^\d{1,3}$/.test(text)) return Number(text);
  throw new ParasausError("BadRequest", `Cannot read block="${text}": expected a whole number from 0`);
}

function textOf({ ip, port, namespace, pool }: AddressRow, field: string | undefined): string {
  const texts: Readonly<Record<string, string>> = { address: formatHostPort(ip, port), pool, namespace };
  if (field !== undefined) return texts[field] ?? "";
  return `${texts["address"]} ${namespace}/${pool}`;
}
