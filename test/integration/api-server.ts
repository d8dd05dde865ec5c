import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import {
  createHttpServer,
  createKubeApi,
  type HttpServerOptions,
  type KubeApiOptions,
} from "../../src/api/index.ts";
import { silentLogger, systemClock } from "../../src/foundation/index.ts";
import { DEFINITIONS } from "../../src/model/index.ts";
import type { Resources } from "../../src/resources/index.ts";
import { createLocalResources } from "../../src/resources/local/index.ts";
import { openEmbeddedStore } from "../../src/store/embedded/index.ts";

/** The API over a real store, without controllers. */
export interface ApiServer extends AsyncDisposable {
  readonly url: string;
  readonly resources: Resources;
}

/** What is told of what the API does, hooks that see every request, and by which clock it waits. */
export type ApiObservers = Partial<Pick<KubeApiOptions, "onListRefused" | "clock">> & {
  readonly hooks?: HttpServerOptions["routes"][number];
};

/** Serves given objects on a free port of the loopback. */
export async function serveApi(resources: Resources, observers: ApiObservers = {}): Promise<ApiServer> {
  const { onListRefused, hooks, clock = systemClock } = observers;
  const kube = createKubeApi({
    ...{ resources, definitions: DEFINITIONS, clock, version: "test" },
    ...(onListRefused ? { onListRefused } : {}),
  });
  const server = await createHttpServer(
    {
      logger: silentLogger,
      version: "test",
      health: { live: [{ name: "ping", check: () => undefined }], ready: [] },
      metrics: async () => ({ contentType: "text/plain", body: "" }),
      routes: [...(hooks ? [hooks] : []), kube],
    },
    { host: "127.0.0.1", port: 0 },
  );
  return { url: server.url, resources, [Symbol.asyncDispose]: () => server[Symbol.asyncDispose]() };
}

/** Starts the API on a free port of the loopback, with a store of its own. */
export async function startApiServer(): Promise<ApiServer> {
  const directory = mkdtempSync(path.join(tmpdir(), "parasaus-api-"));
  const clock = systemClock;
  const store = await openEmbeddedStore({ directory, clock, logger: silentLogger });
  const resources = createLocalResources({
    store,
    clock,
    autoCreateNamespaces: true,
  });
  const server = await serveApi(resources);
  return {
    ...server,
    [Symbol.asyncDispose]: async () => {
      await server[Symbol.asyncDispose]();
      await store[Symbol.asyncDispose]();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}
