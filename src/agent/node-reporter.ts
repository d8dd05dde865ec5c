import { type Clock, hasCode, type Logger } from "../foundation/index.ts";
import {
  type Condition,
  type HeldShrink,
  isReadyUnknown,
  type Node,
  nodeDefinition,
} from "../model/index.ts";
import type { ObjectReference, Resources } from "../resources/index.ts";

/** Least time between two writes of the Node, milliseconds. */
const LEAST_MS = 1_000;
/** Longest time between two writes of a Node of which nothing has changed, milliseconds. */
const REFRESH_MS = 300_000;
/** How often the Node is read, milliseconds: somebody may have deleted it. */
const CHECK_MS = 10_000;

/** What is written at once when it changes; everything else waits for the next heartbeat. */
export interface NodeReport {
  readonly addresses: readonly string[];
  readonly driver: string;
  readonly version: string;
  readonly kernel?: NonNullable<NonNullable<Node["status"]>["kernel"]>;
  readonly server?: string;
  /** null when nothing is held. */
  readonly heldShrink: HeldShrink | null;
  readonly conditions: readonly Condition[];
}

/** What changes with every change of a pool, and is as old as the last write in the stored Node. */
export interface NodeProgress {
  /** Of the store that the revision is of: how often it was restored, counted from 1. */
  readonly epoch?: number | undefined;
  readonly appliedRevision?: string;
  readonly tableHash: string;
  readonly poolCount: number;
}

/** What a reporter works with. */
export interface NodeReporterOptions {
  readonly resources: Resources;
  readonly nodeName: string;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly signal: AbortSignal;
  /** The present state; `previous` are the conditions of the last report. */
  /** Told what the Node says, each time that it is read or written. */
  readonly onNode: (node: Node) => void;
  readonly read: (previous: readonly Condition[]) => Promise<readonly [NodeReport, NodeProgress]>;
}

/**
 * Keeps the Node object up to date until the signal aborts: a write when something is wrong or has changed, and one in five
 * minutes. That the node lives, and how far it is, servers ask over the request stream.
 */
export async function reportNode(options: NodeReporterOptions): Promise<void> {
  const { clock, signal, logger, nodeName } = options;
  let last: Written = {};
  let wasRefused = false;
  while (!signal.aborted) {
    try {
      last = await reportOnce(options, last);
    } catch (error) {
      if (signal.aborted) return;
      // Somebody deleted the Node, or no server answers: both are over by the next round, or the one after.
      const { conditions: _, ...kept } = last;
      last = kept;
      const isRefused = hasCode(error, "CapacityExceeded");
      if (isRefused && !wasRefused) logger.error("node not registered", { node: nodeName, error });
      else logger.debug("node could not be reported", { node: nodeName, error });
      wasRefused = isRefused;
    }
    await clock.sleep(LEAST_MS, signal).catch(() => undefined);
  }
}

/** What the rounds before know of the Node. */
interface Written {
  /** Absent: read them first. */
  readonly conditions?: readonly Condition[];
  readonly text?: string;
  readonly atMs?: number;
  readonly checkedMs?: number;
  /** Something waits for an operator's word, so that the Node is read every time. */
  readonly isWaiting?: boolean;
}

async function reportOnce(options: NodeReporterOptions, last: Written): Promise<Written> {
  const nowMs = options.clock.monotonicMs();
  let { conditions, checkedMs = Number.NEGATIVE_INFINITY, atMs = Number.NEGATIVE_INFINITY } = last;
  if (!conditions || last.isWaiting || nowMs - checkedMs >= CHECK_MS) {
    const { node, isNew } = await readOrCreateNode(options);
    options.onNode(node);
    const stored = node.status?.conditions ?? [];
    // A server has written that nobody hears of the node.
    const isForeign = isNew || isReadyUnknown(stored);
    conditions = conditions && !isForeign ? conditions : stored;
    checkedMs = nowMs;
    if (isForeign) atMs = Number.NEGATIVE_INFINITY;
  }
  const [report, progress] = await options.read(conditions);
  const isWaiting = report.heldShrink !== null;
  const text = JSON.stringify(report);
  const isDue = nowMs - atMs >= REFRESH_MS;
  if (!isDue && text === last.text) return { ...last, conditions, checkedMs, isWaiting };
  await writeStatus(options, report, progress);
  return { conditions: report.conditions, text, atMs: nowMs, checkedMs, isWaiting };
}

async function readOrCreateNode(options: NodeReporterOptions): Promise<{ node: Node; isNew: boolean }> {
  const reference = referenceTo(options.nodeName);
  try {
    return { node: (await options.resources.get(reference)) as Node, isNew: false };
  } catch (failure) {
    if (!hasCode(failure, "NotFound")) throw failure;
  }
  const node = { apiVersion: "parasaus.io/v1", kind: "Node", metadata: { name: options.nodeName }, spec: {} };
  options.logger.info("node registered", { node: options.nodeName });
  const created = await options.resources.create(nodeDefinition, node, writerOf(options));
  return { node: created as Node, isNew: true };
}

async function writeStatus(
  options: NodeReporterOptions,
  report: NodeReport,
  progress: NodeProgress,
): Promise<void> {
  const status = { ...report, ...progress, heartbeat: options.clock.now().toISOString() };
  await options.resources.patch(
    referenceTo(options.nodeName),
    { type: "merge", body: { status } },
    { ...writerOf(options), subresource: "status" },
  );
}

function referenceTo(name: string): ObjectReference {
  return { definition: nodeDefinition, name };
}

function writerOf({ nodeName }: NodeReporterOptions): { readonly operator: string } {
  return { operator: `system:node:${nodeName}` };
}
