import { formatHostPort } from "../../foundation/index.ts";
import {
  type LastOperation,
  POOL_STATES,
  type Pool,
  type PoolPage,
  type PoolSortKey,
  type PoolState,
} from "../../model/index.ts";
import { type PoolSummary, summarizePool } from "./pool-summary.ts";
import { parseSearch, type SearchTerm } from "./search.ts";

/** What is asked of the catalogue. */
export interface PoolQuestion {
  readonly search: string;
  readonly sort: PoolSortKey;
  readonly isDescending: boolean;
  /** Place of the first row, a count from 0. */
  readonly offsetCount: number;
  /** Most rows, a count. */
  readonly limitCount: number;
  /** Whether pools of a namespace may be seen; those of others do not exist. Default: all may. */
  readonly maySee?: (namespace: string) => boolean;
}

/** What the catalogue is made of. */
export interface PoolCatalogueSource {
  /** By uid. */
  readonly pools: ReadonlyMap<string, Pool>;
  /** Another number after every change of them. */
  readonly version: () => number;
  readonly lastOperationOf: (pool: Pool) => LastOperation | undefined;
}

/** A pool, and what lists show of it. */
export interface PoolEntry {
  readonly pool: Pool;
  readonly summary: PoolSummary;
}

interface Entry extends PoolEntry {
  /** Everything that a free word is looked for in, lower case. */
  readonly text: string;
  readonly sortName: string;
}

const FIELDS = [
  ...["name", "namespace", "address", "port", "member", "label", "operator", "state", "protocol"],
  ...["scheduler", "service"],
];
/** Words for states, so that a search in Chinese finds them too. */
const STATE_WORDS: Readonly<Record<PoolState, string>> = {
  up: "up 正常",
  degraded: "degraded 部分可用",
  down: "down 不可用",
  unchecked: "unchecked 未检查",
  empty: "empty 无成员",
};

/** Finds pools among all that there are, fast: what is looked at is worked out once for each state of a pool. */
export class PoolCatalogue {
  readonly #source: PoolCatalogueSource;
  readonly #entries = new WeakMap<Pool, Entry>();
  #byName: readonly string[] = [];
  #sorted: readonly Entry[] = [];
  #version: number | undefined;

  constructor(source: PoolCatalogueSource) {
    this.#source = source;
  }

  /** The rows that are asked for, and how many there are. */
  find(question: PoolQuestion): PoolPage {
    const terms = parseSearch(question.search, FIELDS);
    const visible = this.#visible(question.maySee);
    const found = visible.filter((entry) => terms.every((term) => this.#matches(entry, term)));
    const sorted = this.#sort(found, question);
    const { offsetCount, limitCount } = question;
    return {
      totalCount: visible.length,
      matchCount: found.length,
      states: countStates(found),
      offsetCount,
      rows: sorted.slice(offsetCount, offsetCount + limitCount).map(({ pool, summary }) => {
        const last = this.#source.lastOperationOf(pool);
        return { ...summary, ...(last ? { last } : {}) };
      }),
    };
  }

  /** Every pool that may be seen, by namespace and name. */
  entries(maySee?: (namespace: string) => boolean): readonly PoolEntry[] {
    return this.#visible(maySee);
  }

  /** One pool by its name. */
  get(namespace: string, name: string): Pool | undefined {
    const sortName = sortNameOf({ namespace, name });
    const sorted = this.#sortedByName();
    let [low, high] = [0, sorted.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((sorted[middle]?.sortName ?? "") < sortName) low = middle + 1;
      else high = middle;
    }
    const found = sorted[low];
    return found?.sortName === sortName ? found.pool : undefined;
  }

  #sortedByName(): readonly Entry[] {
    const { pools, version } = this.#source;
    const current = version();
    if (current === this.#version) return this.#sorted;
    // The order changes only when a pool comes or goes; a changed pool is another object under the same uid.
    const isSameSet = this.#byName.length === pools.size && this.#byName.every((uid) => pools.has(uid));
    if (!isSameSet) {
      const entries = Array.from(pools.values(), (pool) => this.#entryOf(pool));
      this.#byName = entries.sort(by(({ sortName }) => sortName)).map(({ summary }) => summary.uid);
    }
    const sorted: Entry[] = [];
    for (const uid of this.#byName) {
      const pool = pools.get(uid);
      if (pool) sorted.push(this.#entryOf(pool));
    }
    this.#sorted = sorted;
    this.#version = current;
    return sorted;
  }

  #visible(maySee: PoolQuestion["maySee"]): readonly Entry[] {
    const all = this.#sortedByName();
    if (!maySee) return all;
    const decided = new Map<string, boolean>();
    return all.filter(({ summary: { namespace } }) => {
      const known = decided.get(namespace) ?? maySee(namespace);
      decided.set(namespace, known);
      return known;
    });
  }

  #entryOf(pool: Pool): Entry {
    const known = this.#entries.get(pool);
    if (known) return known;
    const summary = summarizePool(pool);
    const entry = { pool, summary, text: textOf(pool, summary), sortName: sortNameOf(summary) };
    this.#entries.set(pool, entry);
    return entry;
  }

  #matches(entry: Entry, { field, text }: SearchTerm): boolean {
    if (field === "port") return entry.summary.addresses.some(({ port }) => String(port) === text);
    if (field !== undefined) return this.#fieldText(entry, field).includes(text);
    return entry.text.includes(text) || (this.#operatorOf(entry.pool)?.includes(text) ?? false);
  }

  #operatorOf(pool: Pool): string | undefined {
    return this.#source.lastOperationOf(pool)?.operator.toLowerCase();
  }

  #fieldText({ pool, summary }: Entry, field: string): string {
    switch (field) {
      case "name":
      case "namespace":
      case "protocol":
      case "scheduler":
        return summary[field].toLowerCase();
      case "service":
        return summary.service ?? "";
      case "state":
        return STATE_WORDS[summary.state];
      case "address":
        return addressText(summary);
      case "member":
        return memberText(pool);
      case "label":
        return labelText(pool);
      default:
        return this.#operatorOf(pool) ?? "";
    }
  }

  #sort(found: readonly Entry[], { sort, isDescending }: PoolQuestion): readonly Entry[] {
    if (sort === "name") return isDescending ? found.toReversed() : found;
    const keyed = found.map((entry) => ({ entry, key: this.#sortKey(entry, sort) }));
    keyed.sort(by(({ key }) => key));
    const sorted = keyed.map(({ entry }) => entry);
    return isDescending ? sorted.reverse() : sorted;
  }

  #sortKey({ pool, summary }: Entry, sort: PoolSortKey): string | number {
    switch (sort) {
      case "port":
        return summary.addresses[0]?.port ?? 0;
      case "address":
        return summary.addresses[0]?.ip ?? "";
      case "state":
        return STATE_ORDER.indexOf(summary.state) * 2_000 + summary.memberCount - summary.downCount;
      case "operator":
        return this.#operatorOf(pool) ?? "";
      case "time":
        return this.#source.lastOperationOf(pool)?.time ?? "";
      case "name":
        return sortNameOf(summary);
      default:
        return summary[sort];
    }
  }
}

/** What needs attention first. */
const STATE_ORDER: readonly PoolState[] = ["down", "degraded", "unchecked", "empty", "up"];

function by<Item>(keyOf: (item: Item) => string | number): (a: Item, b: Item) => number {
  return (a, b) => {
    const [left, right] = [keyOf(a), keyOf(b)];
    if (left === right) return 0;
    return left < right ? -1 : 1;
  };
}

function sortNameOf({ namespace, name }: Pick<PoolSummary, "namespace" | "name">): string {
  return `${namespace}\0${name}`;
}

function countStates(found: readonly Entry[]): Record<PoolState, number> {
  const counts = Object.fromEntries(POOL_STATES.map((state) => [state, 0])) as Record<PoolState, number>;
  for (const { summary } of found) counts[summary.state] += 1;
  return counts;
}

function textOf(pool: Pool, summary: PoolSummary): string {
  const { namespace, name, protocol, service = "" } = summary;
  return [
    `${namespace}/${name}`.toLowerCase(),
    addressText(summary),
    memberText(pool),
    labelText(pool),
    protocol.toLowerCase(),
    service,
    STATE_WORDS[summary.state],
  ].join("\n");
}

function addressText({ addresses }: PoolSummary): string {
  return addresses.map(({ ip, port }) => formatHostPort(ip, port)).join(" ");
}

function memberText({ spec }: Pool): string {
  return spec.members.map(({ ip, port }) => formatHostPort(ip, port)).join(" ");
}

function labelText({ metadata }: Pool): string {
  return Object.entries(metadata.labels ?? {})
    .map(([key, value]) => `${key}=${value}`)
    .join(" ")
    .toLowerCase();
}
