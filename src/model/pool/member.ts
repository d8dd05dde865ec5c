import type { MemberAdminState, PoolMember } from "./pool.ts";

/** A member with everything that forwarding asks of it. */
export interface CompleteMember extends PoolMember {
  /** 0-256; 0 takes no new flows. */
  readonly weight: number;
  readonly state: MemberAdminState;
}

/** Weight of a member whose description gives none. */
export const DEFAULT_WEIGHT = 1;
/** State of a member whose description gives none. */
export const DEFAULT_STATE: MemberAdminState = "ready";

/** Fills in what the description of a member leaves out: it is stored as it was written, for `kubectl apply`'s sake. */
export function completeMember(member: PoolMember): CompleteMember {
  return { ...member, weight: member.weight ?? DEFAULT_WEIGHT, state: member.state ?? DEFAULT_STATE };
}
