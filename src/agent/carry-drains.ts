import { type DesiredMember, type DesiredPool, type ProgrammedPool, placeKey } from "../dataplane/index.ts";

/**
 * Moves the deadlines of members whose drain time was changed while they drain: as much later or earlier as the time
 * became longer or shorter. A deadline that was moved once stays moved.
 *
 * @param before What was wanted of the pool until now.
 * @param held What the kernel holds of it: where the running deadlines are.
 */
export function carryDrains(
  before: DesiredPool | undefined,
  after: DesiredPool,
  held: ProgrammedPool | undefined,
): DesiredPool {
  if (!before || !after.members.some(({ disposition }) => disposition === "draining")) return after;
  const wanted = new Map(before.members.map((member) => [placeKey(member), member]));
  const running = new Map(held?.members.map((member) => [placeKey(member), member.deadlineMs]));
  const members = after.members.map((member) => {
    const drainUntilMs = movedDeadline(wanted.get(placeKey(member)), member, running.get(placeKey(member)));
    return drainUntilMs === undefined ? member : { ...member, drainUntilMs };
  });
  return { ...after, members };
}

function movedDeadline(
  before: DesiredMember | undefined,
  after: DesiredMember,
  runningMs: number | undefined,
): number | undefined {
  if (before?.disposition !== "draining" || after.disposition !== "draining") return undefined;
  const deadlineMs = before.drainUntilMs ?? runningMs;
  const movedMs = (after.drainSeconds - before.drainSeconds) * 1000;
  return movedMs === 0 || deadlineMs === undefined ? before.drainUntilMs : deadlineMs + movedMs;
}
