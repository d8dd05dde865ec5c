import { backoffMs, hasCode } from "../foundation/index.ts";
import { namespaceDefinition, poolDefinition } from "../model/index.ts";
import { followObjects, type Resources } from "../resources/index.ts";
import type { AgentCore } from "./agent-core.ts";
import type { AgentOptions } from "./agent-options.ts";

const RETRY = { baseMs: 1_000, maxMs: 30_000 };

/**
 * Follows the pools until the signal aborts. What is older than what this node had is refused, and another server is
 * asked; what is another store's is refused as well.
 */
export async function followPools(options: AgentOptions, core: AgentCore): Promise<void> {
  const { signal, clock, logger, resources } = options;
  const random = options.random ?? Math.random;
  for (let attempt = 0; !signal.aborted; attempt += 1) {
    const { position } = core.desired;
    try {
      await followObjects(resources, poolDefinition, {
        ...(position ? { notBefore: position } : {}),
        // Of 35,000 objects only what forwarding needs may be in memory at once.
        project: (pool) => core.desired.translate(pool),
        onSnapshot: async (pools, revision, epoch) =>
          core.takeAll(pools, { epoch, revision }, await readStoreUid(resources)),
        onChange: (change) => core.takeChange(change),
        onProgress: (revision) => core.takeProgress(revision),
        onStale: async (answer) => {
          core.hearing.refuseStale(answer, await readStoreUid(resources).catch(() => undefined));
          options.leaveServer?.();
        },
        signal,
        clock,
        logger,
        random,
      });
    } catch (error) {
      logger.warn("pools not taken over, asking again", { error });
      options.leaveServer?.();
      await clock.sleep(backoffMs(attempt, { ...RETRY, random }), signal).catch(() => undefined);
    }
  }
}

/** The namespace `default` lives as long as its store. */
async function readStoreUid(resources: Resources): Promise<string | undefined> {
  try {
    return (await resources.get({ definition: namespaceDefinition, name: "default" })).metadata.uid;
  } catch (failure) {
    if (hasCode(failure, "NotFound")) return undefined;
    throw failure;
  }
}
