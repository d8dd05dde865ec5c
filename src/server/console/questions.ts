import type { OperationQuestion, PoolQuestion, ViewQuestion } from "../../api/index.ts";
import { ParasausError } from "../../foundation/index.ts";
import { POOL_SORT_KEYS } from "../../model/index.ts";

const DEFAULT_LIMIT_COUNT = 100;
const LONGEST_LIMIT_COUNT = 500;

/**
 * Reads what part of the pools is asked for: `search`, `sort` (`name`, `-time`), `offset`, `limit`.
 *
 * @throws ParasausError `BadRequest`
 */
export function poolQuestion({ query, sight }: ViewQuestion): PoolQuestion {
  const written = query["sort"] ?? "name";
  const sort = POOL_SORT_KEYS.find((key) => key === written.replace(/^-/, ""));
  if (!sort) {
    throw new ParasausError(
      "BadRequest",
      `Cannot sort by "${written}": expected ${POOL_SORT_KEYS.join(", ")}, with - before it to reverse`,
    );
  }
  return { ...pageIn(query), sort, isDescending: written.startsWith("-"), maySee: sight.pools };
}

/**
 * Reads what part of a list is asked for: `search`, `offset`, `limit`.
 *
 * @throws ParasausError `BadRequest`
 */
export function operationQuestion({ query, sight }: ViewQuestion): OperationQuestion {
  return { ...pageIn(query), maySee: ({ row, objects }) => sight.operation({ ...row, objects }) };
}

/**
 * Reads which part of a list is asked for.
 *
 * @throws ParasausError `BadRequest`
 */
export function pageIn(
  query: ViewQuestion["query"],
): Pick<OperationQuestion, "search" | "offsetCount" | "limitCount"> {
  return {
    search: query["search"] ?? "",
    offsetCount: countIn(query, "offset", 0),
    limitCount: Math.min(LONGEST_LIMIT_COUNT, countIn(query, "limit", DEFAULT_LIMIT_COUNT)),
  };
}

function countIn(query: ViewQuestion["query"], name: string, absent: number): number {
  const text = query[name];
  if (text === undefined) return absent;
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw new ParasausError("BadRequest", `Cannot read ${name}="${text}": expected a whole number from 0`);
}
