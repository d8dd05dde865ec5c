import type { LastOperation, Operation, OperationPage, OperationRow, Pool } from "../../model/index.ts";
import { serviceOf } from "./pool-summary.ts";
import { parseSearch, type SearchTerm } from "./search.ts";

const FIELDS = ["operator", "verb", "kind", "namespace", "object", "member", "reason"] as const;

/** Who asks the log for what. */
export interface OperationQuestion {
  readonly search: string;
  /** Place of the first row, a count from 0. */
  readonly offsetCount: number;
  /** Most rows, a count. */
  readonly limitCount: number;
}

/** Every operation that is kept, without what the objects were, and who was the last to change what. */
export class OperationLog {
  /** By name, which rises with time. */
  #rows = new Map<string, OperationRow>();
  #last = new Map<string, OperationRow>();
  #lastOfMember = new Map<string, OperationRow>();
  #lastDrain = new Map<string, OperationRow>();

  /** Forgets everything and begins with these. */
  replace(rows: readonly OperationRow[]): void {
    this.#rows = new Map();
    for (const row of rows) this.add(row);
  }

  /** Takes in one that happened after all others. */
  add(row: OperationRow): void {
    this.#rows.set(row.name, row);
    const key = objectKey(row.kind, row.namespace, row.object);
    this.#last.set(key, row);
    if (row.member === undefined) return;
    this.#lastOfMember.set(`${key} ${row.member}`, row);
    if (row.verb === "drain") this.#lastDrain.set(`${key} ${row.member}`, row);
  }

  /** One is kept no longer. Who changed an object last stays known. */
  forget(name: string): void {
    this.#rows.delete(name);
  }

  /** The last operation on a pool, or on the Service and Endpoints that it is made from. */
  lastOf(pool: Pool): LastOperation | undefined {
    return lastOperation(newest(sourcesOf(pool).map((key) => this.#last.get(key))));
  }

  /** The last operation that meant one member alone. @param member `ip:port` */
  lastOfMember(pool: Pool, member: string): LastOperation | undefined {
    return lastOperation(newest(sourcesOf(pool).map((key) => this.#lastOfMember.get(`${key} ${member}`))));
  }

  /** When a member was last told to drain, RFC 3339. @param member `ip:port` */
  lastDrainOf(pool: Pool, member: string): string | undefined {
    return newest(sourcesOf(pool).map((key) => this.#lastDrain.get(`${key} ${member}`)))?.time;
  }

  /** The newest operations on a pool and what it is made from, newest first. @param limitCount Most of them, a count. */
  of(pool: Pool, limitCount: number): readonly OperationRow[] {
    const keys = new Set(sourcesOf(pool));
    return this.#newestFirst()
      .filter(({ kind, namespace, object }) => keys.has(objectKey(kind, namespace, object)))
      .slice(0, limitCount);
  }

  /** Those that a search finds, newest first. */
  find({ search, offsetCount, limitCount }: OperationQuestion): OperationPage {
    const terms = parseSearch(search, FIELDS);
    const found = this.#newestFirst().filter((row) => terms.every((term) => matches(row, term)));
    return {
      totalCount: this.#rows.size,
      matchCount: found.length,
      offsetCount,
      rows: found.slice(offsetCount, offsetCount + limitCount),
    };
  }

  #newestFirst(): OperationRow[] {
    return [...this.#rows.values()].reverse();
  }
}

/** What a list shows of an operation. */
export function summarizeOperation({ metadata, spec }: Operation): OperationRow {
  const { operator, time, verb, object, member, reason } = spec;
  return {
    name: metadata.name,
    ...{ operator, time, verb, kind: object.kind },
    namespace: object.namespace ?? "",
    object: object.name,
    ...(member === undefined ? {} : { member }),
    ...(reason === undefined ? {} : { reason }),
  };
}

function matches(row: OperationRow, { field, text }: SearchTerm): boolean {
  const fields = field === undefined ? FIELDS : [field as (typeof FIELDS)[number]];
  const inField = fields.some((each) => (row[each] ?? "").toLowerCase().includes(text));
  return inField || (field === undefined && `${row.namespace}/${row.object}`.toLowerCase().includes(text));
}

function objectKey(kind: string, namespace: string, name: string): string {
  return `${kind} ${namespace}/${name}`;
}

function sourcesOf(pool: Pool): string[] {
  const { name, namespace = "" } = pool.metadata;
  const own = objectKey("Pool", namespace, name);
  const service = serviceOf(pool);
  if (service === undefined) return [own];
  return [own, objectKey("Service", namespace, service), objectKey("Endpoints", namespace, service)];
}

function newest(rows: readonly (OperationRow | undefined)[]): OperationRow | undefined {
  return rows
    .filter((row) => row !== undefined)
    .reduce<OperationRow | undefined>((last, row) => (last && last.name > row.name ? last : row), undefined);
}

function lastOperation(row: OperationRow | undefined): LastOperation | undefined {
  return row && { operator: row.operator, time: row.time, verb: row.verb };
}
