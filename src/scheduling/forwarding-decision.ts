import {
  type CompleteMember,
  completeMember,
  type MemberDisposition,
  type MemberStatus,
  type PoolSpec,
  type Verdict,
} from "../model/index.ts";

/** One member as the agent wants it. A `draining` one gets its deadline from `drainSeconds` when draining begins. */
export interface DesiredMember {
  /** IPv4, dotted quad. */
  readonly ip: string;
  /** 1-65535. */
  readonly port: number;
  /** 0-256; 0 takes no new flows. */
  readonly weight: number;
  readonly disposition: MemberDisposition;
  /** How long its flows may go on once it drains, seconds. */
  readonly drainSeconds: number;
  /** When draining shall end, milliseconds of the driver's clock, where `drainSeconds` was changed while it drains. */
  readonly drainUntilMs?: number;
}

/** What is to be done with a pool's members, and whether health is being ignored for it. */
export interface ForwardingDecision {
  /** In the order of the spec. */
  readonly members: readonly DesiredMember[];
  /** True while too few members are up, so that all of them take traffic. */
  readonly isFailingOpen: boolean;
}

/** What a decision is made from. */
export interface ForwardingInput {
  readonly spec: Pick<PoolSpec, "members" | "drainSeconds" | "onMemberDown" | "failOpen"> & {
    readonly healthCheck: Pick<PoolSpec["healthCheck"], "type" | "initialState">;
  };
  /** circle-healthcheck's verdicts; a member without one has the check's `initialState`. */
  readonly statuses: readonly Pick<MemberStatus, "ip" | "port" | "verdict">[];
  /** The last decision's word: a member added meanwhile, yet unchecked, does not end failing open. */
  readonly wasFailingOpen?: boolean;
}

/**
 * Decides which members of a pool take new flows and what becomes of the others' flows.
 *
 * The operator's word comes first: `maint` cuts, `drain` drains, weight 0 pauses. Then health: `up` is active,
 * `unchecked` paused, `down` paused or cut as `onMemberDown` says. Health is ignored while no ready member is up, or at
 * most `failOpen.threshold` percent are; an unchecked one prevents that from beginning (the first round is not over).
 */
export function decideForwarding(input: ForwardingInput): ForwardingDecision {
  const { spec } = input;
  const complete = spec.members.map(completeMember);
  const verdictOf = verdictsOf(input);
  const isFailingOpen = failsOpen(input, complete, verdictOf);
  const members = complete.map((member) => ({
    ip: member.ip,
    port: member.port,
    weight: member.weight,
    disposition: dispositionOf(member, isFailingOpen ? "up" : verdictOf(member), spec.onMemberDown),
    drainSeconds: member.drainSeconds ?? spec.drainSeconds,
  }));
  return { members, isFailingOpen };
}

function keyOf(member: { readonly ip: string; readonly port: number }): string {
  return `${member.ip}:${member.port}`;
}

type VerdictReader = (member: CompleteMember) => Verdict;

function verdictsOf({ spec, statuses }: ForwardingInput): VerdictReader {
  const { type, initialState } = spec.healthCheck;
  if (type === "none") return () => "up";
  const known = new Map<string, Verdict>();
  for (const status of statuses) known.set(keyOf(status), status.verdict);
  return (member) => known.get(keyOf(member)) ?? initialState;
}

function failsOpen(
  input: ForwardingInput,
  members: readonly CompleteMember[],
  verdictOf: VerdictReader,
): boolean {
  const counts: Record<Verdict, number> = { unchecked: 0, up: 0, down: 0 };
  for (const member of members)
    if (member.state === "ready" && member.weight > 0) counts[verdictOf(member)] += 1;
  const isFirstRound = counts.unchecked > 0 && input.wasFailingOpen !== true;
  if (counts.down === 0 || isFirstRound) return false;
  const candidateCount = counts.unchecked + counts.up + counts.down;
  return counts.up === 0 || counts.up * 100 <= input.spec.failOpen.threshold * candidateCount;
}

function dispositionOf(
  member: CompleteMember,
  verdict: Verdict,
  onMemberDown: PoolSpec["onMemberDown"],
): MemberDisposition {
  if (member.state === "maint") return "cut";
  if (member.state === "drain") return "draining";
  if (verdict === "down" && onMemberDown === "cut") return "cut";
  return verdict === "up" && member.weight > 0 ? "active" : "paused";
}
