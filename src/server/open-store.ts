import path from "node:path";
import { type Configuration, readSettingFile, type StoreLocation } from "../configuration/index.ts";
import type { Clock, Logger } from "../foundation/index.ts";
import { openEmbeddedStore } from "../store/embedded/index.ts";
import type { EtcdTls } from "../store/etcd/index.ts";
import type { Store } from "../store/index.ts";
import { forgetHolders } from "./coordination/forget-holders.ts";

/** What a store is opened with. */
export interface StoreSurroundings {
  readonly configuration: Configuration;
  readonly log: Logger;
  readonly clock: Clock;
  readonly random: () => number;
  /** Ends waiting for an etcd cluster that does not answer. */
  readonly signal: AbortSignal;
  /** Told why it does not answer, each time that it was asked in vain. */
  readonly onWaiting?: (reason: string) => void;
}

/**
 * Opens the store that the configuration names. The embedded one is there at once; an etcd cluster is waited for.
 *
 * @throws ParasausError `Usage` for certificates that cannot be used, `Unavailable` when another process has the data
 *   directory open or the signal aborts first, `StoreCorrupt`
 */
export async function openStore(surroundings: StoreSurroundings): Promise<Store> {
  const { configuration, log, ...common } = surroundings;
  const { store } = configuration;
  if (store.kind === "embedded") return openEmbedded(surroundings);
  // gRPC is loaded by those who need it.
  const { openEtcdStore } = await import("../store/etcd/index.ts");
  const logger = log.child({ logger: "store" });
  const { endpoints } = store;
  const isSecured = configuration.storeCa !== undefined || configuration.storeCert !== undefined;
  if (!isSecured) logger.warn("etcd is used without TLS", { etcd: endpoints.join(",") });
  const security = isSecured ? { readTls: () => readTls(configuration) } : {};
  return openEtcdStore({ endpoints, ...security, logger, ...common });
}

/** Where the store is, for people. */
export function describeStore({ store, dataDir }: { store: StoreLocation; dataDir: string }): string {
  return store.kind === "embedded" ? path.join(dataDir, "store") : `etcd at ${store.endpoints.join(", ")}`;
}

async function openEmbedded({ configuration, log, clock }: StoreSurroundings): Promise<Store> {
  const directory = path.join(configuration.dataDir, "store");
  const logger = log.child({ logger: "store" });
  const store = await openEmbeddedStore({ directory, clock, logger });
  await forgetHolders(store).catch((error: unknown) => {
    logger.warn("work of the process before not taken over at once, its lease has to end first", { error });
  });
  return store;
}

function readTls({ storeCa, storeCert, storeKey }: Configuration): EtcdTls {
  const [ca, certificate, key] = [
    readPem("--store-ca", storeCa),
    readPem("--store-cert", storeCert),
    readPem("--store-key", storeKey),
  ];
  return {
    ...(ca === undefined ? {} : { ca }),
    ...(certificate === undefined || key === undefined ? {} : { certificate, key }),
  };
}

function readPem(flag: string, file: string | undefined): string | undefined {
  return file === undefined ? undefined : readSettingFile(file, flag);
}
