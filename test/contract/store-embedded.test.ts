import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach } from "vitest";
import { FakeClock, silentLogger } from "../../src/foundation/index.ts";
import { openEmbeddedStore } from "../../src/store/embedded/index.ts";
import { describeStore, type StoreUnderTest } from "./store.ts";
import { describeStoreModel } from "./store-model.ts";

const cleanUp: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const each of cleanUp.splice(0)) await each();
});

async function open(): Promise<StoreUnderTest> {
  const directory = mkdtempSync(path.join(tmpdir(), "parasaus-store-"));
  const clock = new FakeClock();
  const openAgain = () => openEmbeddedStore({ directory, clock, logger: silentLogger });
  let store = await openAgain();
  cleanUp.push(async () => {
    await store[Symbol.asyncDispose]();
    rmSync(directory, { recursive: true });
  });
  return {
    store,
    pass: (ms) => clock.advance(ms),
    reopen: async () => {
      await store[Symbol.asyncDispose]();
      store = await openAgain();
      return store;
    },
  };
}

describeStore("embedded", open);
describeStoreModel("embedded", open);
