import { setMaxListeners } from "node:events";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { type Clock, ParasausError } from "../../foundation/index.ts";
import { maySeeOperation, type SeenOperation } from "../access/operation-sight.ts";
import { mayDo } from "../access/permit.ts";
import { failureStatus, toRefusal } from "../http/status.ts";
import { PacedResponse } from "../kube/paced-response.ts";

/** A stream says at least an empty line so often, milliseconds, so that a browser notices a dead one. */
const KEEP_ALIVE_MS = 5_000;
/** What changes faster is shown together, milliseconds. */
const SHORTEST_PAUSE_MS = 250;
/** A view that takes long to make is made so many times its own duration later, so that readers cannot fill a processor. */
const PAUSE_FACTOR = 10;
const SLOW_CLIENT_MS = 15_000;

/** What somebody may see. */
export interface Sight {
  /** The pools of a namespace. */
  readonly pools: (namespace: string) => boolean;
  /** All objects of a kind that belongs to the whole cluster: `nodes.parasaus.io`. */
  readonly cluster: (resource: string) => boolean;
  readonly operation: (operation: SeenOperation) => boolean;
  readonly account: (name: string) => boolean;
  readonly token: (name: string) => boolean;
  /** What RoleBindings of a namespace say of an account: everybody may know what he may. */
  readonly binding: (namespace: string, account: string) => boolean;
}

/** What one request asks of a view. */
export interface ViewQuestion {
  readonly path: Readonly<Record<string, string>>;
  readonly query: Readonly<Record<string, string | undefined>>;
  /** What who asks may see, as he is known at this moment. */
  readonly sight: Sight;
}

/** Something that the console shows: one JSON value, read once or followed. */
export interface View {
  /** `/api/console/pools/:namespace/:name`. */
  readonly url: string;
  /** @throws ParasausError which the reader gets as a Status */
  readonly read: (question: ViewQuestion) => unknown;
  /** Calls back after every change that may matter; returns what ends that. */
  readonly onChange: (listener: () => void) => () => void;
  /** What is not told of is looked at so often, milliseconds; absent: everything is told. */
  readonly periodMs?: number;
}

/**
 * Serves views: `GET` answers with the value; with `?watch=true` the answer is a line of JSON, and another one whenever
 * the value is a different one. A value that cannot be read any more ends it with `{"kind":"Status",…}`.
 */
export function viewRoutes(views: readonly View[], clock: Clock): (app: FastifyInstance) => void {
  return (app) => {
    const closing = new AbortController();
    setMaxListeners(0, closing.signal);
    app.addHook("preClose", async () => closing.abort());
    for (const view of views) {
      app.get(view.url, async (request, reply) => {
        reply.header("cache-control", "no-store");
        const question = questionOf(request);
        if (question.query["watch"] !== "true") return view.read(question);
        return await follow(view, question, reply, { clock, closing: closing.signal });
      });
    }
  };
}

function questionOf(request: FastifyRequest): ViewQuestion {
  const { params, query } = request;
  const given = Object.entries(query as Readonly<Record<string, string | readonly string[]>>);
  const repeated = given.find(([, value]) => typeof value !== "string");
  if (repeated)
    throw new ParasausError("BadRequest", `Cannot read the query: "${repeated[0]}" is given twice`);
  const mayGet = (resource: string, name: string) =>
    mayDo(request, { kind: "object", verb: "get", resource, name });
  const isOwn = (account: string) => request.identity.kind === "account" && request.identity.name === account;
  const mayList = (resource: string, place: { readonly namespace?: string } = {}) =>
    mayDo(request, { kind: "object", verb: "list", resource, ...place });
  return {
    sight: {
      pools: (namespace) => mayList("pools.parasaus.io", { namespace }),
      cluster: (resource) => mayList(resource),
      operation: (operation) => maySeeOperation(request, operation),
      account: (name) => mayGet("accounts.parasaus.io", name),
      token: (name) => mayGet("apitokens.parasaus.io", name),
      binding: (namespace, account) => isOwn(account) || mayList("rolebindings.parasaus.io", { namespace }),
    },
    path: params as Readonly<Record<string, string>>,
    query: Object.fromEntries(given as readonly (readonly [string, string])[]),
  };
}

interface FollowSurroundings {
  readonly clock: Clock;
  readonly closing: AbortSignal;
}

async function follow(
  view: View,
  question: ViewQuestion,
  reply: FastifyReply,
  { clock, closing }: FollowSurroundings,
): Promise<void> {
  // Before the answer's head, so that a refusal has its own status code.
  let shown = JSON.stringify(await view.read(question));
  const response = new PacedResponse(reply, { slowClientMs: SLOW_CLIENT_MS, onDropped: () => undefined });
  const ended = new AbortController();
  reply.raw.once("close", () => ended.abort());
  const signal = AbortSignal.any([closing, ended.signal]);
  const changes = createAlarm(view, clock, signal);
  response.begin({ "content-type": "application/jsonl" });
  response.write(`${shown}\n`);
  try {
    while (await changes.next()) {
      const startedMs = clock.monotonicMs();
      const value = JSON.stringify(await view.read(question));
      response.write(value === shown ? "\n" : `${value}\n`);
      shown = value;
      await response.ready();
      const tookMs = clock.monotonicMs() - startedMs;
      await pause(clock, Math.max(SHORTEST_PAUSE_MS, tookMs * PAUSE_FACTOR), signal);
    }
  } catch (failure) {
    response.write(`${JSON.stringify(failureStatus(toRefusal(failure)))}\n`);
  } finally {
    changes.end();
    response.end();
  }
}

function pause(clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
  return clock.sleep(ms, signal).catch(() => undefined);
}

interface Alarm {
  /** Resolves to true when it is time to read again, to false when it is over. */
  next(): Promise<boolean>;
  end(): void;
}

function createAlarm(view: View, clock: Clock, signal: AbortSignal): Alarm {
  let isDue = false;
  let wake: (() => void) | undefined;
  const stop = view.onChange(() => {
    isDue = true;
    wake?.();
  });
  const periodMs = Math.min(view.periodMs ?? KEEP_ALIVE_MS, KEEP_ALIVE_MS);
  return {
    async next() {
      if (!isDue && !signal.aborted) {
        const timer = new AbortController();
        const told = new Promise<void>((resolve) => {
          wake = resolve;
        });
        await Promise.race([told, pause(clock, periodMs, AbortSignal.any([signal, timer.signal]))]);
        timer.abort();
      }
      isDue = false;
      return !signal.aborted;
    },
    end: stop,
  };
}
