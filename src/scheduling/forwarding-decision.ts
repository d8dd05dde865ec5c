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
  const verdicts = verdictsOf(input);
  const isFailingOpen = failsOpen(input, verdicts);
  const { spec } = input;
  const members = spec.members.map(completeMember).map((member) => ({
    ip: member.ip,
    port: member.port,
    weight: member.weight,
    disposition: dispositionOf(
      member,
      isFailingOpen ? "up" : (verdicts.get(keyOf(member)) ?? "unchecked"),
      spec.onMemberDown,
    ),
    drainSeconds: member.drainSeconds ?? spec.drainSeconds,
  }));
  return { members, isFailingOpen };
}

function keyOf(member: { readonly ip: string; readonly port: number }): string {
  return `${member.ip}:${member.port}`;
}

function verdictsOf({ spec, statuses }: ForwardingInput): ReadonlyMap<string, Verdict> {
  if (spec.healthCheck.type === "none") return new Map(spec.members.map((member) => [keyOf(member), "up"]));
  const known = new Map(statuses.map((status) => [keyOf(status), status.verdict]));
  const { initialState } = spec.healthCheck;
  return new Map(spec.members.map((member) => [keyOf(member), known.get(keyOf(member)) ?? initialState]));
}

function failsOpen(input: ForwardingInput, verdicts: ReadonlyMap<string, Verdict>): boolean {
  const candidates = input.spec.members
    .map(completeMember)
    .filter((member) => member.state === "ready" && member.weight > 0)
    .map((member) => verdicts.get(keyOf(member)));
  const countOf = (verdict: Verdict) => candidates.filter((candidate) => candidate === verdict).length;
  const isFirstRound = countOf("unchecked") > 0 && input.wasFailingOpen !== true;
  if (candidates.length === 0 || countOf("down") === 0 || isFirstRound) return false;
  const upCount = countOf("up");
  return upCount === 0 || upCount * 100 <= input.spec.failOpen.threshold * candidates.length;
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
