import { backoffMs, type Clock, type Logger } from "../foundation/index.ts";
import type { NodeAnswer, NodeRequest } from "../model/index.ts";

/** One request as it comes over the stream. */
export interface NumberedRequest {
  readonly id: string;
  readonly request: NodeRequest;
}

/** The way to a server for requests: the agent dials out, nobody dials it. */
export interface NodeRequestTransport {
  /** Opens the stream. Ends when the server ends it or the signal aborts; throws when it breaks. */
  open(nodeName: string, signal: AbortSignal): AsyncIterable<NumberedRequest>;
  answer(nodeName: string, id: string, answer: NodeAnswer): Promise<void>;
}

/** What the loop works with. */
export interface ServeRequestsOptions {
  readonly transport: NodeRequestTransport;
  readonly nodeName: string;
  readonly answer: (request: NodeRequest) => Promise<NodeAnswer>;
  readonly clock: Clock;
  readonly logger: Logger;
  /** In [0, 1), for the back-off. */
  readonly random: () => number;
  readonly signal: AbortSignal;
}

/** Keeps a request stream open to a server and answers what comes, until the signal aborts. */
export async function serveRequests(options: ServeRequestsOptions): Promise<void> {
  const { signal, transport, nodeName, logger, clock } = options;
  for (let attempt = 0; !signal.aborted; attempt += 1) {
    try {
      for await (const { id, request } of transport.open(nodeName, signal)) {
        attempt = 0;
        // Not awaited: a slow answer must not delay the next one.
        void answerOne(options, id, request);
      }
    } catch (error) {
      if (!signal.aborted) logger.debug("request stream broke off, retrying", { node: nodeName, error });
    }
    const waitMs = backoffMs(attempt, { baseMs: 500, maxMs: 5_000, random: options.random });
    await clock.sleep(waitMs, signal).catch(() => undefined);
  }
}

async function answerOne(options: ServeRequestsOptions, id: string, request: NodeRequest): Promise<void> {
  try {
    await options.transport.answer(options.nodeName, id, await options.answer(request));
  } catch (error) {
    options.logger.debug("answer could not be delivered", { node: options.nodeName, error });
  }
}
