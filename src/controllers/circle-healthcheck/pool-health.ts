import { completeMember, type MemberStatus, type Pool } from "../../model/index.ts";
import { type ConditionWord, withCondition } from "../runtime/conditions.ts";

/** The pool with what circle-healthcheck has to say in its status, or undefined when it says so already. */
export function withHealth(pool: Pool, members: readonly MemberStatus[], now: Date): Pool | undefined {
  const status = pool.status ?? {};
  const conditions = withCondition(status.conditions, availability(pool, members), now);
  const isSame =
    conditions === status.conditions && JSON.stringify(members) === JSON.stringify(status.members ?? []);
  return isSame ? undefined : { ...pool, status: { ...status, members, conditions } };
}

/** Whether clients find a member: one that is up and that the operator lets serve. */
function availability(pool: Pool, members: readonly MemberStatus[]): ConditionWord {
  const type = "Available";
  const total = members.length;
  if (total === 0) return { type, status: "False", reason: "NoMembers", message: "the pool has no members" };
  const serving = new Set(
    pool.spec.members
      .map(completeMember)
      .filter(({ state, weight }) => state === "ready" && weight > 0)
      .map(({ ip, port }) => `${ip}:${port}`),
  );
  const upCount = members.filter(
    ({ ip, port, verdict }) => verdict === "up" && serving.has(`${ip}:${port}`),
  ).length;
  const message = `${upCount} of ${total} members are up and take new flows`;
  if (upCount > 0) return { type, status: "True", reason: "MembersUp", message };
  const isFirstRound = members.some(({ verdict }) => verdict === "unchecked");
  return isFirstRound
    ? { type, status: "Unknown", reason: "NotChecked", message: "no member has passed a probe yet" }
    : { type, status: "False", reason: "NoMemberUp", message: `${message}: health is ignored until one is` };
}
