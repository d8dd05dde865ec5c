import { type Clock, hasCode, type Logger } from "../../foundation/index.ts";
import { isReadyUnknown, type Node, nodeDefinition, withReadyUnknown } from "../../model/index.ts";
import type { Resources } from "../../resources/index.ts";
import type { NodeHeartbeats } from "../../resources/local/index.ts";

/** How often it is looked whether nodes were heard of, milliseconds. */
const LOOK_MS = 5_000;
/** A node of which nothing new was written down for longer is lost: 30 s, and the 10 s in which it is written down, milliseconds. */
const SILENT_MS = 40_000;
const WRITE = { operator: "system:node-silence", subresource: "status" } as const;

/** What looking for silent nodes needs. */
export interface NodeSilenceOptions {
  readonly resources: Pick<Resources, "list" | "update">;
  /** As they are written down. */
  readonly heartbeats: () => Promise<NodeHeartbeats>;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly signal: AbortSignal;
}

/**
 * Writes into each Node that falls silent, once, that its `Ready` is Unknown, so that watches see it, until the signal aborts.
 * The agent writes its Node anew when it finds that there.
 */
export async function watchNodeSilence(options: NodeSilenceOptions): Promise<void> {
  const { clock, logger, signal } = options;
  let listener = new Listener(options);
  while (!signal.aborted) {
    try {
      await listener.look();
    } catch (error) {
      // Nodes cannot be heard of while the store is away: that they were not says nothing.
      listener = new Listener(options);
      if (!signal.aborted) logger.debug("nodes not looked at", { error });
    }
    await clock.sleep(LOOK_MS, signal).catch(() => undefined);
  }
}

/** When a node's last heartbeat was first seen: by the monotonic clock here, so that no wall clock makes a node silent. */
interface Heard {
  readonly atMs: number;
  readonly seenMs: number;
}

class Listener {
  readonly #options: NodeSilenceOptions;
  readonly #heard = new Map<string, Heard>();

  constructor(options: NodeSilenceOptions) {
    this.#options = options;
  }

  async look(): Promise<void> {
    const { resources, heartbeats, clock } = this.#options;
    const { items } = await resources.list(nodeDefinition);
    const written = await heartbeats();
    const nowMs = clock.monotonicMs();
    for (const node of items as readonly Node[]) {
      const { name } = node.metadata;
      const atMs = Math.max(Date.parse(node.status?.heartbeat ?? "") || 0, written.get(name)?.atMs ?? 0);
      const before = this.#heard.get(name);
      const heard = before?.atMs === atMs ? before : { atMs, seenMs: nowMs };
      this.#heard.set(name, heard);
      if (nowMs - heard.seenMs > SILENT_MS) await this.#declareSilent(node, atMs);
    }
  }

  async #declareSilent(node: Node, atMs: number): Promise<void> {
    const { resources, clock, logger } = this.#options;
    const { name } = node.metadata;
    const { conditions = [] } = node.status ?? {};
    if (isReadyUnknown(conditions) || !conditions.some(({ type }) => type === "Ready")) return;
    const status = { ...node.status, conditions: withReadyUnknown(conditions, atMs, clock.now()) };
    try {
      await resources.update({ definition: nodeDefinition, name }, { ...node, status } as Node, WRITE);
      logger.warn("node is silent", { node: name, heardAt: new Date(atMs).toISOString() });
    } catch (failure) {
      // Somebody has written the Node meanwhile, its agent perhaps, or deleted it.
      if (!hasCode(failure, "Conflict") && !hasCode(failure, "NotFound")) throw failure;
    }
  }
}
