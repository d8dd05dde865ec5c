import { ParasausError } from "../../foundation/index.ts";
import type { Operation } from "../../model/index.ts";

const DEFAULT_LIMIT = 50;
const MOST = 500;

/** What is looked for; all of it must fit. */
export interface OperationSearch {
  readonly operator?: string;
  readonly verb?: string;
  readonly kind?: string;
  readonly namespace?: string;
  readonly name?: string;
  readonly member?: string;
  readonly source?: string;
  /** RFC 3339; not before, not after. */
  readonly since?: string;
  readonly until?: string;
  /** Any part of the operation as text, in any case. */
  readonly text?: string;
  /** Most to find, 1-500. */
  readonly limit: number;
  /** Name of the last operation of the page before. */
  readonly continue?: string;
}

/** A page of operations, the newest first. */
export interface FoundOperations {
  readonly items: readonly Operation[];
  /** For the next page; absent: there is no more. */
  readonly continue?: string;
}

const TEXTS = [
  ...["operator", "verb", "kind", "namespace", "name", "member", "source"],
  ...["since", "until", "text", "continue"],
];

/** Reads what is looked for. @throws ParasausError `BadRequest` for what is no such thing */
export function readSearch(query: Readonly<Record<string, unknown>>): OperationSearch {
  for (const name of Object.keys(query)) {
    if (TEXTS.includes(name) || name === "limit") continue;
    const known = [...TEXTS, "limit"].join(", ");
    throw new ParasausError("BadRequest", `Cannot search for "${name}": there are ${known}`);
  }
  const texts = TEXTS.flatMap((name): [string, string][] => {
    const value = [query[name] ?? ""].flat().at(-1);
    return typeof value === "string" && value !== "" ? [[name, value]] : [];
  });
  const given = Object.fromEntries(texts);
  for (const name of ["since", "until"]) {
    if (given[name] === undefined || !Number.isNaN(Date.parse(given[name]))) continue;
    throw new ParasausError("BadRequest", `Cannot search: ${name} "${given[name]}" is no RFC 3339 time`);
  }
  const limit = Number(query["limit"] ?? DEFAULT_LIMIT);
  if (Number.isInteger(limit) && limit >= 1 && limit <= MOST) return { ...given, limit };
  throw new ParasausError("BadRequest", `Cannot search: limit is "${query["limit"]}", expected 1 to ${MOST}`);
}

/**
 * Finds operations.
 *
 * @param operations Oldest first, as they are stored.
 * @param isVisible Whether who asks may see it.
 */
export function searchOperations(
  operations: readonly Operation[],
  search: OperationSearch,
  isVisible: (operation: Operation) => boolean,
): FoundOperations {
  const items: Operation[] = [];
  const matches = matcherOf(search);
  for (let index = operations.length - 1; index >= 0; index -= 1) {
    const operation = operations[index];
    if (!operation || (search.continue !== undefined && operation.metadata.name >= search.continue)) continue;
    if (!matches(operation) || !isVisible(operation)) continue;
    if (items.length === search.limit) return { items, continue: items.at(-1)?.metadata.name ?? "" };
    items.push(operation);
  }
  return { items };
}

function matcherOf(search: OperationSearch): (operation: Operation) => boolean {
  const { operator, verb, kind, namespace, name, member, source, since, until, text } = search;
  const [sinceMs, untilMs] = [Date.parse(since ?? ""), Date.parse(until ?? "")];
  const wanted = text?.toLowerCase();
  const isObject = ({ object }: Operation["spec"]) =>
    isSame(kind?.toLowerCase(), object.kind.toLowerCase()) &&
    isSame(namespace, object.namespace ?? "") &&
    isSame(name, object.name);
  return ({ spec }) => {
    const { also = [] } = spec;
    const atMs = Date.parse(spec.time);
    return (
      isSame(operator, spec.operator) &&
      isSame(verb, spec.verb) &&
      isSame(member, spec.member ?? "") &&
      isSame(source, spec.source ?? "") &&
      [spec, ...also.map(({ object }) => ({ ...spec, object }))].some(isObject) &&
      !(atMs < sinceMs || atMs > untilMs) &&
      (wanted === undefined || JSON.stringify(spec).toLowerCase().includes(wanted))
    );
  };
}

function isSame(wanted: string | undefined, found: string): boolean {
  return wanted === undefined || wanted === found;
}
