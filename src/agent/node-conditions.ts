import type { Condition, HeldShrink } from "../model/index.ts";
import type { Silence } from "./hearing.ts";
import type { LocalListener } from "./local-listeners.ts";
import type { Refusal } from "./reconciler.ts";
import type { DrainingDriver } from "./succession.ts";

/** What conditions are made from. */
export interface NodeFacts {
  readonly nodeName: string;
  readonly driver: string;
  /** Why the driver is not the one that would have been preferred; absent when it is. */
  readonly driverFallback?: string;
  /** The driver before, while it still has flows. */
  readonly draining?: DrainingDriver;
  /** Services that Parasaus did not make; absent where the driver knows of none. */
  readonly foreignServices?: readonly string[];
  readonly source: "none" | "snapshot" | "server";
  /** Why the agent could not do its work the last time; absent when it could. */
  readonly trouble?: string;
  /** Why the agent does not hear what the server wants; absent while it does. */
  readonly silence?: Silence;
  /** Why the node's certificate is not renewed; null: it is. Absent: the node shows none. */
  readonly certificateTrouble?: string | null;
  /** Pools that the server no longer has, and that are forwarded all the same. */
  readonly shrink?: HeldShrink;
  readonly refusals: readonly Refusal[];
  readonly unreadablePoolCount: number;
  /** Sockets of this machine on ports that belong to pools. */
  readonly listeners: readonly LocalListener[];
}

type Finding = Omit<Condition, "lastTransitionTime">;

/** Most items that a message names. */
const NAMED_COUNT = 5;

/** The Node's conditions; a condition whose status stayed keeps its transition time. */
export function nodeConditions(
  facts: NodeFacts,
  previous: readonly Condition[],
  now: Date,
): readonly Condition[] {
  const time = `${now.toISOString().slice(0, 19)}Z`;
  const findings = [ready, synced, programmed, shrinkHeld, localListener].map((find) => find(facts));
  const rare = [enrolled, driverFallback, driverDraining, foreignServices].flatMap((find) => find(facts));
  return [...findings, ...rare].map((finding) => {
    const before = previous.find((condition) => condition.type === finding.type);
    const isSame = before?.status === finding.status;
    return { ...finding, lastTransitionTime: isSame ? before.lastTransitionTime : time };
  });
}

function ready({ source, trouble }: NodeFacts): Finding {
  const base = { type: "Ready" };
  if (trouble !== undefined) return { ...base, status: "False", reason: "KernelError", message: trouble };
  if (source === "none") {
    const message = "The agent has no desired state yet; the kernel goes on with what it holds";
    return { ...base, status: "False", reason: "NoDesiredState", message };
  }
  return source === "snapshot"
    ? { ...base, status: "True", reason: "Snapshot", message: "Forwards from the last-known-good snapshot" }
    : { ...base, status: "True", reason: "Forwarding", message: "Forwards what the server wants" };
}

function synced({ silence }: NodeFacts): Finding {
  const base = { type: "Synced" };
  return silence === undefined
    ? { ...base, status: "True", reason: "Following", message: "The agent follows the server's pools" }
    : { ...base, status: "False", ...silence };
}

function programmed({ refusals, unreadablePoolCount }: NodeFacts): Finding {
  const base = { type: "Programmed" };
  const [first] = refusals;
  if (first) {
    const message = `${refusals.length} pools are not as wanted: ${first.message}`;
    return { ...base, status: "False", reason: first.code, message };
  }
  if (unreadablePoolCount > 0) {
    const message = `${unreadablePoolCount} pools cannot be understood and keep their last good state`;
    return { ...base, status: "False", reason: "Unreadable", message };
  }
  return { ...base, status: "True", reason: "AsWanted", message: "The kernel holds every pool as wanted" };
}

function shrinkHeld({ nodeName, shrink }: NodeFacts): Finding {
  const base = { type: "ShrinkHeld" };
  if (!shrink)
    return { ...base, status: "False", reason: "NothingHeld", message: "No pool went without a word" };
  const { poolCount, ofPoolCount } = shrink;
  const message =
    `${poolCount} of ${ofPoolCount} pools went without anybody deleting them, and are forwarded all the same; ` +
    `if they may go: parasaus node confirm ${nodeName}`;
  return { ...base, status: "True", reason: "PoolsMissing", message };
}

function enrolled({ certificateTrouble }: NodeFacts): readonly Finding[] {
  if (certificateTrouble === undefined) return [];
  const base = { type: "Enrolled" };
  if (certificateTrouble !== null)
    return [{ ...base, status: "False", reason: "NotRenewed", message: certificateTrouble }];
  return [
    { ...base, status: "True", reason: "Renewing", message: "The node renews its certificate by itself" },
  ];
}

function driverFallback({ driver, driverFallback: why }: NodeFacts): readonly Finding[] {
  if (why === undefined) return [];
  const message = `Forwards with ${driver}: ${why}`;
  return [{ type: "DriverFallback", status: "True", reason: "KernelUnsupported", message }];
}

function driverDraining({ driver, draining }: NodeFacts): readonly Finding[] {
  if (draining === undefined) return [];
  const base = { type: "DriverDraining", status: "True" } as const;
  const { driver: before, since, lackingCount, openCount, until } = draining;
  if (since === undefined) {
    const lacking = lackingCount > 0 ? `, of which it refuses ${lackingCount}` : "";
    const message = `${before} goes on until ${driver} has every pool${lacking}`;
    return [{ ...base, reason: "HandingOver", message }];
  }
  const connections = openCount === undefined ? "connections" : `${openCount} connections`;
  const end = until === undefined ? "until they end" : `until they end, at the longest until ${until}`;
  const message = `${driver} takes what is new since ${since}; ${before} keeps ${connections} ${end}`;
  return [{ ...base, reason: "FlowsRemain", message }];
}

function foreignServices({ foreignServices: found }: NodeFacts): readonly Finding[] {
  if (found === undefined) return [];
  const base = { type: "ForeignServices" };
  if (found.length === 0) {
    const message = "IPVS has no services that Parasaus did not make";
    return [{ ...base, status: "False", reason: "NoneFound", message }];
  }
  const message = `IPVS has services that Parasaus did not make and leaves alone: ${nameSome(found)}`;
  return [{ ...base, status: "True", reason: "ServicesFound", message }];
}

function nameSome(names: readonly string[]): string {
  const more = names.length > NAMED_COUNT ? ` and ${names.length - NAMED_COUNT} more` : "";
  return `${names.slice(0, NAMED_COUNT).join(", ")}${more}`;
}

function localListener({ listeners }: NodeFacts): Finding {
  const base = { type: "LocalListener" };
  if (listeners.length === 0) {
    const message = "No local socket listens on a port that belongs to a pool";
    return { ...base, status: "False", reason: "NoConflict", message };
  }
  const named = nameSome(listeners.map(({ ip, port, protocol }) => `${protocol} ${ip}:${port}`));
  const message = `New connections go to the pool, not to the local socket: ${named}`;
  return { ...base, status: "True", reason: "PortTaken", message };
}
