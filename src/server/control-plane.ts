import { setMaxListeners } from "node:events";
import type { HttpServer } from "../api/index.ts";
import { openAccounts } from "./accounts/open-accounts.ts";
import { enterEpoch, watchForRestore } from "./backup/current-epoch.ts";
import { listen, type TlsAddress } from "./listen.ts";
import { createProcessMetrics } from "./metrics/registry.ts";
import type { ControlPlaneOptions, Parts } from "./parts.ts";
import { openServerTls } from "./security/open-server-tls.ts";
import { startParts } from "./start-parts.ts";
import { openStoreListening } from "./waiting-listener.ts";
import { whileUnavailable } from "./while-unavailable.ts";

/** A control plane that answers. Disposing it fails readiness first, then ends everything in order. */
export interface ControlPlane extends AsyncDisposable {
  /** For this machine. */
  readonly url: string;
  /** Aborts when a backup was restored into the store: it has to be started anew. */
  readonly overtaken: AbortSignal;
  /** Absent where it listens on loopback alone. */
  readonly tls?: TlsAddress;
  /** Every route that it serves, as `GET /apis`. */
  readonly routes: readonly string[];
  /** What its owner is known by on this machine. */
  readonly operatorToken: string;
  /** Holds what agents of this machine are known by without TLS. */
  readonly agentTokenFile: string;
  /** With which the first administrator makes himself, to be shown once; absent: not needed, or shown before. */
  readonly firstCode?: string;
}

/**
 * Opens the store, starts the controllers and listens. Waits for a store that does not answer yet, until `starting` aborts.
 *
 * @throws ParasausError `Unavailable` when the address or the data directory is in use, `StoreCorrupt`,
 *   `RestoreUnfinished`
 */
export async function startControlPlane(
  options: ControlPlaneOptions,
  starting: AbortSignal,
): Promise<ControlPlane> {
  const { log, clock } = options;
  const metered = { ...options, process: createProcessMetrics() };
  const { store, configuration } = await openStoreListening(metered, starting);
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
    const current = await whileUnavailable(() => enterEpoch(store), options, starting);
    const surroundings = { ...metered, configuration, store: current.store, signal: ending.signal };
    const secure = await whileUnavailable(() => openServerTls(surroundings), options, starting);
    parts = await startParts({ ...metered, configuration }, current, ending.signal);
    const opening = parts;
    const accounts = await whileUnavailable(() => openAccounts(opening), options, starting);
    const { http, tls } = await listen(parts, accounts, secure);
    const { machine, firstCode } = accounts;
    const { fence } = current.epoch;
    const overtaken = watchForRestore({ store, fence, clock, logger: log, signal: ending.signal });
    return {
      url: http.url,
      routes: http.routes,
      operatorToken: machine.operator,
      agentTokenFile: machine.agentFile,
      ...(firstCode === undefined ? {} : { firstCode }),
      ...(tls ? { tls } : {}),
      overtaken,
      [Symbol.asyncDispose]: () => end(parts, http),
    };
  } catch (failure) {
    await end(parts);
    throw failure;
  }
}
