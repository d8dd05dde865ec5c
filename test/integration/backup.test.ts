import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { hasCode, silentLogger, systemClock } from "../../src/foundation/index.ts";
import { poolDefinition } from "../../src/model/index.ts";
import { encodeBackup } from "../../src/resources/backup/index.ts";
import { followObjects } from "../../src/resources/index.ts";
import { readEpoch, restoreBackup } from "../../src/resources/local/index.ts";
import { createNodeTransport, createRemoteResources } from "../../src/resources/remote/index.ts";
import { enterEpoch, watchForRestore } from "../../src/server/backup/current-epoch.ts";
import { openTestResources } from "../contract/local-resources.ts";
import { buildProgram, ROOT, type RunningProgram, startProgram } from "../scenario/program.ts";

const PATIENCE = { timeout: 20_000, interval: 50 };
const POOLS = "/apis/parasaus.io/v1/namespaces/shop/pools";

beforeAll(buildProgram);

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), "parasaus-backup-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const pool = (name: string) => `kind: Pool
apiVersion: parasaus.io/v1
metadata: { name: ${name}, namespace: shop }
spec: { healthCheck: { type: none }, members: [{ ip: 198.51.100.1, port: 80 }] }
`;
const apply = (program: RunningProgram, name: string) =>
  program.shell(`parasaus apply -f - <<'END'\n${pool(name)}END`);
const names = async (program: RunningProgram) =>
  (await program.shell("parasaus get pools -n shop -o name")).output;

/** Runs the command line to its end, without a server of its own. */
async function cli(
  ...words: readonly string[]
): Promise<{ readonly exitCode: number; readonly output: string }> {
  const child = spawn(path.join(ROOT, "bin/parasaus"), words, { stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (chunk) => {
      output += chunk;
    });
  }
  const [exitCode] = await once(child, "close");
  return { exitCode, output };
}

describe("parasaus backup and restore", () => {
  it("bring a store back to what it was, and take everybody who knew it later along", async () => {
    const server = await startProgram("server", "--auto-create-namespaces=true");
    const file = path.join(folder, "p.backup");
    const data = path.join(server.folder, "data");
    await apply(server, "web");
    const taken = await server.shell(`parasaus backup ${file}`);
    expect(taken).toMatchObject({
      exitCode: 0,
      output: expect.stringMatching(/^Backed up 5 objects at revision \d+ of/),
    });
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(readdirSync(folder)).toEqual(["p.backup"]);
    await apply(server, "later");
    const { resourceVersion } = (
      (await (await fetch(server.url + POOLS)).json()) as { metadata: { resourceVersion: string } }
    ).metadata;
    const follower = follow(server.url);
    await expect.poll(() => follower.seen(), PATIENCE).toEqual(["later", "web"]);

    const busy = await cli("restore", file, "--data-dir", data, "--replace", "--yes");
    expect(busy).toMatchObject({
      exitCode: 1,
      output: expect.stringContaining(`process ${server.process.pid} `),
    });
    expect(await epochsIn(server, resourceVersion)).toEqual(["1", "1", "1", "1"]);

    const [exited] = [once(server.process, "exit"), server.process.kill("SIGTERM")];
    await exited;
    expect(await cli("restore", file, "--data-dir", data)).toMatchObject({
      exitCode: 1,
      output: expect.stringContaining(
        "Cannot restore: the store holds 7 objects; --replace --yes deletes them first",
      ),
    });
    const restored = await cli("restore", file, "--data-dir", data, "--replace", "--yes");
    expect(restored).toMatchObject({
      exitCode: 0,
      output: expect.stringContaining("the store is in epoch 2 now"),
    });

    await using again = await server.restart();
    expect(await names(again)).toBe("pool.parasaus.io/web\n");
    expect(await epochsIn(again, "")).toEqual(["2", "2", "2", "2"]);
    const gone = await fetch(`${again.url}${POOLS}?watch=true&resourceVersion=${resourceVersion}`);
    expect([gone.status, await gone.json()]).toMatchObject([410, { reason: "Expired" }]);
    await expect.poll(() => follower.seen(), PATIENCE).toEqual(["web"]);
    await apply(again, "new");
    await expect.poll(() => follower.seen(), PATIENCE).toEqual(["new", "web"]);
    await follower.end();
  });

  it("go through pipes, and read a store whose server does not run", async () => {
    const server = await startProgram("server", "--auto-create-namespaces=true");
    await apply(server, "web");
    const piped = await server.shell(
      "parasaus backup - 2>told | gzip > p.gz; cat told; zcat p.gz | tail -c 100",
    );
    expect(piped.output).toMatch(
      /^Backed up 5 objects at revision \d+ of epoch 1\n.*"sha256":"[0-9a-f]{64}"}\n$/s,
    );
    const whole = await server.shell("zcat p.gz | parasaus restore - --data-dir new");
    expect(whole).toMatchObject({
      exitCode: 0,
      output: expect.stringContaining("5 objects written, 0 deleted"),
    });
    const busy = await server.shell("parasaus backup --offline --data-dir data off.backup; ls");
    expect(busy.output).toContain("has it open");
    expect(busy.output).not.toContain("off.backup\n");
    const offline = await server.shell(
      "parasaus backup --offline --data-dir new off.backup && parasaus restore off.backup --check",
    );
    expect(offline).toMatchObject({
      exitCode: 0,
      output: expect.stringContaining("of epoch 2 to off.backup"),
    });
    expect(offline.output).toContain("Whole: the backup of ");
    await server[Symbol.asyncDispose]();
  });
});

/** What list, get, watch and a refusal say of the store's epoch. */
async function epochsIn(
  server: RunningProgram,
  resourceVersion: string,
): Promise<readonly (string | null)[]> {
  const paths = [
    POOLS,
    `${POOLS}/web`,
    `${POOLS}?watch=true&timeoutSeconds=1&resourceVersion=${resourceVersion}`,
    `${POOLS}/none`,
  ];
  const answers = await Promise.all(paths.map((each) => fetch(server.url + each)));
  return answers.map(({ headers }) => headers.get("parasaus-epoch"));
}

/** Follows the pools as an agent does, with waits that are twenty times shorter. */
function follow(url: string) {
  const clock = {
    ...systemClock,
    sleep: (ms: number, signal?: AbortSignal) => systemClock.sleep(ms / 20, signal),
  };
  const stop = new AbortController();
  const transport = createNodeTransport({ servers: [url] });
  const known = new Set<string>();
  const ended = followObjects(createRemoteResources({ transport, clock: systemClock }), poolDefinition, {
    clock,
    logger: silentLogger,
    signal: stop.signal,
    onSnapshot: (objects) => {
      known.clear();
      for (const { metadata } of objects) known.add(metadata.name);
    },
    onChange: ({ type, object }) =>
      void (type === "DELETED" ? known.delete(object.metadata.name) : known.add(object.metadata.name)),
  });
  return {
    seen: () => [...known].sort(),
    end: async () => {
      stop.abort();
      await ended;
      transport[Symbol.dispose]();
    },
  };
}

describe("a restore that is killed", () => {
  it("keeps the server from starting, and is brought to its end by the same command", async () => {
    const file = path.join(folder, "p.backup");
    const data = path.join(folder, "data");
    const count = 8_000;
    writeFileSync(file, await backupOf(count));
    const child = spawn(path.join(ROOT, "bin/parasaus"), ["restore", file, "--data-dir", data], {
      stdio: "ignore",
    });
    const written = () => Number(/^\d+/.exec(readIfThere(path.join(data, "store/head")))?.[0] ?? 0);
    await expect.poll(written, { timeout: 20_000, interval: 1 }).toBeGreaterThan(10);
    child.kill("SIGKILL");
    await once(child, "exit");

    const refused = await cli("server", "--data-dir", data, "--listen", "127.0.0.1:0");
    expect(refused).toMatchObject({
      exitCode: 1,
      output: expect.stringContaining("Error: Cannot use the store: the restore of"),
    });
    const resumed = await cli("restore", file, "--data-dir", data);
    const [, rest = "0"] = /(\d+) objects written/.exec(resumed.output) ?? [];
    process.stdout.write(`killed restore: ${count - Number(rest)} of ${count} objects were written before\n`);
    expect(resumed).toMatchObject({ exitCode: 0, output: expect.stringContaining("brought to its end") });
    expect([Number(rest) > 0, Number(rest) < count]).toEqual([true, true]);
    const backup = await cli("backup", "--offline", "--data-dir", data, `${file}.2`);
    expect(backup.output).toContain(`Backed up ${count} objects`);
  });
});

async function backupOf(count: number): Promise<string> {
  const header = { version: "0", revision: "9", epoch: 1, time: "2026-01-01T00:00:00Z", count };
  const entry = (_: unknown, index: number) => ({
    key: `/parasaus/registry/parasaus.io/pools/shop/${String(index).padStart(6, "0")}`,
    value: JSON.stringify({
      metadata: { name: String(index).padStart(6, "0"), namespace: "shop" },
      spec: {},
    }),
  });
  async function* pages() {
    yield Array.from({ length: count }, entry);
  }
  const pieces: string[] = [];
  for await (const piece of encodeBackup(header, pages())) pieces.push(piece);
  return pieces.join("");
}

function readIfThere(file: string): string {
  try {
    return readFileSync(file, "latin1");
  } catch {
    return "";
  }
}

describe("a backup that breaks off", () => {
  it.each([
    ["the connection breaks", (response: ServerResponse) => response.destroy()],
    ["the answer ends too early", (response: ServerResponse) => response.end()],
  ])("leaves the backup before as it was when %s", async (_title, stop) => {
    const whole = await backupOf(100);
    const server = createServer((_request, response) => {
      response.write(whole.slice(0, -200), () => setImmediate(() => stop(response)));
    }).listen(0, "127.0.0.1");
    await once(server, "listening");
    const file = path.join(folder, "p.backup");
    writeFileSync(file, whole);
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const { exitCode, output } = await cli("backup", file, "--server", url);
    expect([exitCode, output]).toEqual([1, expect.stringMatching(/^Error: Cannot /)]);
    expect(readdirSync(folder)).toEqual(["p.backup"]);
    expect(readFileSync(file, "utf8")).toBe(whole);
    server.close();
  });
});

describe("a server whose store is restored under it", () => {
  it("writes nothing any more, and learns that it has to start again", async () => {
    await using test = await openTestResources();
    const { store, epoch } = await enterEpoch(test.store);
    const write = () => store.transact([], [{ kind: "put", key: "/x", value: "1" }]);
    expect(await write()).toMatchObject({ succeeded: true });
    const stop = new AbortController();
    const restored = watchForRestore({
      store,
      fence: epoch.fence,
      clock: systemClock,
      logger: silentLogger,
      signal: stop.signal,
    });
    const backup = {
      header: { version: "0", revision: "1", epoch: 1, time: "", count: 0 },
      sha256: "0",
      entries: [],
    };
    await restoreBackup({ store: test.store, backup, clock: systemClock });
    const failure = await write().catch((error: unknown) => error);
    expect(hasCode(failure, "Unavailable") && failure.message).toContain(
      "a backup was restored into the store",
    );
    await expect.poll(() => restored.aborted, PATIENCE).toBe(true);
    const next = await enterEpoch(test.store);
    expect(next.epoch.number).toBe(2);
    expect(await next.store.transact([], [{ kind: "put", key: "/x", value: "2" }])).toMatchObject({
      succeeded: true,
    });
    expect((await readEpoch(test.store)).number).toBe(2);
    stop.abort();
  });
});
