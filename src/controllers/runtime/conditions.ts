import type { Condition } from "../../model/index.ts";

/** What a controller has to say; the time of the last transition is worked out. */
export type ConditionWord = Omit<Condition, "lastTransitionTime">;

/**
 * Puts a word among the conditions. The order stays, and `lastTransitionTime` moves only when `status` changes.
 *
 * @returns the very same array when nothing changes.
 */
export function withCondition(
  conditions: readonly Condition[] | undefined,
  word: ConditionWord,
  now: Date,
): readonly Condition[] {
  const known = conditions ?? [];
  const before = known.find(({ type }) => type === word.type);
  const unchanged =
    before?.status === word.status && before.reason === word.reason && before.message === word.message;
  if (unchanged) return known;
  const lastTransitionTime =
    before?.status === word.status ? before.lastTransitionTime : now.toISOString().replace(/\.\d+Z$/, "Z");
  const next: Condition = { ...word, lastTransitionTime };
  return before ? known.map((each) => (each === before ? next : each)) : [...known, next];
}

/** The conditions without those of one type; the same array when there is none. */
export function withoutCondition(
  conditions: readonly Condition[] | undefined,
  type: string,
): readonly Condition[] {
  const known = conditions ?? [];
  return known.some((each) => each.type === type) ? known.filter((each) => each.type !== type) : known;
}
