import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { FakeClock, silentLogger } from "../../src/foundation/index.ts";
import type { Resources } from "../../src/resources/index.ts";
import { createLocalResources, type LocalResourcesOptions } from "../../src/resources/local/index.ts";
import { withWatchCache } from "../../src/store/cached/index.ts";
import { openEmbeddedStore } from "../../src/store/embedded/index.ts";
import type { Store } from "../../src/store/index.ts";

/** Local resources over an embedded store in a directory of their own, which goes with them. */
export interface TestResources extends AsyncDisposable {
  readonly resources: Resources;
  readonly store: Store;
  readonly clock: FakeClock;
  /** Closes the store and opens it again; `resources` and `store` are new ones then. */
  reopen(): Promise<void>;
}

/** @param isCached Whether a watch cache is between them, as it is over etcd. */
export async function openTestResources(
  options: Partial<LocalResourcesOptions> = {},
  isCached = false,
): Promise<TestResources> {
  const directory = mkdtempSync(path.join(tmpdir(), "parasaus-resources-"));
  const clock = new FakeClock();
  const openEmbedded = () => openEmbeddedStore({ directory, clock, logger: silentLogger });
  const cache = { prefix: "/parasaus/", clock, random: Math.random, logger: silentLogger };
  const openAgain = async () =>
    isCached ? await withWatchCache(await openEmbedded(), cache) : await openEmbedded();
  let store = await openAgain();
  const resourcesOver = (over: Store) =>
    createLocalResources({
      store: over,
      clock,
      autoCreateNamespaces: true,
      ...options,
    });
  let resources = resourcesOver(store);
  return {
    clock,
    get store() {
      return store;
    },
    get resources() {
      return resources;
    },
    reopen: async () => {
      await store[Symbol.asyncDispose]();
      store = await openAgain();
      resources = resourcesOver(store);
    },
    [Symbol.asyncDispose]: async () => {
      await store[Symbol.asyncDispose]();
      rmSync(directory, { recursive: true });
    },
  };
}
