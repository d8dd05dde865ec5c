import type { Condition } from "../object.ts";

const REASON = "NodeStatusUnknown";

/** Whether the conditions of a Node say that nobody has heard of it. */
export function isReadyUnknown(conditions: readonly Condition[]): boolean {
  return conditions.some(({ type, reason }) => type === "Ready" && reason === REASON);
}

/**
 * The conditions of a Node that nobody hears of. Whether it forwards, nobody knows; it does, unless its machine is down.
 *
 * @param heardMs When it was last heard of, milliseconds since 1970.
 */
export function withReadyUnknown(
  conditions: readonly Condition[],
  heardMs: number,
  since: Date,
): readonly Condition[] {
  const silent = {
    status: "Unknown",
    reason: REASON,
    message: `Not heard of since ${secondOf(new Date(heardMs))}`,
    lastTransitionTime: secondOf(since),
  } as const;
  return conditions.map((each) => (each.type === "Ready" ? { ...each, ...silent } : each));
}

function secondOf(time: Date): string {
  return `${time.toISOString().slice(0, 19)}Z`;
}
