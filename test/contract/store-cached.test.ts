import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach } from "vitest";
import { FakeClock, silentLogger } from "../../src/foundation/index.ts";
import { withWatchCache } from "../../src/store/cached/index.ts";
import { openEmbeddedStore } from "../../src/store/embedded/index.ts";
import { describeStore, type StoreUnderTest } from "./store.ts";
import { describeStoreModel } from "./store-model.ts";

const cleanUp: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const each of cleanUp.splice(0)) await each();
});

/** The watch cache over the embedded store. */
async function open(): Promise<StoreUnderTest> {
  const directory = mkdtempSync(path.join(tmpdir(), "parasaus-cached-"));
  const clock = new FakeClock();
  const common = { clock, logger: silentLogger };
  const openAgain = async () =>
    withWatchCache(await openEmbeddedStore({ directory, ...common }), {
      prefix: "/",
      random: () => 0,
      ...common,
    });
  let store = await openAgain();
  cleanUp.push(async () => {
    await store[Symbol.asyncDispose]();
    rmSync(directory, { recursive: true });
  });
  return {
    store,
    leaseSeconds: 10,
    pass: (ms) => clock.advance(ms),
    reopen: async () => {
      await store[Symbol.asyncDispose]();
      store = await openAgain();
      return store;
    },
  };
}

describeStore("watch cache over embedded", open);
describeStoreModel("watch cache over embedded", open);
