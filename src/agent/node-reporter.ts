import { type Clock, hasCode, type Logger } from "../foundation/index.ts";
import { type Condition, type Node, nodeDefinition } from "../model/index.ts";
import type { ObjectReference, Resources } from "../resources/index.ts";

/** Least time between two writes of the Node, milliseconds. */
const LEAST_MS = 1_000;
/** Longest time between two writes, milliseconds: the heartbeat. */
const HEARTBEAT_MS = 10_000;

/** What is written at once when it changes; everything else waits for the next heartbeat. */
export interface NodeReport {
  readonly addresses: readonly string[];
  readonly driver: string;
  readonly version: string;
  readonly kernel?: NonNullable<NonNullable<Node["status"]>["kernel"]>;
  readonly server?: string;
  readonly conditions: readonly Condition[];
}

/** What changes with every change of a pool, and is as old as a heartbeat in the Node. */
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
  readonly read: (previous: readonly Condition[]) => Promise<readonly [NodeReport, NodeProgress]>;
}

/** Keeps the Node object up to date until the signal aborts: one cheap write a heartbeat, and one when something is wrong. */
export async function reportNode(options: NodeReporterOptions): Promise<void> {
  const { clock, signal, logger, nodeName } = options;
  let written: { readonly text: string; readonly atMs: number } | undefined;
  let conditions: readonly Condition[] | undefined;
  while (!signal.aborted) {
    try {
      conditions ??= (await readOrCreateNode(options)).status?.conditions ?? [];
      const [report, progress] = await options.read(conditions);
      const text = JSON.stringify(report);
      const isDue = !written || clock.monotonicMs() - written.atMs >= HEARTBEAT_MS;
      if (isDue || text !== written?.text) {
        await writeStatus(options, report, progress);
        conditions = report.conditions;
        written = { text, atMs: clock.monotonicMs() };
      }
    } catch (error) {
      if (signal.aborted) return;
      conditions = undefined;
      // Somebody deleted the Node, or no server answers: both are over by the next round, or the one after.
      logger.debug("node could not be reported", { node: nodeName, error });
    }
    await clock.sleep(LEAST_MS, signal).catch(() => undefined);
  }
}

async function readOrCreateNode(options: NodeReporterOptions): Promise<Node> {
  const reference = referenceTo(options.nodeName);
  try {
    return (await options.resources.get(reference)) as Node;
  } catch (failure) {
    if (!hasCode(failure, "NotFound")) throw failure;
  }
  const node = { apiVersion: "parasaus.io/v1", kind: "Node", metadata: { name: options.nodeName }, spec: {} };
  options.logger.info("node registered", { node: options.nodeName });
  return (await options.resources.create(nodeDefinition, node, writerOf(options))) as Node;
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
