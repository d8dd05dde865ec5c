import type { ServerResponse } from "node:http";
import type { FastifyInstance } from "fastify";
import { type Clock, ParasausError } from "../../foundation/index.ts";
import type { NodeAnswer } from "../../model/index.ts";
import { createRequestHub, type RequestHub, type RequestSink } from "./request-hub.ts";

const KEEP_ALIVE_MS = 5_000;
/** An answer may carry the counters of 70,000 members. */
const ANSWER_LIMIT_BYTES = 64 * 1024 * 1024;
/** A stream whose agent reads nothing is ended when so much waits for it. */
const BACKLOG_LIMIT_BYTES = 1024 * 1024;

/** The server's end of the agents' request streams. */
export interface NodeRequests extends Pick<RequestHub, "ask" | "askAll" | "connectedNodes"> {
  /** For `createHttpServer`: `/internal/v1/nodes/NAME/requests` and `/internal/v1/nodes/NAME/answers/ID`. */
  readonly routes: (app: FastifyInstance) => void;
}

/** Makes the server's end of the agents' request streams: agents dial in, everybody else asks through it. */
export function createNodeRequests({ clock }: { readonly clock: Clock }): NodeRequests {
  const hub = createRequestHub(clock);
  return {
    ask: hub.ask,
    askAll: hub.askAll,
    connectedNodes: hub.connectedNodes,
    routes: (app) => {
      const closing = new AbortController();
      app.addHook("preClose", async () => {
        closing.abort();
        hub.close();
      });
      void keepAlive(hub, clock, closing.signal);
      addRequestRoute(app, hub);
      addAnswerRoute(app, hub);
    },
  };
}

async function keepAlive(hub: RequestHub, clock: Clock, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    await clock.sleep(KEEP_ALIVE_MS, signal).catch(() => undefined);
    if (!signal.aborted) hub.keepAlive();
  }
}

function addRequestRoute(app: FastifyInstance, hub: RequestHub): void {
  app.get<{ Params: { node: string } }>("/internal/v1/nodes/:node/requests", (request, reply) => {
    reply.hijack();
    const response = reply.raw;
    response.writeHead(200, { "content-type": "application/jsonl", "cache-control": "no-store" });
    response.write("\n");
    const disconnect = hub.connect(request.params.node, sinkOf(response));
    response.once("close", disconnect);
  });
}

function sinkOf(response: ServerResponse): RequestSink {
  return {
    write(line) {
      if (response.writableLength > BACKLOG_LIMIT_BYTES) response.destroy();
      else response.write(line);
    },
    end: () => response.end(),
  };
}

function addAnswerRoute(app: FastifyInstance, hub: RequestHub): void {
  app.post<{ Params: { node: string; id: string }; Body: Buffer }>(
    "/internal/v1/nodes/:node/answers/:id",
    { bodyLimit: ANSWER_LIMIT_BYTES },
    async (request) => {
      const isExpected = hub.receive(request.params.node, request.params.id, readAnswer(request.body));
      return { isExpected };
    },
  );
}

function readAnswer(body: Buffer): NodeAnswer {
  let answer: unknown;
  try {
    answer = JSON.parse(body.toString("utf8"));
  } catch (cause) {
    throw new ParasausError("BadRequest", "Cannot take the answer: it is no JSON", { cause });
  }
  const kind = (answer as NodeAnswer | null)?.kind;
  if (kind !== "answered" && kind !== "failed") {
    throw new ParasausError(
      "BadRequest",
      'Cannot take the answer: its kind is neither "answered" nor "failed"',
    );
  }
  return answer as NodeAnswer;
}
