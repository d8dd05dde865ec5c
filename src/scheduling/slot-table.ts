import type { SchedulerName } from "../model/index.ts";
import { maglevSizeFor, maglevTable } from "./maglev.ts";
import { weightedSequence } from "./sequence.ts";

/** A member as schedulers see it. */
export interface ScheduledMember {
  /** IPv4, dotted quad. */
  readonly ip: string;
  /** 1-65535. */
  readonly port: number;
  /** 1-256. */
  readonly weight: number;
}

/**
 * The table that a scheduler picks from: rr and wrr walk it with a ticket, sh and mh index it by a hash modulo its
 * length, lc and wlc scan it (every member once).
 *
 * @param members Those that take new flows, in any order.
 * @returns Indexes into `members`.
 */
export function slotTable(scheduler: SchedulerName, members: readonly ScheduledMember[]): Uint16Array {
  switch (scheduler) {
    case "wrr":
      return weightedSequence(members.map((member) => member.weight));
    case "sh":
    case "mh":
      return maglevTable({
        members: members.map((member) => `${member.ip}:${member.port}`),
        weights: members.map((member) => member.weight),
        tableSize: maglevSizeFor(members.length),
      });
    default:
      return Uint16Array.from(members.keys());
  }
}

/**
 * The share of new flows that each member should get, 0-1, in member order:
 *
 * - rr, wrr, sh, mh: that of its table;
 * - lc: the same for all; wlc, sed, nq, twos: by weight; when flows last equally long;
 * - fo: all to the largest weight; ovf too, until that member has more flows than its weight. Members of the same weight
 *   are equally likely: which comes first depends on which was added first;
 * - dh: the same for all, lblc, lblcr: by weight, over many connect addresses; each address has one member (lblc, lblcr: as
 *   long as that is not overloaded).
 */
export function expectedShares(scheduler: SchedulerName, members: readonly ScheduledMember[]): number[] {
  if (BY_WEIGHT.has(scheduler)) return shares(members.map(({ weight }) => weight));
  if (scheduler === "fo" || scheduler === "ovf") {
    const largest = Math.max(...members.map(({ weight }) => weight));
    return shares(members.map(({ weight }) => (weight === largest ? 1 : 0)));
  }
  const table = slotTable(scheduler, members);
  const counts = new Array<number>(members.length).fill(0);
  for (const index of table) counts[index] = (counts[index] ?? 0) + 1;
  return shares(counts);
}

const BY_WEIGHT: ReadonlySet<SchedulerName> = new Set(["wlc", "sed", "nq", "twos", "lblc", "lblcr"]);

function shares(parts: readonly number[]): number[] {
  const total = parts.reduce((sum, part) => sum + part, 0);
  return parts.map((part) => part / total);
}
