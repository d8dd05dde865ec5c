import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach } from "vitest";
import { FakeClock, silentLogger } from "../../src/foundation/index.ts";
import type { Patch } from "../../src/resources/index.ts";
import { createLocalResources } from "../../src/resources/local/index.ts";
import { openEmbeddedStore } from "../../src/store/embedded/index.ts";
import { describeResources, type ResourcesUnderTest } from "./resources.ts";

const cleanUp: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const each of cleanUp.splice(0)) await each();
});

async function open(): Promise<ResourcesUnderTest> {
  const directory = mkdtempSync(path.join(tmpdir(), "parasaus-resources-"));
  const clock = new FakeClock();
  const openAgain = () => openEmbeddedStore({ directory, clock, logger: silentLogger });
  let store = await openAgain();
  cleanUp.push(async () => {
    await store[Symbol.asyncDispose]();
    rmSync(directory, { recursive: true });
  });
  const resources = () =>
    createLocalResources({
      store,
      clock,
      logger: silentLogger,
      autoCreateNamespaces: true,
      applyPatch: mergePatch,
    });
  return {
    resources: resources(),
    pass: (ms) => clock.advance(ms),
    forgetHistory: async () => store.compact(await store.revision()),
    reopen: async () => {
      await store[Symbol.asyncDispose]();
      store = await openAgain();
      return resources();
    },
  };
}
/** JSON merge patch, RFC 7386. */
function mergePatch(_definition: unknown, current: unknown, { body }: Patch): unknown {
  return merge(current, body);
}

function merge(target: unknown, change: unknown): unknown {
  if (typeof change !== "object" || change === null || Array.isArray(change)) return change;
  const merged = new Map(Object.entries(typeof target === "object" && target !== null ? target : {}));
  for (const [key, value] of Object.entries(change)) {
    if (value === null) merged.delete(key);
    else merged.set(key, merge(merged.get(key), value));
  }
  return Object.fromEntries(merged);
}

describeResources("local", open);
