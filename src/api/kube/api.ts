import { setMaxListeners } from "node:events";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { type Clock, ParasausError } from "../../foundation/index.ts";
import { eventDefinition, type KubeObject, type ResourceDefinition } from "../../model/index.ts";
import { EPOCH_HEADER, type Resources } from "../../resources/index.ts";
import { aggregatedDiscovery, coreVersions, groupDocument, groupList, resourceList } from "./discovery.ts";
import { createEncoder } from "./encoder.ts";
import { createEventResources } from "./events/event-resources.ts";
import { byGroup, rootOf } from "./groups.ts";
import { type ListClass, ListQueue } from "./list-queue.ts";
import { addOpenApiRoutes } from "./openapi/routes.ts";
import { discoveryVersionOf } from "./representation.ts";
import { createVerbs, type Verb, type Verbs } from "./verbs.ts";

const SLOW_CLIENT_MS = 15_000;
const METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"] as const;
type Method = (typeof METHODS)[number];

/** What the Kubernetes API is made of. */
export interface KubeApiOptions {
  readonly resources: Resources;
  readonly definitions: readonly ResourceDefinition[];
  readonly clock: Clock;
  /** Number of the store's epoch, which every answer about objects carries. Default 1. */
  readonly epoch?: number;
  /** Version of the program, for the OpenAPI documents. */
  readonly version: string;
  /** A client that reads nothing of a list or watch for this long, milliseconds, is dropped. Default 15,000. */
  readonly slowClientMs?: number;
  /** Source of randomness in [0, 1). Default `Math.random`. */
  readonly random?: () => number;
  /**
   * Joins what is not stored (probe counts, which nodes hold it) into an object that is read by itself. Lists and
   * watches show what is stored, so that joining causes no events.
   */
  readonly decorate?: (object: KubeObject) => Promise<KubeObject>;
  /** Joins what is not stored into the rows of tables, lists too; what is cheap to know. Default: nothing. */
  readonly joinForRow?: (object: KubeObject) => KubeObject;
  /** Told +1 when a watch opens and -1 when it ends. */
  readonly onWatchers?: (resource: string, change: 1 | -1) => void;
  /** Told when a client is dropped because it does not read its answer. */
  readonly onSlowClient?: (client: SlowClient) => void;
  /** Told when a large list is sent away because too many wait already. */
  readonly onListRefused?: (listClass: ListClass) => void;
}

/** A client that was dropped. */
export interface SlowClient {
  /** Plural of the resource that it asked for. */
  readonly resource: string;
  readonly verb: "list" | "watch";
  readonly address: string;
  readonly userAgent: string;
}

/**
 * Makes the Kubernetes API over any `Resources`: discovery, OpenAPI, and the verbs of every kind that is defined, and of
 * Events, which are worked out from the others.
 *
 * @returns routes for {@link createHttpServer}
 */
export function createKubeApi(options: KubeApiOptions): (app: FastifyInstance) => void {
  return (app) => {
    const closing = new AbortController();
    // Every open watch listens for the end.
    setMaxListeners(0, closing.signal);
    app.addHook("preClose", async () => closing.abort());
    const definitions = [...options.definitions, eventDefinition];
    const events = createEventResources(options);
    const lists = new ListQueue({
      clock: options.clock,
      onRefused: (listClass) => options.onListRefused?.(listClass),
    });
    addDiscoveryRoutes(app, definitions);
    addOpenApiRoutes(app, definitions, options.version);
    addEpochHeader(app, options.epoch ?? 1);
    for (const definition of definitions) {
      const verbs = createVerbs({
        resources: definition === eventDefinition ? events : options.resources,
        definition,
        decorate: options.decorate ?? (async (object) => object),
        encoder: createEncoder(definition, options.clock, options.joinForRow),
        lists,
        closing: closing.signal,
        slowClientMs: options.slowClientMs ?? SLOW_CLIENT_MS,
        random: options.random ?? Math.random,
        onWatchers: (change) => options.onWatchers?.(definition.plural, change),
        onSlowClient: (verb, { ip, headers }) =>
          options.onSlowClient?.({
            resource: definition.plural,
            verb,
            address: ip,
            userAgent: headers["user-agent"] ?? "",
          }),
      });
      addResourceRoutes(app, definition, verbs);
    }
  };
}

/** Set on the answer itself, so that watches, which write theirs themselves, and refusals carry it too. */
function addEpochHeader(app: FastifyInstance, epoch: number): void {
  app.addHook("onRequest", async (request, reply) => {
    const { resource } = request.routeOptions.config as { readonly resource?: string };
    if (resource !== undefined) reply.raw.setHeader(EPOCH_HEADER, String(epoch));
  });
}

function addDiscoveryRoutes(app: FastifyInstance, definitions: readonly ResourceDefinition[]): void {
  const discovery = (path: "/api" | "/apis", plain: () => unknown): void => {
    app.get(path, (request, reply) => {
      const version = discoveryVersionOf(request.headers.accept);
      if (version === undefined) return plain();
      const form = `g=apidiscovery.k8s.io;v=${version};as=APIGroupDiscoveryList`;
      reply.header("content-type", `application/json;${form}`);
      return JSON.stringify(aggregatedDiscovery(definitions, path, version));
    });
  };
  discovery("/api", coreVersions);
  discovery("/apis", () => groupList(definitions));
  for (const [group, members] of byGroup(definitions)) {
    if (group !== "") app.get(`/apis/${group}`, () => groupDocument(group));
    app.get(rootOf(group), () => resourceList(members, group === "" ? "v1" : `${group}/v1`));
  }
}

type Handlers = Partial<Record<Method, readonly [name: string, verb: Verb]>>;

function addResourceRoutes(app: FastifyInstance, definition: ResourceDefinition, verbs: Verbs): void {
  const root = rootOf(definition.group);
  const { plural, namespaced } = definition;
  const scoped = namespaced ? `${root}/namespaces/:namespace/${plural}` : `${root}/${plural}`;
  const collection: Handlers = {
    GET: ["list", verbs.list],
    POST: ["create", verbs.create],
    DELETE: ["deletecollection", verbs.removeCollection],
  };
  if (namespaced) addRoute(app, definition, `${root}/${plural}`, { GET: ["list", verbs.list] });
  addRoute(app, definition, scoped, collection);
  addRoute(app, definition, `${scoped}/:name`, {
    GET: ["get", verbs.get],
    PUT: ["update", verbs.update],
    PATCH: ["patch", verbs.patch],
    DELETE: ["delete", verbs.remove],
  });
  if (!definition.hasStatus) return;
  addRoute(app, definition, `${scoped}/:name/status`, {
    GET: ["get", verbs.get],
    PUT: ["update", verbs.updateStatus],
    PATCH: ["patch", verbs.patchStatus],
  });
}

/** Serves the methods that there are and refuses the others by name, not as if the path did not exist. */
function addRoute(
  app: FastifyInstance,
  definition: ResourceDefinition,
  url: string,
  handlers: Handlers,
): void {
  const served = METHODS.filter((method) => handlers[method] && (definition.writable || method === "GET"));
  for (const method of METHODS) {
    const [verb, handler] = served.includes(method) ? (handlers[method] ?? []) : [];
    const config = {
      verb: verb ?? "refused",
      resource: definition.plural,
      access: accessTo(definition, url),
    };
    app.route({ method, url, config, preHandler: refuseOddNames, handler: handler ?? refuseMethod(served) });
  }
}

/** `pools.parasaus.io/status`: what a request is about when it is decided whether it is allowed. */
function accessTo({ plural, group }: ResourceDefinition, url: string): string {
  const resource = group === "" ? plural : `${plural}.${group}`;
  return url.endsWith("/status") ? `${resource}/status` : resource;
}

/**
 * No object has an empty name or one with a slash. An empty namespace above all must not pass for "all of them": a script
 * whose variable is empty would delete everything.
 */
async function refuseOddNames(request: FastifyRequest): Promise<void> {
  for (const value of Object.values(request.params as Readonly<Record<string, string>>)) {
    if (value !== "" && !value.includes("/")) continue;
    throw new ParasausError("NotFound", `Cannot ${request.method} here: "${value}" is no name`);
  }
}

function refuseMethod(served: readonly Method[]): Verb {
  return async (request: FastifyRequest, reply: FastifyReply) => {
    reply.header("allow", served.join(", "));
    throw new ParasausError(
      "MethodNotAllowed",
      `Cannot ${request.method} here: the server serves ${served.join(", ")} on this path`,
    );
  };
}
