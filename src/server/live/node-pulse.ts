import type { NodeRequests } from "../../api/index.ts";
import type { Clock, Logger } from "../../foundation/index.ts";
import { type AgentStatus, type NodeAnswer, nodeDefinition } from "../../model/index.ts";
import type { Resources } from "../../resources/index.ts";
import {
  mergeHeartbeats,
  type NodeHeartbeat,
  type NodeHeartbeats,
  readHeartbeats,
  writeHeartbeats,
} from "../../resources/local/index.ts";
import type { Store } from "../../store/index.ts";

/** Every connected node is asked once in so long, and all are written down once in so long, milliseconds. */
const PERIOD_MS = 10_000;
/** A few are asked at a time, milliseconds apart: a node that has just come among the first. */
const TURN_MS = 250;

/** When nodes were last heard of, and what they said. */
export interface NodePulse {
  /** The last heartbeat of each node, whichever server heard it. */
  heartbeats(): Promise<NodeHeartbeats>;
  /** Resolves after the signal has aborted. */
  readonly ended: Promise<void>;
}

/** The nodes' request streams, as far as a heartbeat needs them. */
export interface AskedNodes extends Pick<NodeRequests, "connectedNodes"> {
  /** @returns undefined when the node is not connected or does not answer */
  ask(nodeName: string, request: { readonly kind: "status" }): Promise<NodeAnswer<"status"> | undefined>;
}

/** What asking the nodes needs. */
export interface NodePulseOptions {
  readonly nodes: AskedNodes;
  readonly store: Pick<Store, "get" | "transact">;
  readonly resources: Pick<Resources, "list">;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly signal: AbortSignal;
}

/**
 * Asks every connected node how it is, time and again, and writes down for all of them at once what they said: one write
 * in ten seconds, however many nodes there are.
 */
export function startNodePulse(options: NodePulseOptions): NodePulse {
  const pulse = new Pulse(options);
  const ended = Promise.all([pulse.askInTurn(), pulse.writeInTurn()]).then(() => undefined);
  return { heartbeats: () => pulse.heartbeats(), ended };
}

class Pulse {
  readonly #options: NodePulseOptions;
  /** When each connected node was asked last, monotonic milliseconds. */
  readonly #askedMs = new Map<string, number>();
  readonly #heard = new Map<string, NodeHeartbeat>();

  constructor(options: NodePulseOptions) {
    this.#options = options;
  }

  async heartbeats(): Promise<NodeHeartbeats> {
    return mergeHeartbeats(await readHeartbeats(this.#options.store), this.#heard);
  }

  async askInTurn(): Promise<void> {
    const { clock, signal } = this.#options;
    while (!signal.aborted) {
      for (const name of this.#due()) void this.#ask(name);
      await clock.sleep(TURN_MS, signal).catch(() => undefined);
    }
  }

  async writeInTurn(): Promise<void> {
    const { clock, logger, signal } = this.#options;
    while (!signal.aborted) {
      await clock.sleep(PERIOD_MS, signal).catch(() => undefined);
      if (signal.aborted || this.#heard.size === 0) continue;
      await this.#writeDown().catch((error: unknown) => logger.warn("heartbeats not written", { error }));
    }
  }

  /** Whose turn it is: at most as many as bring everybody in within the period, first those that waited longest. */
  #due(): readonly string[] {
    const { nodes, clock } = this.#options;
    const names = nodes.connectedNodes();
    const connected = new Set(names);
    for (const each of [this.#askedMs, this.#heard])
      for (const name of each.keys()) if (!connected.has(name)) each.delete(name);
    const lastMs = (name: string) => this.#askedMs.get(name) ?? Number.NEGATIVE_INFINITY;
    const latestMs = clock.monotonicMs() - PERIOD_MS;
    return names
      .filter((name) => lastMs(name) <= latestMs)
      .sort((a, b) => lastMs(a) - lastMs(b))
      .slice(0, Math.ceil((names.length * TURN_MS) / PERIOD_MS));
  }

  async #ask(name: string): Promise<void> {
    const { nodes, clock } = this.#options;
    this.#askedMs.set(name, clock.monotonicMs());
    const answer = await nodes.ask(name, { kind: "status" });
    if (answer?.kind !== "answered" || !this.#askedMs.has(name)) return;
    this.#heard.set(name, heartbeatOf(answer.value, clock.now().getTime()));
  }

  async #writeDown(): Promise<void> {
    const { resources, store } = this.#options;
    const { items } = await resources.list(nodeDefinition);
    const known = new Set(items.map(({ metadata }) => metadata.name));
    await writeHeartbeats(store, this.#heard, (name) => known.has(name));
  }
}

function heartbeatOf(status: AgentStatus, atMs: number): NodeHeartbeat {
  const { epoch, appliedRevision, tableHash, poolCount, flowEntryCount, cpuPercent } = status;
  return {
    ...{ atMs, tableHash, poolCount },
    ...(epoch === undefined ? {} : { epoch }),
    ...(appliedRevision === undefined ? {} : { appliedRevision }),
    ...(flowEntryCount === undefined ? {} : { flowEntryCount }),
    ...(cpuPercent === undefined ? {} : { cpuPercent }),
  };
}
