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
 * The share of new flows that each member should get, 0-1, in member order: for rr, wrr, sh and mh that of its table;
 * for lc the same for all and for wlc by weight, when flows last equally long.
 */
export function expectedShares(scheduler: SchedulerName, members: readonly ScheduledMember[]): number[] {
  if (scheduler === "wlc") {
    const total = members.reduce((sum, member) => sum + member.weight, 0);
    return members.map((member) => member.weight / total);
  }
  const table = slotTable(scheduler, members);
  const counts = new Array<number>(members.length).fill(0);
  for (const index of table) counts[index] = (counts[index] ?? 0) + 1;
  return counts.map((count) => count / table.length);
}
