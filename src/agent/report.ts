import type { AgentCore } from "./agent-core.ts";
import type { AgentOptions } from "./agent-options.ts";
import { type LocalListener, readLocalListeners } from "./local-listeners.ts";
import { type NodeFacts, nodeConditions } from "./node-conditions.ts";
import { reportNode } from "./node-reporter.ts";

const LISTENER_CHECK_MS = 10_000;

/** Keeps the Node object equal to what the agent's core says, until the signal aborts. */
export async function report(
  options: AgentOptions,
  core: AgentCore,
  addresses: () => readonly string[],
): Promise<void> {
  const { resources, nodeName, clock, logger, signal, driver, version, kernel, server } = options;
  const certificateTrouble = options.certificateTrouble ?? (() => undefined);
  const listeners = createListenerCheck(options, core);
  await reportNode({
    resources,
    nodeName,
    clock,
    logger,
    signal,
    onNode: ({ spec }) => {
      if (spec?.confirmedShrink !== undefined) core.confirmShrink(spec.confirmedShrink);
    },
    read: async (previous) => {
      const { shrink } = core.guard;
      const fixed = {
        addresses: addresses(),
        driver: driver.name,
        version,
        ...(kernel ? { kernel } : {}),
        ...(server === undefined ? {} : { server }),
        heldShrink: shrink ?? null,
        conditions: nodeConditions(
          {
            ...driverFactsOf(options),
            ...factsOf(nodeName, core, await listeners()),
            ...drainingOf(core),
            ...troubleOf(certificateTrouble()),
          },
          previous,
          clock.now(),
        ),
      };
      const { epoch, appliedRevision, tableHash, poolCount } = core.status();
      const applied = appliedRevision === undefined ? {} : { epoch, appliedRevision };
      return [fixed, { ...applied, tableHash, poolCount }];
    },
  });
}

function driverFactsOf({
  driver,
  driverFallback,
}: AgentOptions): Pick<NodeFacts, "driver" | "driverFallback" | "foreignServices"> {
  const foreignServices = driver.foreignServices?.();
  return {
    driver: driver.name,
    ...(driverFallback === undefined ? {} : { driverFallback }),
    ...(foreignServices === undefined ? {} : { foreignServices }),
  };
}

function troubleOf(trouble: string | null | undefined): Pick<NodeFacts, "certificateTrouble"> {
  return trouble === undefined ? {} : { certificateTrouble: trouble };
}

function drainingOf({ succession }: AgentCore): Pick<NodeFacts, "draining"> {
  return succession ? { draining: succession.draining } : {};
}

function factsOf(
  nodeName: string,
  core: AgentCore,
  listeners: readonly LocalListener[],
): Omit<NodeFacts, "driver"> {
  const { source, trouble, hearing, guard, reconciler, desired } = core;
  const { silence } = hearing;
  const { shrink } = guard;
  return {
    nodeName,
    source,
    ...(trouble === undefined ? {} : { trouble }),
    ...(silence ? { silence } : {}),
    ...(shrink ? { shrink } : {}),
    refusals: reconciler.refusals,
    unreadablePoolCount: desired.unreadableCount,
    listeners,
  };
}

/** Looks from time to time which local sockets listen where pools do. */
function createListenerCheck(
  { clock, logger, listListeners = readLocalListeners }: AgentOptions,
  core: AgentCore,
): () => Promise<readonly LocalListener[]> {
  let found: readonly LocalListener[] = [];
  let dueMs = 0;
  return async () => {
    if (clock.monotonicMs() < dueMs) return found;
    dueMs = clock.monotonicMs() + LISTENER_CHECK_MS;
    try {
      found = (await listListeners()).filter((listener) => core.reconciler.isServed(listener));
    } catch (error) {
      logger.warn("local listeners could not be read", { error });
    }
    return found;
  };
}
