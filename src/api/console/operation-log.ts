import type { LastOperation, Operation, OperationPage, OperationRow, Pool } from "../../model/index.ts";
import { serviceOf } from "./pool-summary.ts";
import { parseSearch, type SearchTerm } from "./search.ts";
import { drainedKeysOf, objectKey, touchedKeysOf } from "./touched-keys.ts";

const FIELDS = ["operator", "verb", "kind", "namespace", "object", "member", "reason"] as const;

/** Who asks the log for what. */
export interface OperationQuestion {
  readonly search: string;
  /** Place of the first row, a count from 0. */
  readonly offsetCount: number;
  /** Most rows, a count. */
  readonly limitCount: number;
  /** Whether who asks may see one; those that he may not do not exist. Default: all may be seen. */
  readonly maySee?: (operation: LoggedOperation) => boolean;
}

/** An operation as the log keeps it: without what the objects were. */
export interface LoggedOperation {
  readonly row: OperationRow;
  /** Every object that it changed. */
  readonly objects: readonly Pick<Operation["spec"]["object"], "kind" | "namespace" | "name">[];
  /** Keys of the objects and the single members that it changed. */
  readonly touched: readonly string[];
  /** Keys of the members that began to drain with it. */
  readonly drained: readonly string[];
}

/** The last operation on a pool and on each of its members, also through its Service and Endpoints. */
export type LastOperations = Pick<OperationLog, "lastOf" | "lastOfMember">;

/**
 * Every operation that is kept, and who was the last to change what. What the record forgets, the log still knows as the
 * last operation of its object.
 */
export class OperationLog {
  /** By name, which rises with time. */
  #operations = new Map<string, LoggedOperation>();
  #last = new Map<string, LastOperation>();
  #lastDrain = new Map<string, string>();
  #lastLogin = new Map<string, string>();

  /** Begins with these instead of those that it has. */
  replace(operations: readonly LoggedOperation[]): void {
    this.#operations = new Map();
    for (const operation of operations) this.add(operation);
  }

  /** Takes in one that happened after all others. */
  add(operation: LoggedOperation): void {
    const { row, touched, drained } = operation;
    this.#operations.set(row.name, operation);
    const last = { operator: row.operator, time: row.time, verb: row.verb };
    for (const key of touched) if ((this.#last.get(key)?.time ?? "") <= row.time) this.#last.set(key, last);
    if (row.verb === "login") this.#lastLogin.set(row.object, row.time);
    for (const key of drained)
      if ((this.#lastDrain.get(key) ?? "") <= row.time) this.#lastDrain.set(key, row.time);
  }

  /** One is kept no longer. Who changed an object last stays known. */
  forget(name: string): void {
    this.#operations.delete(name);
  }

  /** The last operation on a pool, or on the Service and Endpoints that it is made from. */
  lastOf(pool: Pool): LastOperation | undefined {
    return newest(sourcesOf(pool).map((key) => this.#last.get(key)));
  }

  /** The last operation that changed one member. @param member `ip:port` */
  lastOfMember(pool: Pool, member: string): LastOperation | undefined {
    return newest(sourcesOf(pool).map((key) => this.#last.get(`${key} ${member}`)));
  }

  /** When a member last began to drain, RFC 3339. @param member `ip:port` */
  lastDrainOf(pool: Pool, member: string): string | undefined {
    const times = sourcesOf(pool).map((key) => this.#lastDrain.get(`${key} ${member}`) ?? "");
    return times.sort().at(-1) || undefined;
  }

  /** When an account last began a session, RFC 3339; undefined: not that the log knows of. */
  lastLoginOf(account: string): string | undefined {
    return this.#lastLogin.get(account);
  }

  /**
   * The newest operations on a pool and what it is made from, newest first.
   *
   * @param limitCount Most of them, a count.
   */
  of(
    pool: Pool,
    limitCount: number,
    maySee: OperationQuestion["maySee"] = () => true,
  ): readonly OperationRow[] {
    const keys = new Set(sourcesOf(pool));
    return this.#newestFirst()
      .filter(({ objects }) => objects.some((each) => keys.has(objectKey(each))))
      .filter(maySee)
      .slice(0, limitCount)
      .map(({ row }) => row);
  }

  /** Those that a search finds, newest first. */
  find({ search, offsetCount, limitCount, maySee }: OperationQuestion): OperationPage {
    const terms = parseSearch(search, FIELDS);
    const visible = maySee ? this.#newestFirst().filter(maySee) : this.#newestFirst();
    const found = visible.filter(({ row }) => terms.every((term) => matches(row, term)));
    return {
      totalCount: visible.length,
      matchCount: found.length,
      offsetCount,
      rows: found.slice(offsetCount, offsetCount + limitCount).map(({ row }) => row),
    };
  }

  #newestFirst(): LoggedOperation[] {
    return [...this.#operations.values()].reverse();
  }
}

/** What the log keeps of an operation. */
export function summarizeOperation({ metadata, spec }: Operation): LoggedOperation {
  const { operator, time, verb, object, member, reason, also = [] } = spec;
  return {
    row: {
      name: metadata.name,
      ...{ operator, time, verb, kind: object.kind },
      namespace: object.namespace ?? "",
      object: object.name,
      ...(member === undefined ? {} : { member }),
      ...(reason === undefined ? {} : { reason }),
    },
    objects: [object, ...also.map((part) => part.object)].map(({ kind, namespace, name }) =>
      namespace === undefined ? { kind, name } : { kind, namespace, name },
    ),
    touched: touchedKeysOf(spec),
    drained: drainedKeysOf(spec),
  };
}

function matches(row: OperationRow, { field, text }: SearchTerm): boolean {
  const fields = field === undefined ? FIELDS : [field as (typeof FIELDS)[number]];
  const inField = fields.some((each) => (row[each] ?? "").toLowerCase().includes(text));
  return inField || (field === undefined && `${row.namespace}/${row.object}`.toLowerCase().includes(text));
}

function sourcesOf(pool: Pool): string[] {
  const { name, namespace = "" } = pool.metadata;
  const own = objectKey({ kind: "Pool", namespace, name });
  const service = serviceOf(pool);
  if (service === undefined) return [own];
  const kinds = ["Service", "Endpoints"];
  return [own, ...kinds.map((kind) => objectKey({ kind, namespace, name: service }))];
}

function newest(operations: readonly (LastOperation | undefined)[]): LastOperation | undefined {
  return operations
    .filter((operation) => operation !== undefined)
    .reduce<LastOperation | undefined>(
      (last, each) => (last && last.time >= each.time ? last : each),
      undefined,
    );
}
