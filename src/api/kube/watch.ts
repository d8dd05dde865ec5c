import type { FastifyReply, FastifyRequest } from "fastify";
import { ParasausError } from "../../foundation/index.ts";
import type { KubeObject, ResourceDefinition } from "../../model/index.ts";
import type { Resources, Selection, WatchEvent } from "../../resources/index.ts";
import type { Encoder } from "./encoder.ts";
import { PacedResponse } from "./paced-response.ts";
import { isSet, queryOf, selectionOf, wholeNumber } from "./query.ts";
import type { Representation } from "./representation.ts";
import { streamWatch } from "./watch-stream.ts";

// Like Kubernetes: streams without a deadline of their own end after 30 to 60 minutes, so that clients spread anew.
const MIN_WATCH_SECONDS = 1_800;
const MAX_WATCH_SECONDS = 86_400;
const EXPECTED_REVISION = /^\d{1,19}$/;

/** What the watch endpoint needs. */
export interface WatchContext {
  readonly resources: Resources;
  readonly definition: ResourceDefinition;
  readonly encoder: Encoder;
  /** Joins what is not stored into an object that is read by itself. */
  readonly decorate: (object: KubeObject) => Promise<KubeObject>;
  /** Aborts when the server closes. */
  readonly closing: AbortSignal;
  /** A client that reads nothing for this long, milliseconds, is dropped. */
  readonly slowClientMs: number;
  /** Source of randomness in [0, 1). */
  readonly random: () => number;
  /** Told +1 when a watch opens and -1 when it ends. */
  readonly onWatchers: (change: 1 | -1) => void;
  /** Told when a client is dropped because it does not read its answer. */
  readonly onSlowClient: (verb: "list" | "watch", request: FastifyRequest) => void;
}

/**
 * Serves one watch. The first step of the watch is begun before the answer's head is written, so that a request that
 * cannot be served at all is refused with a proper status.
 *
 * @throws ParasausError `BadRequest` for a malformed revision, and whatever the watch throws at once
 */
export async function serveWatch(
  request: FastifyRequest,
  reply: FastifyReply,
  context: WatchContext,
  namespace: string | undefined,
  representation: Representation,
): Promise<void> {
  const query = queryOf(request);
  const end = endOf(reply, context, wholeNumber(query, "timeoutSeconds"));
  try {
    const selection = selectionOf(query, namespace);
    const { resourceVersion, prologue } = await startOf(query, selection, context, representation);
    const watch = context.resources.watch(context.definition, {
      ...selection,
      ...(resourceVersion === undefined ? {} : { resourceVersion }),
      ...(isSet(query, "allowWatchBookmarks") ? { bookmarks: true } : {}),
      signal: end.signal,
    });
    const events = watch[Symbol.asyncIterator]();
    const first = events.next();
    await settledOrNextTurn(first);
    const response = new PacedResponse(reply, {
      slowClientMs: context.slowClientMs,
      onDropped: () => context.onSlowClient("watch", request),
    });
    response.begin({ "cache-control": "no-cache, private" });
    context.onWatchers(1);
    const encode = (event: WatchEvent): Buffer => context.encoder.event(event, representation);
    await streamWatch({ response, events, encode, prologue, signal: end.signal }, first);
    context.onWatchers(-1);
  } finally {
    end[Symbol.dispose]();
  }
}

/** A signal that aborts when the time is up, the server closes or the client goes. */
function endOf(
  reply: FastifyReply,
  { closing, random }: WatchContext,
  timeoutSeconds = MIN_WATCH_SECONDS * (1 + random()),
): Disposable & { readonly signal: AbortSignal } {
  const end = new AbortController();
  const stop = (): void => end.abort();
  const timer = setTimeout(
    stop,
    Math.round(Math.max(1, Math.min(timeoutSeconds, MAX_WATCH_SECONDS)) * 1_000),
  );
  closing.addEventListener("abort", stop);
  reply.raw.once("close", stop);
  return {
    signal: end.signal,
    [Symbol.dispose]: () => {
      clearTimeout(timer);
      closing.removeEventListener("abort", stop);
      stop();
    },
  };
}

interface WatchStart {
  /** Absent: the watch delivers what exists first. */
  readonly resourceVersion?: string;
  readonly prologue: Iterable<Buffer>;
}

async function startOf(
  query: ReadonlyMap<string, string>,
  selection: Selection,
  context: WatchContext,
  representation: Representation,
): Promise<WatchStart> {
  const resourceVersion = query.get("resourceVersion") ?? "";
  if (resourceVersion !== "" && !EXPECTED_REVISION.test(resourceVersion)) {
    throw new ParasausError(
      "BadRequest",
      `Cannot watch: resourceVersion "${resourceVersion}" is no revision`,
    );
  }
  if (isSet(query, "sendInitialEvents")) return streamedList(selection, context, representation);
  return resourceVersion === "" ? { prologue: [] } : { resourceVersion, prologue: [] };
}

/** A list as events and the bookmark that ends it, for clients that list by watching. */
async function streamedList(
  selection: Selection,
  { resources, definition, encoder }: WatchContext,
  representation: Representation,
): Promise<WatchStart> {
  const { items, resourceVersion } = await resources.list(definition, selection);
  function* prologue(): Generator<Buffer> {
    for (const object of items) yield encoder.event({ type: "ADDED", object }, representation);
    yield encoder.initialEventsEnd(resourceVersion, representation);
  }
  return { resourceVersion, prologue: prologue() };
}

/** Rejects when `first` does so before the event loop turns; else leaves it to the stream. */
async function settledOrNextTurn(first: Promise<unknown>): Promise<void> {
  const turn = new Promise<void>((resolve) => {
    setImmediate(resolve);
  });
  await Promise.race([first, turn]);
}
