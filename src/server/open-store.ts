import path from "node:path";
import type { Configuration } from "../configuration/index.ts";
import type { Clock, Logger } from "../foundation/index.ts";
import { openEmbeddedStore } from "../store/embedded/index.ts";
import type { Store } from "../store/index.ts";
import { forgetHolders } from "./coordination/forget-holders.ts";

/** What a store is opened with. */
export interface StoreSurroundings {
  readonly configuration: Configuration;
  readonly log: Logger;
  readonly clock: Clock;
}

/**
 * Opens the store that the configuration names.
 *
 * @throws ParasausError `Unavailable` when another process has the data directory open, `StoreCorrupt`
 */
export async function openStore({ configuration, log, clock }: StoreSurroundings): Promise<Store> {
  const directory = path.join(configuration.dataDir, "store");
  const logger = log.child({ logger: "store" });
  const store = await openEmbeddedStore({ directory, clock, logger });
  await forgetHolders(store).catch((error: unknown) => {
    logger.warn("work of the process before not taken over at once, its lease has to end first", { error });
  });
  return store;
}
