import { setMaxListeners } from "node:events";
import path from "node:path";
import type { HttpServer } from "../api/index.ts";
import { openEmbeddedStore } from "../store/embedded/index.ts";
import type { Store } from "../store/index.ts";
import { forgetHolders } from "./coordination/forget-holders.ts";
import { listen } from "./listen.ts";
import type { ControlPlaneOptions, Parts } from "./parts.ts";
import { startParts } from "./start-parts.ts";

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
  const store = await openStore(options);
  const ending = new AbortController();
  // Every watch of every controller listens to it.
  setMaxListeners(0, ending.signal);
  const end = async (parts?: Parts, http?: HttpServer) => {
    ending.abort(new Error("the server ends"));
    // Other servers take over what this one led while its last requests end.
    await Promise.all([http?.[Symbol.asyncDispose](), parts?.ended]);
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

async function openStore({ configuration, log, clock }: ControlPlaneOptions): Promise<Store> {
  const directory = path.join(configuration.dataDir, "store");
  const logger = log.child({ logger: "store" });
  const store = await openEmbeddedStore({ directory, clock, logger });
  await forgetHolders(store).catch((error: unknown) => {
    logger.warn("work of the process before not taken over at once, its lease has to end first", { error });
  });
  return store;
}
