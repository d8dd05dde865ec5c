import { type Clock, ParasausError, watchdog } from "../../foundation/index.ts";
import { apiVersionOf, type KubeObject, type ResourceDefinition } from "../../model/index.ts";
import type { ObjectReference, Patch, Resources, WatchEvent, WriteOptions } from "../resources.ts";
import { FIRST_EPOCH } from "../store-position.ts";
import { listQuery, objectPath, pathOf, selectionQuery, withQuery, writeQuery } from "./addresses.ts";
import { linesOf, parseEvent } from "./event-lines.ts";
import { isStatus, refusalOf } from "./failures.ts";
import { epochIn, listOf } from "./read-list.ts";
import { repeatWhenBusy } from "./repeat-when-busy.ts";
import type { Transport, TransportAnswer, TransportRequest } from "./transport.ts";

const DEFAULT_REQUEST_TIMEOUT_MS = 30_000;
// The server sends a bookmark at least every 5 s.
const DEFAULT_STALL_MS = 15_000;
const PATCH_TYPES: Readonly<Record<Patch["type"], string>> = {
  json: "application/json-patch+json",
  merge: "application/merge-patch+json",
  strategic: "application/strategic-merge-patch+json",
};

/** What the remote resources are reached with. */
export interface RemoteResourcesOptions {
  readonly transport: Transport;
  readonly clock: Clock;
  /** Longest wait for a whole answer that is no watch, milliseconds. Default 30,000. */
  readonly requestTimeoutMs?: number;
  /** A watch on which nothing arrives for this long, milliseconds, not even a bookmark, is given up. Default 15,000. */
  readonly stallMs?: number;
  /** What the caller is, for the server's log and for whom it serves first: `parasaus-agent/0.1.0`. */
  readonly userAgent?: string;
  /** Source of randomness in [0, 1). Default `Math.random`. */
  readonly random?: () => number;
}

type Request = Omit<TransportRequest, "signal" | "headers"> & { readonly headers?: Record<string, string> };

/**
 * `Resources` over the API of a Parasaus server (or of Kubernetes). Refusals arrive as the same ParasausErrors, with
 * their fields; no server: `Unavailable`; no answer in time: `Timeout`. A server that is busy is asked again when it says.
 * A watch that breaks off or stalls throws `Unavailable`, one that the server ends in good order ends: resume it, as
 * {@link followObjects} does.
 */
export function createRemoteResources(options: RemoteResourcesOptions): Resources {
  const { transport, clock, random = Math.random } = options;

  const ask = (request: Request, onWarning?: (message: string) => void) =>
    repeatWhenBusy(() => askOnce(request, onWarning), { clock, random });
  const askOnce = async (
    request: Request,
    onWarning?: (message: string) => void,
  ): Promise<{ readonly body: unknown; readonly header: TransportAnswer["header"] }> => {
    const timeoutMs = options.requestTimeoutMs ?? DEFAULT_REQUEST_TIMEOUT_MS;
    const giveUp = new AbortController();
    using _watchdog = watchdog(options.clock, timeoutMs, () =>
      giveUp.abort(
        new ParasausError(
          "Timeout",
          `Cannot ${request.method} ${request.path}: no answer in ${timeoutMs} ms`,
        ),
      ),
    );
    const headers = { ...headersOf(options), ...request.headers };
    const answer = await transport.send({ ...request, headers, signal: giveUp.signal });
    const body = await readJson(answer, giveUp.signal);
    if (answer.status >= 400) throw refusalOf(answer.status, body, answer.header("retry-after"));
    for (const warning of warningsIn(answer.header("warning"))) onWarning?.(warning);
    return { body, header: answer.header };
  };
  const write = async (
    method: "POST" | "PUT" | "PATCH" | "DELETE",
    path: string,
    body: unknown,
    write: WriteOptions,
    contentType = "application/json",
  ): Promise<unknown> => {
    const headers = { "content-type": contentType, ...identityOf(write) };
    const url = withQuery(path, writeQuery(write));
    return (await ask({ method, path: url, headers, body: JSON.stringify(body) }, write.onWarning)).body;
  };

  return {
    get: async (reference) => (await ask({ method: "GET", path: objectPath(reference) })).body as KubeObject,
    list: async (definition, selection = {}) => {
      const path = withQuery(pathOf(definition, selection.namespace), listQuery(selection));
      const { body, header } = await ask({ method: "GET", path });
      const epoch = epochIn(header);
      return { ...listOf(body, definition), ...(epoch === undefined ? {} : { epoch }) };
    },
    create: async (definition, object, written) => {
      const namespace = (object as Partial<KubeObject> | undefined)?.metadata?.namespace;
      return (await write(
        "POST",
        pathOf(definition, namespace),
        typed(object, definition),
        written,
      )) as KubeObject;
    },
    update: async (reference, object, written) => {
      const path = objectPath(reference, written.subresource);
      return (await write("PUT", path, typed(object, reference.definition), written)) as KubeObject;
    },
    patch: async (reference, patch, written) => {
      const path = objectPath(reference, written.subresource);
      return (await write("PATCH", path, patch.body, written, PATCH_TYPES[patch.type])) as KubeObject;
    },
    delete: async (reference, removed) => {
      const { preconditions } = removed;
      const body = { apiVersion: "v1", kind: "DeleteOptions", ...(preconditions ? { preconditions } : {}) };
      return removedObject(await write("DELETE", objectPath(reference), body, removed), reference);
    },
    watch: (definition, watched) => watchRemotely(options, definition, watched),
  };
}

async function* watchRemotely(
  options: RemoteResourcesOptions,
  definition: ResourceDefinition,
  watched: Parameters<Resources["watch"]>[1],
): AsyncIterable<WatchEvent> {
  const { transport, clock, random = Math.random, stallMs = DEFAULT_STALL_MS } = options;
  const stalled = new AbortController();
  using dog = watchdog(clock, stallMs, () =>
    stalled.abort(
      new ParasausError(
        "Unavailable",
        `Cannot watch ${definition.plural}: nothing arrived for ${stallMs} ms`,
      ),
    ),
  );
  const signal = AbortSignal.any([watched.signal, stalled.signal]);
  const path = withQuery(pathOf(definition, watched.namespace), {
    watch: true,
    allowWatchBookmarks: true,
    ...selectionQuery(watched),
    resourceVersion: watched.resourceVersion,
  });
  try {
    const begin = async (): Promise<TransportAnswer> => {
      dog.feed();
      const answer = await transport.send({ method: "GET", path, headers: headersOf(options), signal });
      if (answer.status < 400) return answer;
      throw refusalOf(answer.status, await readJson(answer, signal), answer.header("retry-after"));
    };
    const answer = await repeatWhenBusy(begin, { clock, random, signal });
    watched.onEpoch?.(epochIn(answer.header) ?? FIRST_EPOCH);
    for await (const line of linesOf(answer.body)) {
      dog.feed();
      const event = parseEvent(line, definition.kind);
      if (event.type !== "BOOKMARK" || watched.bookmarks) yield event;
    }
  } catch (failure) {
    if (watched.signal.aborted) return;
    if (stalled.signal.aborted) throw stalled.signal.reason;
    throw asUnavailable(failure, `Cannot watch ${definition.plural}`);
  }
}

async function readJson(answer: TransportAnswer, signal: AbortSignal): Promise<unknown> {
  const chunks: Uint8Array[] = [];
  try {
    for await (const chunk of answer.body) chunks.push(chunk);
  } catch (failure) {
    if (signal.aborted) throw signal.reason;
    throw asUnavailable(failure, "Cannot read the server's answer");
  }
  const text = Buffer.concat(chunks).toString();
  try {
    return JSON.parse(text);
  } catch (cause) {
    if (answer.status >= 400) return undefined;
    throw new ParasausError("Unavailable", "Cannot read the server's answer: it is no JSON", { cause });
  }
}

function asUnavailable(failure: unknown, action: string): ParasausError {
  if (failure instanceof ParasausError) return failure;
  const reason = failure instanceof Error ? failure.message : String(failure);
  return new ParasausError("Unavailable", `${action}: the connection broke (${reason})`, { cause: failure });
}

function headersOf({ userAgent }: RemoteResourcesOptions): Record<string, string> {
  return { accept: "application/json", ...(userAgent === undefined ? {} : { "user-agent": userAgent }) };
}

function identityOf({ operator, reason }: WriteOptions): Record<string, string> {
  return {
    "x-parasaus-operator": operator,
    ...(reason === undefined ? {} : { "x-parasaus-reason": reason }),
  };
}

/** An object needs its type on the wire, though the definition says it. */
function typed(object: unknown, definition: ResourceDefinition): unknown {
  if (typeof object !== "object" || object === null || Array.isArray(object)) return object;
  return { apiVersion: apiVersionOf(definition), kind: definition.kind, ...object };
}

/** Kubernetes answers a finished delete with a Status that only names the object. */
function removedObject(body: unknown, { definition, name, namespace }: ObjectReference): KubeObject {
  if (!isStatus(body)) return body as KubeObject;
  const metadata = { name, ...(namespace === undefined ? {} : { namespace }) };
  return { apiVersion: apiVersionOf(definition), kind: definition.kind, metadata };
}

function warningsIn(header: string | undefined): string[] {
  const warnings = (header ?? "").matchAll(/299 \S+ "((?:[^"\\]|\\.)*)"/g);
  return [...warnings].map(([, text = ""]) => text.replace(/\\(.)/g, "$1"));
}
