import { setMaxListeners } from "node:events";
import path from "node:path";
import type { HttpServer } from "../api/index.ts";
import {
  type ConnectAddressLookup,
  type Controllers,
  memberAddressAdmission,
  poolOwnershipAdmission,
  startControllers,
} from "../controllers/index.ts";
import { DEFINITIONS } from "../model/index.ts";
import { createLocalResources, ensureBuiltins, startGarbageCollector } from "../resources/local/index.ts";
import { openEmbeddedStore } from "../store/embedded/index.ts";
import type { Store } from "../store/index.ts";
import { listen } from "./listen.ts";
import { createControllerMetrics } from "./metrics/controller-metrics.ts";
import { createProcessMetrics } from "./metrics/registry.ts";
import type { ControlPlaneOptions, Parts } from "./parts.ts";
import { followPools } from "./pool-view.ts";
import { startTask } from "./tasks.ts";

/** A control plane that answers. Disposing it fails readiness first, then ends everything in order. */
export interface ControlPlane extends AsyncDisposable {
  readonly url: string;
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
  let controllers: Controllers | undefined;
  const listensAt: ConnectAddressLookup = (...address) => controllers?.connectAddressHolder(...address);
  const resources = createLocalResources({
    store,
    clock,
    logger: log.child({ logger: "resources" }),
    autoCreateNamespaces: configuration.autoCreateNamespaces,
    random,
    admission: [poolOwnershipAdmission, memberAddressAdmission(listensAt)],
  });
  await ensureBuiltins(resources);
  const process = createProcessMetrics();
  const controllerMetrics = createControllerMetrics(process);
  const surroundings = { log, clock, random, signal };
  const control = async () => {
    await using running = startControllers({
      resources,
      clock,
      random,
      signal,
      logger: log.child({ logger: "controllers" }),
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
