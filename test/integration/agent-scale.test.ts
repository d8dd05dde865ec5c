import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { createInterface } from "node:readline";
import { build } from "esbuild";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { AgentStatus } from "../../src/model/index.ts";

const POOL_COUNT = 35_000;

interface Measured extends AgentStatus {
  readonly peakMib: number;
  readonly rssMib: number;
  readonly writeCount: number;
  readonly uptimeMs: number;
}

/** A program of the lab, bundled as it would be shipped, that speaks lines. */
interface Program {
  ask(line: string): Promise<string>;
  tell(line: string): void;
  readLine(): Promise<string>;
  end(): Promise<void>;
}

let directory: string;
const programs: Program[] = [];

beforeAll(async () => {
  directory = await mkdtemp(path.join(tmpdir(), "parasaus-scale-"));
  await build({
    entryPoints: ["pool-server", "measured-agent"].map((name) => `test/lab/programs/${name}.ts`),
    outdir: directory,
    bundle: true,
    platform: "node",
    format: "esm",
    target: "node20",
    outExtension: { ".js": ".mjs" },
    banner: {
      js: 'import { createRequire } from "node:module"; const require = createRequire(import.meta.url);',
    },
  });
});
afterAll(async () => {
  await Promise.all(programs.map((program) => program.end()));
  await rm(directory, { recursive: true });
});

function start(name: string, ...words: readonly string[]): Program {
  const child: ChildProcess = spawn(process.execPath, [path.join(directory, `${name}.mjs`), ...words], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const lines = createInterface({ input: child.stdout ?? process.stdin })[Symbol.asyncIterator]();
  const readLine = async () => String((await lines.next()).value);
  const tell = (line: string) => child.stdin?.write(`${line}\n`);
  const program: Program = {
    tell,
    readLine,
    ask: (line) => {
      tell(line);
      return readLine();
    },
    async end() {
      if (child.exitCode !== null) return;
      const ended = once(child, "exit");
      child.stdin?.end();
      await ended;
    },
  };
  programs.push(program);
  return program;
}

async function measure(agent: Program, isThere: (status: Measured) => boolean): Promise<Measured> {
  for (const deadline = Date.now() + 60_000; Date.now() < deadline; ) {
    const status: Measured = JSON.parse(await agent.ask("status"));
    if (isThere(status)) return status;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`the agent did not get there in a minute: ${await agent.ask("status")}`);
}

/** Upper bound of the bucket that the share falls into. */
function percentile({ boundsMs, counts }: AgentStatus["changeToKernel"], share: number): number {
  const total = counts.reduce((sum, count) => sum + count, 0);
  let seen = 0;
  for (const [index, count] of counts.entries()) {
    seen += count;
    if (seen >= share * total) return boundsMs[index] ?? Number.POSITIVE_INFINITY;
  }
  return Number.POSITIVE_INFINITY;
}

it(`syncs ${POOL_COUNT} pools within its memory, follows changes, and a restart writes nothing twice`, async () => {
  const server = start("pool-server", String(POOL_COUNT));
  const url = await server.readLine();
  const agent = start("measured-agent", url, path.join(directory, "node"));
  const synced = await measure(agent, (status) => status.poolCount === POOL_COUNT);
  const figures = { syncMs: Math.round(synced.uptimeMs), peakMib: Math.round(synced.peakMib) };
  expect(synced.writeCount).toBe(POOL_COUNT + 1);
  for (let change = 0; change < 200; change += 1) {
    server.tell(`change ${(change * 171) % POOL_COUNT}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  const changed = await measure(agent, (status) => status.appliedRevision === String(POOL_COUNT + 200));
  const p99 = percentile(changed.changeToKernel, 0.99);
  process.stdout.write(
    `agent-scale: ${JSON.stringify({ ...figures, peakAfterMib: Math.round(changed.peakMib), rssMib: Math.round(changed.rssMib), p99 })}\n`,
  );
  expect(changed.operationCount - synced.operationCount).toBe(200);
  expect(synced.uptimeMs).toBeLessThan(60_000);
  expect(changed.peakMib).toBeLessThan(300);
  expect(p99).toBeLessThanOrEqual(200);
  await agent.end();

  const again = start("measured-agent", url, path.join(directory, "node"));
  const restarted = await measure(
    again,
    (status) => status.source === "server" && status.poolCount === POOL_COUNT,
  );
  // A fresh kernel was filled from the snapshot; the server's list then changed nothing.
  expect(restarted.writeCount).toBe(POOL_COUNT + 1);
  expect(restarted.tableHash).toBe(changed.tableHash);
});
