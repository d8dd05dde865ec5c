import { randomBytes } from "node:crypto";
import { hostname } from "node:os";
import {
  type Controllers,
  memberAddressAdmission,
  poolOwnershipAdmission,
  startControllers,
} from "../controllers/index.ts";
import { DEFINITIONS } from "../model/index.ts";
import {
  createLocalResources,
  ensureBuiltins,
  readHeartbeats,
  startGarbageCollector,
  startOperationTrimmer,
} from "../resources/local/index.ts";
import type { StoreInEpoch } from "./backup/current-epoch.ts";
import { watchConfirmations } from "./confirmations/watch-confirmations.ts";
import { followOperations } from "./console/operation-view.ts";
import { type Coordinator, startCoordinator } from "./coordination/coordinator.ts";
import { watchNodeSilence } from "./live/node-silence.ts";
import { createControllerMetrics } from "./metrics/controller-metrics.ts";
import type { MeteredOptions, Parts } from "./parts.ts";
import { followPools, type PoolView } from "./pool-view.ts";
import { startTask, type Task } from "./tasks.ts";
import { whileUnavailable } from "./while-unavailable.ts";

const DAY_MS = 86_400_000;

/**
 * Starts everything of a control plane but its listener, over a store that other control planes may be at work on, too.
 * It ends after the signal has aborted.
 *
 * @throws ParasausError what the store throws
 */
export async function startParts(
  options: MeteredOptions,
  { store, epoch }: StoreInEpoch,
  signal: AbortSignal,
): Promise<Parts> {
  const { configuration, log, clock, random, process } = options;
  let view: PoolView | undefined;
  const resources = createLocalResources({
    store,
    epoch,
    clock,
    autoCreateNamespaces: configuration.autoCreateNamespaces,
    random,
    admission: [poolOwnershipAdmission, memberAddressAdmission((...address) => view?.holderAt(...address))],
  });
  await whileUnavailable(() => ensureBuiltins(resources), options, signal);
  const coordinator = startCoordinator({
    ...{ store, resources, clock, random, metrics: process },
    logger: log.child({ logger: "coordination" }),
    serverId: `${hostname().toLowerCase()}-${randomBytes(4).toString("hex")}`,
    leaseSeconds: configuration.leaseSeconds,
  });
  const parts = { ...options, store, epoch, resources, signal };
  const { task, controllers } = startControllersTask(parts, coordinator);
  view = followPools(resources, { clock, logger: log, signal });
  const tasks = [
    task,
    startGarbageTask(parts, coordinator),
    startSilenceTask(parts, coordinator),
    startConfirmationTask({ ...parts, view }, coordinator),
  ];
  const operations = followOperations(resources, { clock, logger: log, signal });
  const ended = Promise.all(tasks.map((each) => each.ended)).then(() => coordinator[Symbol.asyncDispose]());
  return {
    ...parts,
    controllers,
    tasks,
    view,
    operations,
    ended: Promise.all([ended, view.ended, operations.ended]).then(() => undefined),
  };
}

type CommonParts = Pick<
  Parts,
  "configuration" | "log" | "clock" | "random" | "probes" | "process" | "signal"
>;

function startControllersTask(
  parts: CommonParts,
  authority: Coordinator,
): { readonly task: Task; readonly controllers: () => Controllers | undefined } {
  const { configuration, log, clock, random, probes, process, signal } = parts;
  const metrics = createControllerMetrics(process);
  let controllers: Controllers | undefined;
  const control = async () => {
    await using running = startControllers({
      ...{ authority, clock, random, signal, metrics },
      logger: log.child({ logger: "controllers" }),
      allowedProbeClasses: configuration.probeAddresses,
      ...(probes ? { probes } : {}),
    });
    controllers = running;
    await running.ended;
  };
  return { task: startTask("controllers", control, parts), controllers: () => controllers };
}

/** One server says in Nodes that nobody hears of them. */
function startSilenceTask(parts: CommonParts & Pick<Parts, "store">, coordinator: Coordinator): Task {
  const { log, clock, signal, store } = parts;
  const options = {
    ...{ clock, logger: log.child({ logger: "nodes" }) },
    heartbeats: () => readHeartbeats(store),
  };
  const look = () =>
    coordinator.lead("node-silence", (tenure) => watchNodeSilence({ ...tenure, ...options }), signal);
  return startTask("node-silence", look, parts);
}

/** One server takes back what nobody confirmed in time. */
function startConfirmationTask(
  parts: CommonParts & Pick<Parts, "resources" | "epoch" | "view">,
  coordinator: Coordinator,
): Task {
  const { log, clock, signal, resources, epoch, view } = parts;
  const options = {
    ...{ clock, logger: log.child({ logger: "confirmations" }), epoch: epoch.number, pools: view.pools },
  };
  const watch = () =>
    coordinator.leadOnStore(
      "confirmations",
      ({ store, signal: over }) =>
        watchConfirmations({ ...options, store, resources: resources.through(store), signal: over }),
      signal,
    );
  return startTask("confirmations", watch, parts);
}

/** One server collects what is left over: objects without owners, contents of deleted namespaces, old Operations. */
function startGarbageTask(parts: CommonParts, coordinator: Coordinator): Task {
  const { configuration, log, clock, signal } = parts;
  const logger = log.child({ logger: "garbage-collector" });
  const collect = () =>
    coordinator.lead(
      "garbage-collector",
      (tenure) => startGarbageCollector({ ...tenure, definitions: DEFINITIONS, clock, logger }),
      signal,
    );
  const trim = () =>
    coordinator.leadOnStore(
      "operation-trimmer",
      (tenancy) =>
        startOperationTrimmer({
          ...{ ...tenancy, clock, logger },
          keptCount: configuration.operationsKept,
          keptMs: configuration.operationDays * DAY_MS,
        }),
      signal,
    );
  return startTask("garbage-collector", () => Promise.all([collect(), trim()]).then(() => undefined), parts);
}
