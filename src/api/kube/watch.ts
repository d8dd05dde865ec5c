import type { FastifyReply, FastifyRequest } from "fastify";
import { ParasausError } from "../../foundation/index.ts";
import type { KubeObject, ResourceDefinition } from "../../model/index.ts";
import type { Resources, Selection, WatchEvent } from "../../resources/index.ts";
import type { Encoder } from "./encoder.ts";
import type { ListQueue, Seat } from "./list-queue.ts";
import { waitForTurn } from "./list-turn.ts";
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
  /** In which large lists wait for their turn. */
  readonly lists: ListQueue;
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
    const start = readStart(query);
    using seat = start.isList
      ? await waitForTurn(request, reply, { ...context, options: selection })
      : noSeat();
    const { resourceVersion, prologue } = start.isList
      ? await streamedList(selection, context, representation, start)
      : { resourceVersion: start.resourceVersion, prologue: [] };
    const watch = context.resources.watch(context.definition, {
      ...selection,
      resourceVersion,
      ...(isSet(query, "allowWatchBookmarks") ? { bookmarks: true } : {}),
      signal: end.signal,
    });
    const events = watch[Symbol.asyncIterator]();
    const first = events.next();
    await settledOrNextTurn(first);
    const response = new PacedResponse(reply, {
      slowClientMs: context.slowClientMs,
      onDropped: () => context.onSlowClient("watch", request),
      onHesitation: () => seat[Symbol.dispose](),
    });
    response.begin({ "cache-control": "no-cache, private" });
    context.onWatchers(1);
    const encode = (event: WatchEvent): Buffer => context.encoder.event(event, representation);
    const onPrologueSent = () => seat[Symbol.dispose]();
    await streamWatch({ response, events, encode, prologue, onPrologueSent, signal: end.signal }, first);
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

/** How a watch begins. */
interface WatchStart {
  readonly resourceVersion: string;
  /** First everything that exists. */
  readonly isList: boolean;
  /** The list ends with the bookmark that clients wait for who list by watching. */
  readonly hasListEnd: boolean;
  readonly hasBookmarks: boolean;
}

function readStart(query: ReadonlyMap<string, string>): WatchStart {
  const resourceVersion = query.get("resourceVersion") ?? "";
  if (resourceVersion !== "" && !EXPECTED_REVISION.test(resourceVersion)) {
    throw new ParasausError(
      "BadRequest",
      `Cannot watch: resourceVersion "${resourceVersion}" is no revision`,
    );
  }
  const hasListEnd = isSet(query, "sendInitialEvents");
  const isList = hasListEnd || /^0*$/.test(resourceVersion);
  return { resourceVersion, isList, hasListEnd, hasBookmarks: isSet(query, "allowWatchBookmarks") };
}

/** What exists as events, and where the watch goes on behind it. */
async function streamedList(
  selection: Selection,
  { resources, definition, encoder }: WatchContext,
  representation: Representation,
  { hasListEnd, hasBookmarks }: WatchStart,
): Promise<{ readonly resourceVersion: string; readonly prologue: Iterable<Buffer> }> {
  const { items, resourceVersion } = await resources.list(definition, selection);
  function* prologue(): Generator<Buffer> {
    for (const object of items) yield encoder.event({ type: "ADDED", object }, representation);
    if (hasListEnd) yield encoder.initialEventsEnd(resourceVersion, representation);
    else if (hasBookmarks) yield encoder.event({ type: "BOOKMARK", resourceVersion }, representation);
  }
  return { resourceVersion, prologue: prologue() };
}

function noSeat(): Seat {
  return { [Symbol.dispose]: () => undefined };
}

/** Rejects when `first` does so before the event loop turns; else leaves it to the stream. */
async function settledOrNextTurn(first: Promise<unknown>): Promise<void> {
  const turn = new Promise<void>((resolve) => {
    setImmediate(resolve);
  });
  await Promise.race([first, turn]);
}
