import { createHttpServer, type HttpServer } from "../api/index.ts";
import type { Configuration } from "../configuration/index.ts";
import { ParasausError, VERSION } from "../foundation/index.ts";
import { withWatchCache } from "../store/cached/index.ts";
import type { Store } from "../store/index.ts";
import { explainListenFailure } from "./listen.ts";
import { countCacheEvents } from "./metrics/client-metrics.ts";
import { openStore } from "./open-store.ts";
import type { ControlPlaneOptions, MeteredOptions } from "./parts.ts";
import { speaksTls } from "./security/server-tls.ts";
import { whileUnavailable } from "./while-unavailable.ts";

const CACHED_PREFIX = "/parasaus/";

/** A store that answered, and the configuration with the port that was listened on meanwhile. */
export interface OpenedStore {
  readonly store: Store;
  readonly configuration: Configuration;
}

/**
 * Opens the store. As long as it does not answer, somebody else listens in the place of the control plane: alive, not
 * ready, with the reason, and 503 to everything else.
 *
 * @throws ParasausError what {@link openStore} throws; `Unavailable` when the address cannot be listened on
 */
export async function openStoreListening(options: MeteredOptions, signal: AbortSignal): Promise<OpenedStore> {
  const standIn = new StandIn(options);
  const giveUp = AbortSignal.any([signal, standIn.failed]);
  try {
    const onWaiting = (reason: string) => standIn.tell(reason);
    const opened = await openStore({ ...options, signal: giveUp, onWaiting });
    const store = await withOwnCache(opened, options, giveUp);
    return { store, configuration: { ...options.configuration, listen: await standIn.leave() } };
  } catch (failure) {
    await standIn.leave().catch(() => undefined);
    throw standIn.failed.aborted ? standIn.failed.reason : failure;
  }
}

/** All clients of this server are served from one watch of the cluster; the embedded store has its history in memory. */
async function withOwnCache(store: Store, options: MeteredOptions, signal: AbortSignal): Promise<Store> {
  const { configuration, log, clock, random, process } = options;
  if (configuration.store.kind === "embedded") return store;
  const logger = log.child({ logger: "watch-cache" });
  const observe = countCacheEvents(process);
  const cacheOptions = { prefix: CACHED_PREFIX, clock, random, logger, observe };
  try {
    return await whileUnavailable(() => withWatchCache(store, cacheOptions), options, signal);
  } catch (failure) {
    await store[Symbol.asyncDispose]();
    throw failure;
  }
}

class StandIn {
  readonly #options: ControlPlaneOptions;
  readonly #failed = new AbortController();
  #server: Promise<HttpServer | undefined> = Promise.resolve(undefined);
  #reason = "";

  constructor(options: ControlPlaneOptions) {
    this.#options = options;
  }

  /** Aborts, with the reason, when the address cannot be listened on. */
  get failed(): AbortSignal {
    return this.#failed.signal;
  }

  /** Why there is nothing to serve yet; at the first time it begins to listen. */
  tell(reason: string): void {
    if (this.#reason === "") this.#server = this.#listen();
    this.#reason = reason;
  }

  /** @returns where the control plane has to listen now. */
  async leave(): Promise<Configuration["listen"]> {
    const { listen } = this.#options.configuration;
    const server = await this.#server;
    if (!server) return listen;
    await server[Symbol.asyncDispose]();
    return { ...listen, port: server.port };
  }

  async #listen(): Promise<HttpServer | undefined> {
    const { configuration, log } = this.#options;
    const refuse = () => {
      throw new ParasausError("Unavailable", `Cannot serve this yet: ${this.#reason}`);
    };
    try {
      return await createHttpServer(
        {
          logger: log.child({ logger: "api" }),
          version: VERSION,
          health: {
            live: [{ name: "ping", check: () => undefined }],
            ready: [{ name: "store", check: () => this.#reason }],
          },
          metrics: async () => ({ contentType: "text/plain; version=0.0.4; charset=utf-8", body: "" }),
          believes: "anybody",
          permitsPlain: true,
          routes: [(app) => void app.all("/*", refuse)],
        },
        standInAddress(configuration),
      );
    } catch (failure) {
      this.#failed.abort(explainListenFailure(failure));
      return undefined;
    }
  }
}

/** Off loopback TLS is spoken, and what for lies in the store: until that answers, this machine alone is told so. */
function standInAddress(configuration: Configuration): Configuration["listen"] {
  const { listen, insecure } = configuration;
  return speaksTls(configuration) && !insecure ? { ...listen, host: "127.0.0.1" } : listen;
}
