import { randomUUID } from "node:crypto";
import type { Clock } from "../../foundation/index.ts";
import type { NodeAnswer, NodeAnswers, NodeRequest, NodeRequestKind } from "../../model/index.ts";

/** An answer is worth waiting for so long, milliseconds. */
const ANSWER_TIMEOUT_MS = 1_000;

/** What all nodes answered, and who did not. */
export interface CollectedAnswers<Kind extends NodeRequestKind> {
  readonly answers: readonly { readonly node: string; readonly value: NodeAnswers[Kind] }[];
  /** Nodes that are not connected, did not answer within 1 s, or failed to. */
  readonly silentNodes: readonly string[];
}

/** One request of a kind. */
type RequestOf<Kind extends NodeRequestKind> = Extract<NodeRequest, { readonly kind: Kind }>;

/** Where a node's requests are written to. */
export interface RequestSink {
  write(line: string): void;
  end(): void;
}

/** Connects askers in this server with the agents that keep a request stream open to it. */
export interface RequestHub {
  /** Names of the nodes that are connected now, in order. */
  connectedNodes(): readonly string[];
  /** Asks one node. @returns undefined when it is not connected or does not answer within 1 s */
  ask<Kind extends NodeRequestKind>(
    nodeName: string,
    request: RequestOf<Kind>,
  ): Promise<NodeAnswer<Kind> | undefined>;
  /** Asks several nodes at once; by default all that are connected. */
  askAll<Kind extends NodeRequestKind>(
    request: RequestOf<Kind>,
    nodeNames?: readonly string[],
  ): Promise<CollectedAnswers<Kind>>;
  /** A node's agent has opened a stream; an older one of the same node ends. @returns what to call when it ends */
  connect(nodeName: string, sink: RequestSink): () => void;
  /** A node's agent answers. @returns false when nobody waits for it (any more) */
  receive(nodeName: string, id: string, answer: NodeAnswer): boolean;
  /** Writes an empty line to every stream, so that agents notice a dead one. */
  keepAlive(): void;
  /** Ends every stream. */
  close(): void;
}

interface Waiting {
  readonly nodeName: string;
  readonly resolve: (answer: NodeAnswer | undefined) => void;
}

/** Makes a hub without connections. */
export function createRequestHub(clock: Clock): RequestHub {
  const sinks = new Map<string, RequestSink>();
  const waiting = new Map<string, Waiting>();

  async function ask(nodeName: string, request: NodeRequest): Promise<NodeAnswer | undefined> {
    const sink = sinks.get(nodeName);
    if (!sink) return undefined;
    const id = randomUUID();
    const timer = new AbortController();
    const answer = new Promise<NodeAnswer | undefined>((resolve) => {
      waiting.set(id, { nodeName, resolve });
      clock.sleep(ANSWER_TIMEOUT_MS, timer.signal).then(
        () => resolve(undefined),
        () => undefined,
      );
    });
    sink.write(`${JSON.stringify({ id, request })}\n`);
    try {
      return await answer;
    } finally {
      timer.abort();
      waiting.delete(id);
    }
  }

  const connectedNodes = () => [...sinks.keys()].sort();
  const askTyped = ask as RequestHub["ask"];
  return {
    connectedNodes,
    ask: askTyped,
    async askAll(request, nodeNames = connectedNodes()) {
      const replies = await Promise.all(
        nodeNames.map(async (node) => ({ node, answer: await askTyped(node, request) })),
      );
      return {
        answers: replies.flatMap(({ node, answer }) =>
          answer?.kind === "answered" ? [{ node, value: answer.value }] : [],
        ),
        silentNodes: replies.filter(({ answer }) => answer?.kind !== "answered").map(({ node }) => node),
      };
    },
    connect(nodeName, sink) {
      sinks.get(nodeName)?.end();
      sinks.set(nodeName, sink);
      return () => {
        if (sinks.get(nodeName) !== sink) return;
        sinks.delete(nodeName);
        for (const { nodeName: asked, resolve } of waiting.values())
          if (asked === nodeName) resolve(undefined);
      };
    },
    receive(nodeName, id, answer) {
      const asked = waiting.get(id);
      if (asked?.nodeName !== nodeName) return false;
      asked.resolve(answer);
      return true;
    },
    keepAlive() {
      for (const sink of sinks.values()) sink.write("\n");
    },
    close() {
      for (const sink of sinks.values()) sink.end();
      sinks.clear();
    },
  };
}
