import { AgentCore } from "./agent-core.ts";
import type { AddressSource, AgentOptions } from "./agent-options.ts";
import { answerRequest } from "./answer-request.ts";
import { followPools } from "./follow-pools.ts";
import { report } from "./report.ts";
import { serveRequests } from "./request-stream.ts";

/** Changes that arrive together are applied together. */
const DEBOUNCE_MS = 5;
const MAINTENANCE_MS = 1_000;
const DRIFT_CHECK_MS = 30_000;
/** The kernel is compared for at most half a percent of the time: changes wait meanwhile. */
const DRIFT_REST_FACTOR = 200;
/** Least time between two snapshots, and how many times longer than writing one took. */
const SNAPSHOT_MS = 1_000;
const SNAPSHOT_REST_FACTOR = 20;
const SNAPSHOT_RETRY_MS = 30_000;
/** Clients on the node reach pools there too. */
const LOCAL_ADDRESS = "127.0.0.1";

/**
 * Runs the agent of one node until the signal aborts: follows the pools and keeps the kernel as they want it.
 * It starts from the kernel and the last-known-good snapshot, needs no server to forward, and withdraws nothing because
 * it cannot see one. When it ends, the kernel goes on.
 *
 * @throws ParasausError what the driver throws when the kernel cannot be read at the start
 */
export async function runAgent(options: AgentOptions): Promise<void> {
  const core = new AgentCore(options);
  options.onStatus?.(() => core.status());
  let addresses: readonly string[] = [];
  const setAddresses = (found: readonly string[]) => {
    addresses = found;
    return core.setNodeAddresses([...new Set([...found, LOCAL_ADDRESS])]);
  };
  if (typeof options.addresses !== "function") await setAddresses(options.addresses);
  await core.start();
  options.logger.info("agent started", {
    node: options.nodeName,
    driver: options.driver.name,
    pools: core.reconciler.poolCount,
    source: core.source,
  });
  await Promise.all([
    ...(typeof options.addresses === "function"
      ? [followAddresses(options, options.addresses, setAddresses)]
      : []),
    followPools(options, core),
    reconcileChanges(options, core),
    every(options, MAINTENANCE_MS, () => core.maintain()),
    checkDrift(options, core),
    saveSnapshots(options, core),
    report(options, core, () => addresses),
    ...(options.requests ? [serve(options, core, options.requests)] : []),
  ]);
}

async function every(options: AgentOptions, periodMs: number, task: () => Promise<void>): Promise<void> {
  const { clock, signal } = options;
  while (!signal.aborted) {
    await clock.sleep(periodMs, signal).catch(() => undefined);
    if (!signal.aborted) await task();
  }
}

async function checkDrift({ clock, signal }: AgentOptions, core: AgentCore): Promise<void> {
  let restMs = DRIFT_CHECK_MS;
  while (!signal.aborted) {
    await clock.sleep(restMs, signal).catch(() => undefined);
    if (signal.aborted) return;
    const startMs = clock.monotonicMs();
    await core.checkDrift();
    // A refused pool is tried again with each comparison, and its operator has been told to wait for one.
    const hasRefusals = core.reconciler.refusals.length > 0;
    const factor = hasRefusals ? 0 : DRIFT_REST_FACTOR;
    restMs = Math.max(DRIFT_CHECK_MS, factor * (clock.monotonicMs() - startMs));
  }
}

async function followAddresses(
  { logger, signal }: AgentOptions,
  source: AddressSource,
  setAddresses: (addresses: readonly string[]) => Promise<void>,
): Promise<void> {
  const onAddresses = (addresses: readonly string[]) => {
    logger.info("node addresses changed", { addresses });
    setAddresses(addresses).catch((error: unknown) => logger.error("node addresses not set", { error }));
  };
  try {
    await source(onAddresses, signal);
  } catch (error) {
    logger.error("node addresses are not followed any more", { error });
  }
}

async function reconcileChanges({ clock, signal }: AgentOptions, core: AgentCore): Promise<void> {
  while (!signal.aborted) {
    await core.work.wait(signal);
    await clock.sleep(DEBOUNCE_MS, signal).catch(() => undefined);
    if (!signal.aborted) await core.reconcile();
  }
}

async function saveSnapshots({ clock, signal, logger }: AgentOptions, core: AgentCore): Promise<void> {
  /** @returns how long to wait before the next one, milliseconds */
  const save = async (): Promise<number> => {
    const startMs = clock.monotonicMs();
    try {
      await core.saveSnapshot();
    } catch (error) {
      logger.error("snapshot not written", { path: core.snapshotFile.path, error });
      return SNAPSHOT_RETRY_MS;
    }
    return Math.max(SNAPSHOT_MS, SNAPSHOT_REST_FACTOR * (clock.monotonicMs() - startMs));
  };
  while (!signal.aborted) {
    const restMs = await save();
    await clock.sleep(restMs, signal).catch(() => undefined);
  }
  await save();
}

function serve(
  options: AgentOptions,
  core: AgentCore,
  transport: NonNullable<AgentOptions["requests"]>,
): Promise<void> {
  const { nodeName, clock, logger, signal } = options;
  return serveRequests({
    transport,
    nodeName,
    answer: (request) =>
      answerRequest(request, {
        ask: (question) => core.ask(question),
        predecessor: () => core.succession?.driver,
        status: () => core.status(),
        clock,
      }),
    clock,
    logger,
    random: options.random ?? Math.random,
    signal,
  });
}
