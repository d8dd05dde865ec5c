import type { Logger } from "../../foundation/index.ts";
import { type InetSocket, listSockets, type ResetSender } from "../../linux/index.ts";
import type { MaintenanceReport } from "../driver.ts";
import { type ApplyContext, clearTraffic, forgetWhenEmpty } from "./apply.ts";
import { closeLocalClients, cutFlows } from "./cut.ts";
import { LAYOUT } from "./layout.ts";
import {
  dropStaleLocalFlows,
  expireAffinities,
  expireLocalDatagrams,
  type LocalFlowResult,
  sweepLocalFlows,
} from "./local-flows.ts";
import type { EbpfTimeouts } from "./options.ts";
import { type LoadReading, readAfter, readBefore, recountLoads } from "./recount.ts";
import { type SweepResult, sweepFlows } from "./sweep.ts";

const SWEEP_INTERVAL_MS = 5000;
/** A sweep may take one twentieth of the time. */
const SWEEP_SHARE = 20;
const RECOUNT_INTERVAL_MS = 60_000;

/** Sizes of the flow table as the last sweep saw them. */
export interface FlowTableSize {
  readonly entryCount: number;
  readonly halfOpenCount: number;
  /** How long the sweep took, milliseconds. */
  readonly durationMs: number;
}

/** Keeps the tables tidy between changes. */
export interface Maintenance {
  /** Does what is due. */
  run(): Promise<MaintenanceReport>;
  /** Undefined before the first sweep. */
  size(): FlowTableSize | undefined;
}

/** What maintenance works with. */
export interface MaintenanceContext extends ApplyContext {
  readonly timeouts: EbpfTimeouts;
  readonly resets: ResetSender;
  readonly logger: Logger;
  /** Whether every local client's socket is in this network namespace, so that one without a socket is gone. */
  readonly seesAllClients: boolean;
}

export function createMaintenance(context: MaintenanceContext): Maintenance {
  const { mirror } = context;
  let lastSweepMs = Number.NEGATIVE_INFINITY;
  let lastRecountMs = Number.NEGATIVE_INFINITY;
  let drifts: ReadonlyMap<number, number> = new Map();
  let suspects: ReadonlySet<bigint> = new Set();
  let size: FlowTableSize | undefined;

  return { run, size: () => size };

  async function run(): Promise<MaintenanceReport> {
    const nowMs = context.nowMs();
    const isRecountDue = nowMs - lastRecountMs >= RECOUNT_INTERVAL_MS || drifts.size > 0;
    const waitMs = Math.max(SWEEP_INTERVAL_MS, SWEEP_SHARE * (size?.durationMs ?? 0));
    const isSweepDue = nowMs - lastSweepMs >= waitMs || hasCutDue(nowMs);
    if (!isSweepDue) return { expiredCount: 0, cutCount: 0 };
    const isRecounting = isRecountDue && nowMs - lastSweepMs >= waitMs;
    const report = await sweep(nowMs, isRecounting);
    lastSweepMs = nowMs;
    if (isRecounting) lastRecountMs = nowMs;
    return report;
  }

  /** A member or closing address reached its deadline since the last sweep, or something was cut by hand. */
  function hasCutDue(nowMs: number): boolean {
    if (mirror.hasNewCuts || mirror.orphanAddresses.size > 0) return true;
    for (const deadlineMs of mirror.closingAtMs.values()) if (isDueSinceSweep(deadlineMs)) return true;
    return mirror.cutAtMs.subarray(0, mirror.memberIndexes.endIndex()).some(isDueSinceSweep);

    function isDueSinceSweep(deadlineMs: number): boolean {
      return deadlineMs <= nowMs && deadlineMs > lastSweepMs;
    }
  }

  async function sweep(nowMs: number, isRecounting: boolean): Promise<MaintenanceReport> {
    mirror.sweepRound += 1;
    mirror.hasNewCuts = false;
    const orphans = [...mirror.orphanAddresses];
    const round = mirror.sweepRound;
    const before = isRecounting ? await readBefore(context.kernel, mirror) : undefined;
    const result = await sweepFlows(context.kernel, mirror, context.timeouts, nowMs);
    const local = await sweepLocalFlows(context.kernel, mirror, result, nowMs);
    size = {
      entryCount: result.entryCount,
      halfOpenCount: result.halfOpenCount,
      durationMs: context.nowMs() - nowMs,
    };
    const drift = before ? await recount(result, before) : {};
    const cutCount = await cut(result, local, isRecounting);
    for (const number of orphans) mirror.orphanAddresses.delete(number);
    freeMembers(result, round);
    if (isRecounting) await expire(nowMs);
    const { expiredCount, entryCount: flowEntryCount } = result;
    return { expiredCount, cutCount, flowEntryCount, ...drift };
  }

  async function recount(result: SweepResult, before: LoadReading): Promise<{ loadDriftCount: number }> {
    const readings = { before, after: await readAfter(context.kernel, mirror) };
    const found = recountLoads(context.kernel, mirror, result, readings, drifts);
    drifts = found.drifts;
    if (found.repairedCount > 0) {
      context.logger.warn("member loads had drifted", { connections: found.repairedCount });
    }
    return { loadDriftCount: found.repairedCount };
  }

  async function cut(result: SweepResult, local: LocalFlowResult, isRecounting: boolean): Promise<number> {
    const { kernel, resets, sources } = context;
    const isLocalMember = (row: { readonly newDestination: number }) =>
      sources.find(row.newDestination).isLocal;
    const cutCount = await cutFlows(kernel, resets, result.cuts, isLocalMember);
    const mustCheck = isRecounting && context.seesAllClients && local.members.size > 0;
    const sockets = local.cuts.size > 0 || mustCheck ? allSockets() : [];
    if (mustCheck) suspects = dropStaleLocalFlows(kernel, local, sockets, suspects);
    const closedCount = closeLocalClients(local.cuts, sockets).size;
    if (closedCount < local.cuts.size && !context.seesAllClients) {
      const openCount = local.cuts.size - closedCount;
      context.logger.warn("local clients in other network namespaces keep their connections", { openCount });
    }
    return cutCount + closedCount;
  }

  /** Rows of members that are gone, once no entry points at them: a flow opened before may be in no batch yet. */
  function freeMembers(result: SweepResult, round: number): void {
    for (const [index, { record, place, sinceRound }] of mirror.tombstones) {
      if (sinceRound >= round || result.referenced[index]) continue;
      mirror.changeCount += 1;
      context.kernel.writeMembers([{ index, row: Buffer.alloc(LAYOUT.member.size) }]);
      clearTraffic(context.kernel, index);
      mirror.tombstones.delete(index);
      mirror.memberIndexes.free(index);
      mirror.cutAtMs[index] = Number.POSITIVE_INFINITY;
      record.members.delete(place);
      forgetWhenEmpty(context, record);
    }
  }

  async function expire(nowMs: number): Promise<void> {
    await expireAffinities(context.kernel, mirror, nowMs);
    await expireLocalDatagrams(context.kernel, context.timeouts.datagramMs, nowMs);
  }
}

function allSockets(): readonly InetSocket[] {
  return [...listSockets("TCP"), ...listSockets("UDP")];
}
