import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { expect, it } from "vitest";
import type { Clock, LogFacts, Logger } from "../../foundation/index.ts";
import { silentLogger, systemClock } from "../../foundation/index.ts";
import { superviseAgent } from "./supervise-agent.ts";

it("starts the agent again with growing waits, and ends it with the server", async () => {
  const folder = mkdtempSync(path.join(tmpdir(), "parasaus-supervise-"));
  const file = path.join(folder, "starts");
  // Fails twice, then stays.
  const script = `const fs=require("fs");fs.appendFileSync(${JSON.stringify(file)},"x");
    const n=fs.readFileSync(${JSON.stringify(file)},"utf8").length;if(n<3)process.exit(n);setInterval(()=>{},1000);`;
  const waits: number[] = [];
  const failures: LogFacts[] = [];
  const ending = new AbortController();
  const clock: Clock = { ...systemClock, sleep: async (ms) => void waits.push(ms) };
  const log: Logger = { ...silentLogger, error: (_event, facts) => void failures.push(facts ?? {}) };
  const done = superviseAgent({
    command: [process.execPath, "-e", script],
    environment: {},
    log,
    clock,
    random: () => 1,
    signal: ending.signal,
  });
  await expect.poll(() => readFileSync(file, "utf8"), { timeout: 10_000 }).toBe("xxx");
  ending.abort();
  await done;
  expect(waits).toEqual([500, 1000]);
  expect(failures.map(({ exitCode }) => exitCode)).toEqual([1, 2]);
  rmSync(folder, { recursive: true });
});
