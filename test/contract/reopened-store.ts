import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach } from "vitest";
import { FakeClock } from "../../src/foundation/index.ts";
import type { Store } from "../../src/store/index.ts";
import type { StoreUnderTest } from "./store.ts";

/** What the suites open: a store in a folder of its own, which opens again on the same folder, and ends with its test. */
export function reopening(
  openIn: (directory: string, clock: FakeClock) => Promise<Store>,
): () => Promise<StoreUnderTest> {
  const cleanUp: (() => Promise<void>)[] = [];
  afterEach(async () => {
    for (const each of cleanUp.splice(0)) await each();
  });
  return async () => {
    const directory = mkdtempSync(path.join(tmpdir(), "parasaus-store-"));
    const clock = new FakeClock();
    let store = await openIn(directory, clock);
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
        store = await openIn(directory, clock);
        return store;
      },
    };
  };
}
