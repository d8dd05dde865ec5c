import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach } from "vitest";
import { silentLogger, systemClock } from "../../src/foundation/index.ts";
import { openEmbeddedStore } from "../../src/store/embedded/index.ts";
import { describeBackup } from "./backup.ts";

const cleanUp: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const each of cleanUp.splice(0)) await each();
});

describeBackup("embedded", async () => {
  const directory = mkdtempSync(path.join(tmpdir(), "parasaus-backup-"));
  const store = await openEmbeddedStore({ directory, clock: systemClock, logger: silentLogger });
  cleanUp.push(async () => {
    await store[Symbol.asyncDispose]();
    rmSync(directory, { recursive: true });
  });
  return store;
});
