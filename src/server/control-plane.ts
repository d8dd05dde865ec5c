import { setMaxListeners } from "node:events";
import path from "node:path";
import { createHttpServer, createKubeApi, createNodeRequests, type HttpServer } from "../api/index.ts";
import type { Configuration } from "../configuration/index.ts";
import { type Controllers, poolOwnershipAdmission, startControllers } from "../controllers/index.ts";
import { type Clock, type Logger, ParasausError, VERSION } from "../foundation/index.ts";
import { DEFINITIONS, nodeDefinition } from "../model/index.ts";
import type { Resources } from "../resources/index.ts";
import { createLocalResources, ensureBuiltins, startGarbageCollector } from "../resources/local/index.ts";
import { openEmbeddedStore } from "../store/embedded/index.ts";
import type { Store } from "../store/index.ts";
import { explainRoute } from "./explain-route.ts";
import { createControllerMetrics } from "./metrics/controller-metrics.ts";
import { createProcessMetrics, type ProcessMetrics } from "./metrics/registry.ts";
import { observeRequests } from "./metrics/request-metrics.ts";
import { renderServerMetrics } from "./metrics/server-metrics.ts";
import { followPools, type PoolView } from "./pool-view.ts";
import { startTask, type Task } from "./tasks.ts";

/** What a control plane is made with. */
export interface ControlPlaneOptions {
  readonly configuration: Configuration;
  readonly log: Logger;
  readonly clock: Clock;
  readonly random: () => number;
}

/** A control plane that answers. Disposing it fails readiness first, then ends everything in order. */
export interface ControlPlane extends AsyncDisposable {
  readonly url: string;
}

/** Everything inside a running control plane. */
interface Parts extends ControlPlaneOptions {
  readonly store: Store;
  readonly resources: Resources;
  readonly process: ProcessMetrics;
  /** Absent while they are started anew. */
  readonly controllers: () => Controllers | undefined;
  readonly tasks: readonly Task[];
  readonly view: PoolView;
  readonly signal: AbortSignal;
}

/**
 * Opens the store, starts the controllers and listens.
 *
 * @throws ParasausError `Unavailable` when the address or the data directory is in use, `StoreCorrupt`
 */
export async function startControlPlane(options: ControlPlaneOptions): Promise<ControlPlane> {
  const { configuration, log, clock } = options;
  const store = await openEmbeddedStore({
    directory: path.join(configuration.dataDir, "store"),
    clock,
    logger: log.child({ logger: "store" }),
  });
  const ending = new AbortController();
  // Every watch of every controller listens to it.
  setMaxListeners(0, ending.signal);
  const end = async (parts?: Parts, http?: HttpServer) => {
    ending.abort(new Error("the server ends"));
    await http?.[Symbol.asyncDispose]();
    await Promise.all([...(parts?.tasks ?? []).map(({ ended }) => ended), parts?.view.ended]);
    await store[Symbol.asyncDispose]();
  };
  let parts: Parts | undefined;
  try {
    parts = await startParts(options, store, ending.signal);
    const http = await listen(parts);
    return { url: http.url, [Symbol.asyncDispose]: () => end(parts, http) };
  } catch (failure) {
    await end(parts);
    throw failure;
  }
}

async function startParts(options: ControlPlaneOptions, store: Store, signal: AbortSignal): Promise<Parts> {
  const { configuration, log, clock, random } = options;
  const resources = createLocalResources({
    store,
    clock,
    logger: log.child({ logger: "resources" }),
    autoCreateNamespaces: configuration.autoCreateNamespaces,
    random,
    admission: [poolOwnershipAdmission],
  });
  await ensureBuiltins(resources);
  const process = createProcessMetrics();
  const controllerMetrics = createControllerMetrics(process);
  const surroundings = { log, clock, random, signal };
  let controllers: Controllers | undefined;
  const control = async () => {
    await using running = startControllers({
      resources,
      clock,
      random,
      signal,
      logger: log,
      metrics: controllerMetrics,
      allowedProbeClasses: configuration.probeAddresses,
    });
    controllers = running;
    await running.ended;
  };
  const logger = log.child({ logger: "garbage-collector" });
  const collect = () => startGarbageCollector({ resources, definitions: DEFINITIONS, clock, logger, signal });
  const tasks = [
    startTask("controllers", control, surroundings),
    startTask("garbage-collector", collect, surroundings),
  ];
  const view = followPools(resources, { clock, logger: log, signal });
  return { ...options, store, resources, process, controllers: () => controllers, tasks, view, signal };
}

async function listen(parts: Parts): Promise<HttpServer> {
  const { configuration, clock, log, random, resources, process, view } = parts;
  const nodes = createNodeRequests({ clock });
  const watchers = process.gauge("parasaus_watchers", "Open watches.", ["resource"]);
  const openWatches = new Map<string, number>();
  const kube = createKubeApi({
    resources,
    definitions: DEFINITIONS,
    clock,
    random,
    version: VERSION,
    onWatchers: (resource, change) => {
      const count = (openWatches.get(resource) ?? 0) + change;
      openWatches.set(resource, count);
      watchers({ resource }, count);
    },
  });
  const nodeNames = async () =>
    (await resources.list(nodeDefinition)).items.map(({ metadata }) => metadata.name);
  const counters = async () => {
    const { answers } = await nodes.askAll<"counters">({ kind: "counters" });
    return answers.map(({ node, value }) => ({ node, counters: value }));
  };
  const agents = async () =>
    (await nodes.askAll<"status">({ kind: "status" })).answers.map(({ value }) => value);
  try {
    return await createHttpServer(
      {
        logger: log.child({ logger: "api" }),
        version: VERSION,
        health: healthChecks(parts),
        metrics: () => renderServerMetrics({ process, pools: view.pools, counters, agents }),
        onResponse: observeRequests(process),
        routes: [kube, nodes.routes, explainRoute({ nodes, pools: view.pools, nodeNames })],
      },
      configuration.listen,
    );
  } catch (failure) {
    throw explainListenFailure(failure, configuration);
  }
}

function healthChecks({ signal, store, tasks }: Parts) {
  return {
    live: [{ name: "ping", check: () => undefined }],
    ready: [
      { name: "shutdown", check: () => (signal.aborted ? "the server ends" : undefined) },
      { name: "store", check: async () => void (await store.revision()) },
      ...tasks.map(({ name, problem }) => ({ name, check: problem })),
    ],
  };
}

function explainListenFailure(failure: unknown, { listen: { host, port } }: Configuration): unknown {
  const { cause } = failure as { cause?: NodeJS.ErrnoException };
  if (!(failure instanceof ParasausError) || cause?.code !== "EADDRINUSE") return failure;
  return new ParasausError(
    "Unavailable",
    `Cannot listen on ${host}:${port}: another program does already; choose another port with --listen`,
    { cause: failure },
  );
}
