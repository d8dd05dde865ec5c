import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach } from "vitest";
import { FakeClock, silentLogger } from "../../src/foundation/index.ts";
import { openEmbeddedStore } from "../../src/store/embedded/index.ts";
import { describeHolding } from "./holding.ts";

const cleanUp: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const each of cleanUp.splice(0)) await each();
});

describeHolding("embedded", async () => {
  const directory = mkdtempSync(path.join(tmpdir(), "parasaus-holding-"));
  const clock = new FakeClock();
  const store = await openEmbeddedStore({ directory, clock, logger: silentLogger });
  cleanUp.push(async () => {
    await store[Symbol.asyncDispose]();
    rmSync(directory, { recursive: true });
  });
  return { store, clock, pass: (ms) => clock.advance(ms) };
});
