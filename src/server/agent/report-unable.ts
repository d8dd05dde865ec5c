import { type Clock, hasCode, type Logger, VERSION } from "../../foundation/index.ts";
import { nodeDefinition } from "../../model/index.ts";
import type { Resources } from "../../resources/index.ts";

/** A node that cannot forward. */
export interface UnableNode {
  readonly resources: Resources;
  readonly nodeName: string;
  /** Why, as a sentence for operators. */
  readonly reason: string;
  readonly clock: Clock;
  readonly log: Logger;
  readonly signal: AbortSignal;
}

const HEARTBEAT_MS = 10_000;
const RETRY_MS = 1000;

/** Keeps telling in the Node why this machine forwards nothing, until the signal aborts. */
export async function reportUnable(node: UnableNode): Promise<void> {
  const { clock, signal, log } = node;
  const since = `${clock.now().toISOString().slice(0, 19)}Z`;
  while (!signal.aborted) {
    let waitMs = HEARTBEAT_MS;
    try {
      await write(node, since);
    } catch (error) {
      log.debug("node could not be reported", { error });
      waitMs = RETRY_MS;
    }
    await clock.sleep(waitMs, signal).catch(() => undefined);
  }
}

async function write({ resources, nodeName, reason, clock }: UnableNode, since: string): Promise<void> {
  const reference = { definition: nodeDefinition, name: nodeName };
  const writer = { operator: `system:node:${nodeName}` };
  const ready = {
    type: "Ready",
    status: "False",
    reason: "CannotForward",
    message: reason,
    lastTransitionTime: since,
  };
  const status = {
    driver: "none",
    version: VERSION,
    poolCount: 0,
    heartbeat: clock.now().toISOString(),
    conditions: [ready],
  };
  const write = () =>
    resources.patch(reference, { type: "merge", body: { status } }, { ...writer, subresource: "status" });
  try {
    await write();
  } catch (failure) {
    if (!hasCode(failure, "NotFound")) throw failure;
    const object = { apiVersion: "parasaus.io/v1", kind: "Node", metadata: { name: nodeName }, spec: {} };
    await resources.create(nodeDefinition, object, writer);
    await write();
  }
}
