import type {
  DesiredMember,
  DesiredPool,
  ProgrammedAddress,
  ProgrammedMember,
  ProgrammedPool,
} from "./driver.ts";
import { flowPolicyOf } from "./flow-policy.ts";
import { bareAddress, inPlaceOrder, placeKey } from "./order.ts";

/** For a pool that is gone and whose own setting nobody remembers, seconds. */
const DEFAULT_DRAIN_SECONDS = 30;

/**
 * What the kernel should hold of one pool now; undefined when nothing of it is left.
 *
 * @param desired Undefined when the pool is gone.
 * @param observed Undefined when the kernel holds none.
 * @param nowMs CLOCK_MONOTONIC, milliseconds.
 */
export function targetOf(
  desired: DesiredPool | undefined,
  observed: ProgrammedPool | undefined,
  nowMs: number,
): ProgrammedPool | undefined {
  const serving = desired?.addresses ?? [];
  // What takes no new flows goes on as the kernel has it: nothing is gained by a change, and the driver may refuse one.
  const shape = serving.length > 0 ? desired : (observed ?? desired);
  if (!shape) return undefined;
  const drainSeconds = desired?.drainSeconds ?? DEFAULT_DRAIN_SECONDS;
  const isDatagram = (serving[0] ?? observed?.addresses[0])?.protocol === "UDP";
  const leaving: Leaving = { drainMs: drainSeconds * 1000, nowMs, isDatagram };
  const addresses = addressesOf(serving, observed?.addresses ?? [], leaving);
  // Without a connect address nothing new arrives: what is left of the members only drains.
  const wanted = serving.length === 0 ? [] : (desired?.members ?? []);
  const members = membersOf(wanted, observed?.members ?? [], leaving);
  if (addresses.length === 0 && members.length === 0) return undefined;
  return {
    uid: shape.uid,
    addresses,
    ...flowPolicyOf(shape),
    members,
  };
}

/** How things leave: UDP at once, TCP when the deadline has passed. */
interface Leaving {
  readonly drainMs: number;
  readonly nowMs: number;
  readonly isDatagram: boolean;
}

function deadlineAfter(nowMs: number, drainMs: number): number {
  return Math.ceil(nowMs + drainMs);
}

function addressesOf(
  serving: DesiredPool["addresses"],
  observed: readonly ProgrammedAddress[],
  leaving: Leaving,
): readonly ProgrammedAddress[] {
  if (observed.length === 0) return inPlaceOrder(serving);
  const wanted = new Set(serving.map(placeKey));
  const closing = observed.flatMap((address): ProgrammedAddress[] => {
    if (wanted.has(placeKey(address)) || address.protocol === "UDP") return [];
    const closingDeadlineMs = address.closingDeadlineMs ?? deadlineAfter(leaving.nowMs, leaving.drainMs);
    return closingDeadlineMs <= leaving.nowMs ? [] : [{ ...bareAddress(address), closingDeadlineMs }];
  });
  return inPlaceOrder([...serving.map(bareAddress), ...closing]);
}

function membersOf(
  desired: readonly DesiredMember[],
  observed: readonly ProgrammedMember[],
  leaving: Leaving,
): readonly ProgrammedMember[] {
  if (observed.length === 0)
    return inPlaceOrder(desired.map((member) => stayingMember(member, undefined, leaving)));
  const before = new Map(observed.map((member) => [placeKey(member), member]));
  const staying = desired.map((member) => {
    const known = before.get(placeKey(member));
    before.delete(placeKey(member));
    return stayingMember(member, known, leaving);
  });
  const going = [...before.values()].flatMap((member) => goingMember(member, leaving));
  return inPlaceOrder([...staying, ...going]);
}

function stayingMember(
  member: DesiredMember,
  known: ProgrammedMember | undefined,
  leaving: Leaving,
): ProgrammedMember {
  const { ip, port, weight, disposition } = member;
  if (disposition !== "draining") return { ip, port, weight, disposition };
  if (leaving.isDatagram) return { ip, port, weight, disposition: "cut" };
  // A shorter drain time takes effect at once; time that passes never moves a deadline.
  const fresh = deadlineAfter(leaving.nowMs, member.drainSeconds * 1000);
  const deadlineMs = member.drainUntilMs ?? Math.min(known?.deadlineMs ?? fresh, fresh);
  return { ip, port, weight, disposition, deadlineMs };
}

function goingMember(member: ProgrammedMember, leaving: Leaving): ProgrammedMember[] {
  if (member.disposition === "cut" || leaving.isDatagram) return [];
  const deadlineMs = member.deadlineMs ?? deadlineAfter(leaving.nowMs, leaving.drainMs);
  if (deadlineMs <= leaving.nowMs) return [];
  const { ip, port, weight } = member;
  return [{ ip, port, weight, disposition: "draining", deadlineMs }];
}
