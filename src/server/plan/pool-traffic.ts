import {
  type DesiredMember,
  desiredPoolOf,
  type ProgrammedMember,
  type ProgrammedPool,
  placeKey,
  planOperations,
} from "../../dataplane/index.ts";
import { formatHostPort } from "../../foundation/index.ts";
import {
  type ConnectAddress,
  type FlowFates,
  formatConnectAddress,
  type PlannedMember,
  type PlannedMemberState,
  type PlannedTraffic,
  type Pool,
} from "../../model/index.ts";
import { expectedShares } from "../../scheduling/index.ts";

/** One pool before and after a change, and the flows that its members have now. */
export interface TrafficQuestion {
  /** Absent: it is new. */
  readonly before: Pool | undefined;
  /** Absent: it is gone. */
  readonly after: Pool | undefined;
  /** Open flows by `ip:port`, a count each. */
  readonly flows: ReadonlyMap<string, number>;
  readonly unknownNodes: readonly string[];
}

/**
 * What a change does to the flows and the shares of each member: worked out by the very steps with which a node programs its
 * kernel, from the pool before to the pool after. Pure.
 */
export function plannedTraffic({ before, after, flows, unknownNodes }: TrafficQuestion): PlannedTraffic {
  const [old, next] = [stateOf(before), stateOf(after, before)];
  const kernelBefore = programmed(old, undefined);
  const kernelAfter = programmed(next, kernelBefore);
  const names = new Set([...old.members.keys(), ...next.members.keys(), ...flows.keys()]);
  const members = [...names].map((member): PlannedMember => {
    const fate = fateOf(member, kernelBefore, kernelAfter);
    const [was, is] = [old.members.get(member), next.members.get(member)];
    const later = next.sharesOnceProbed.get(member) ?? 0;
    const openCount = flows.get(member) ?? 0;
    return {
      member,
      ...(was ? { before: was } : {}),
      ...(is ? { after: is } : {}),
      ...countsOf(fate, openCount),
      ...(fate.kind === "drained" ? { drainSeconds: fate.seconds } : {}),
      ...(is && later !== is.share ? { shareOnceProbed: later } : {}),
    };
  });
  return { ...addressChange(before, after), ...sumOf(members), members, unknownNodes };
}

/** The sum of what becomes of some flows. */
export function sumOf(fates: readonly FlowFates[]): FlowFates {
  const sum = (field: keyof FlowFates) => fates.reduce((total, fate) => total + fate[field], 0);
  return { keptCount: sum("keptCount"), drainedCount: sum("drainedCount"), cutCount: sum("cutCount") };
}

interface PoolState {
  readonly pool: Pool | undefined;
  readonly desired: ReturnType<typeof desiredPoolOf>["desired"] | undefined;
  readonly members: ReadonlyMap<string, PlannedMemberState>;
  readonly sharesOnceProbed: ReadonlyMap<string, number>;
}

function stateOf(pool: Pool | undefined, before?: Pool): PoolState {
  if (!pool || pool.metadata.deletionTimestamp !== undefined)
    return { pool, desired: undefined, members: new Map(), sharesOnceProbed: new Map() };
  const wasFailingOpen = before !== undefined && desiredPoolOf(before).isFailingOpen;
  const { desired } = desiredPoolOf(pool, wasFailingOpen);
  const shares = sharesOf(pool, desired.members);
  const probed = sharesOf(pool, desiredPoolOf(onceProbed(pool), wasFailingOpen).desired.members);
  const members = desired.members.map((member): [string, PlannedMemberState] => {
    const { weight, disposition } = member;
    return [nameOf(member), { weight, disposition, share: shares.get(nameOf(member)) ?? 0 }];
  });
  return { pool, desired, members: new Map(members), sharesOnceProbed: probed };
}

/** The pool when each member that has no verdict yet has passed. */
function onceProbed(pool: Pool): Pool {
  const verdicts = new Map((pool.status?.members ?? []).map((each) => [nameOf(each), each]));
  const members = pool.spec.members.map((member) => {
    const known = verdicts.get(nameOf(member));
    const { ip, port } = member;
    return known && known.verdict !== "unchecked"
      ? known
      : { ip, port, reason: "", since: "", ...known, verdict: "up" as const };
  });
  return { ...pool, status: { ...pool.status, members } };
}

function sharesOf({ spec }: Pool, members: readonly DesiredMember[]): ReadonlyMap<string, number> {
  const active = members.filter(({ disposition }) => disposition === "active");
  if (active.length === 0) return new Map();
  const shares = expectedShares(spec.scheduler, active);
  return new Map(active.map((member, index) => [nameOf(member), shares[index] ?? 0]));
}

/** What a node's kernel holds after it was told; its clock begins with the change. */
function programmed({ desired }: PoolState, kernel: ProgrammedPool | undefined): ProgrammedPool | undefined {
  const operations = planOperations(desired ? [desired] : [], kernel ? [kernel] : [], 0);
  return operations.reduce<ProgrammedPool | undefined>(
    (_, operation) => (operation.kind === "install" ? operation.pool : undefined),
    kernel,
  );
}

type Fate =
  | { readonly kind: "kept" | "cut" }
  /** For how long at most, seconds. */
  | { readonly kind: "drained"; readonly seconds: number };

function fateOf(name: string, before: ProgrammedPool | undefined, after: ProgrammedPool | undefined): Fate {
  const find = (pool: ProgrammedPool | undefined) => pool?.members.find((each) => nameOf(each) === name);
  const [was, is] = [find(before), find(after)];
  // It left before: its flows end as they would have.
  if (!was) return { kind: "kept" };
  const closingMs = closingDeadline(before, after);
  if (!is || is.disposition === "cut" || closingMs === 0) return { kind: "cut" };
  const deadlines = [newDeadline(was, is), closingMs].filter((each) => each !== undefined);
  if (deadlines.length === 0) return { kind: "kept" };
  const firstMs = Math.min(...deadlines);
  return firstMs <= 0 ? { kind: "cut" } : { kind: "drained", seconds: Math.ceil(firstMs / 1_000) };
}

/** When a member's flows end that did not have to before, or not so soon. */
function newDeadline(was: ProgrammedMember, is: ProgrammedMember): number | undefined {
  if (is.disposition !== "draining" || is.deadlineMs === undefined) return undefined;
  return was.deadlineMs !== undefined && was.deadlineMs <= is.deadlineMs ? undefined : is.deadlineMs;
}

/** When flows end because no address that they came by serves any more; 0: at once. */
function closingDeadline(
  before: ProgrammedPool | undefined,
  after: ProgrammedPool | undefined,
): number | undefined {
  const later = new Map((after?.addresses ?? []).map((address) => [placeKey(address), address]));
  const deadlines = (before?.addresses ?? []).map((address) => {
    const found = later.get(placeKey(address));
    return found ? (found.closingDeadlineMs ?? Number.POSITIVE_INFINITY) : 0;
  });
  if (deadlines.length === 0) return undefined;
  const last = Math.max(...deadlines);
  return Number.isFinite(last) ? last : undefined;
}

function countsOf({ kind }: Fate, openCount: number): FlowFates {
  return {
    keptCount: kind === "kept" ? openCount : 0,
    drainedCount: kind === "drained" ? openCount : 0,
    cutCount: kind === "cut" ? openCount : 0,
  };
}

function addressChange(before: Pool | undefined, after: Pool | undefined): Pick<PlannedTraffic, "address"> {
  const [was, is] = [addressOf(before), addressOf(after)];
  if (was === is) return {};
  const guessed = is !== undefined && after?.spec.port === undefined ? anyOf(after) : is;
  return {
    address: {
      ...(was === undefined ? {} : { before: was }),
      ...(guessed === undefined ? {} : { after: guessed }),
    },
  };
}

/** Which one it will be, nobody knows before. */
function anyOf(pool: Pool | undefined): string {
  return `a free one of ${pool?.spec.addressPool}`;
}

function addressOf(pool: Pool | undefined): string | undefined {
  if (!pool || pool.metadata.deletionTimestamp !== undefined) return undefined;
  const addresses: readonly ConnectAddress[] = pool.status?.connectAddresses ?? [];
  return addresses.map((each) => `${formatConnectAddress(each)}/${each.protocol}`).join(", ") || undefined;
}

function nameOf({ ip, port }: { readonly ip: string; readonly port: number }): string {
  return formatHostPort(ip, port);
}
