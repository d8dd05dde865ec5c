import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach } from "vitest";
import { FakeClock, silentLogger, systemClock } from "../../src/foundation/index.ts";
import { openEmbeddedStore } from "../../src/store/embedded/index.ts";
import { describeLeaders, type LeadersWorld } from "./leaders.ts";
import { describeShares } from "./shares.ts";

const cleanUp: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const each of cleanUp.splice(0)) await each();
});

async function open(): Promise<LeadersWorld> {
  const directory = mkdtempSync(path.join(tmpdir(), "parasaus-leaders-"));
  const clock = new FakeClock();
  const store = await openEmbeddedStore({ directory, clock, logger: silentLogger });
  cleanUp.push(async () => {
    await store[Symbol.asyncDispose]();
    rmSync(directory, { recursive: true });
  });
  // The disk is real: without waiting for it, seconds would pass during one write.
  const pass = async (ms: number) => {
    await clock.advance(ms);
    await systemClock.sleep(5);
  };
  return { store, clock, pass, leaseSeconds: 5, slackMs: 500, changes: 200 };
}

describeLeaders("embedded", open);
describeShares("embedded", open);
