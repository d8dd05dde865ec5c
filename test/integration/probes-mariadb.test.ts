import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import net from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { systemClock } from "../../src/foundation/index.ts";
import { PROBES, type ProbeCheck, type ProbeResult, runProbe } from "../../src/health/index.ts";
import { canMakeNamespaces, ip, makeNamespace, type Namespace } from "../lab/namespaces.ts";

const SBIN = "/usr/sbin/mariadbd";
const isPossible = canMakeNamespaces() && existsSync(SBIN);
const SERVER_IP = "10.213.77.2";
const CHECKER_IP = "10.213.77.1";
const PORT = 33_306;
const CHECK: ProbeCheck = {
  type: "mysql",
  intervalMs: 2_000,
  fastIntervalMs: 2_000,
  downIntervalMs: 2_000,
  timeoutMs: 2_000,
};

/** A real MariaDB in a namespace of its own: the checker reaches it from an address that is not loopback. */
interface Database extends AsyncDisposable {
  query(sql: string): string;
  status(name: string): number;
}

async function openDatabase(): Promise<Database> {
  const folder = mkdtempSync(path.join(tmpdir(), "parasaus-mariadb-"));
  const socket = path.join(folder, "socket");
  execFileSync(
    "mariadb-install-db",
    [
      "--no-defaults",
      `--datadir=${folder}/data`,
      "--user=root",
      "--skip-test-db",
      "--auth-root-authentication-method=normal",
    ],
    { stdio: "ignore" },
  );
  const namespace = makeNamespace("maria");
  joinByVeth(namespace);
  // The server counts connection errors only of hosts whose name and address confirm each other.
  writeFileSync(path.join(folder, "hosts"), `127.0.0.1 localhost\n${CHECKER_IP} checker.test\n`);
  const options = [
    "--no-defaults",
    `--datadir=${folder}/data`,
    "--user=root",
    `--socket=${socket}`,
    `--port=${PORT}`,
    `--bind-address=${SERVER_IP}`,
    "--max-connect-errors=10",
    "--skip-name-resolve=OFF",
    "--innodb-buffer-pool-size=8M",
    "--performance-schema=ON",
    `--pid-file=${folder}/pid`,
    `--log-error=${folder}/log`,
  ];
  const script = `mount --bind ${folder}/hosts /etc/hosts && exec ${SBIN} ${options.join(" ")}`;
  const server = namespace.start(["unshare", "--mount", "sh", "-c", script], { stdio: "ignore" });
  const query = (sql: string): string =>
    execFileSync("mariadb", ["--no-defaults", `--socket=${socket}`, "-uroot", "-N", "-B", "-e", sql], {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    });
  await untilAnswers(query, () => server.exitCode);
  return {
    query,
    status: (name) => Number(query(`SHOW GLOBAL STATUS LIKE '${name}'`).split("\t")[1]),
    async [Symbol.asyncDispose]() {
      await namespace[Symbol.asyncDispose]();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function joinByVeth(namespace: Namespace): void {
  const [here, there] = [`pm${process.pid}a`, `pm${process.pid}b`];
  ip("link", "add", here, "type", "veth", "peer", "name", there, "netns", namespace.id);
  ip("addr", "add", `${CHECKER_IP}/30`, "dev", here);
  ip("link", "set", here, "up");
  namespace.run("ip", "addr", "add", `${SERVER_IP}/30`, "dev", there);
  namespace.run("ip", "link", "set", there, "up");
}

async function untilAnswers(query: (sql: string) => string, exitCode: () => number | null): Promise<void> {
  for (let attempt = 0; attempt < 300; attempt += 1) {
    try {
      query("SELECT 1");
      return;
    } catch {
      if (exitCode() !== null) throw new Error(`mariadbd ended with ${exitCode()}`);
      await systemClock.sleep(100);
    }
  }
  throw new Error("mariadbd does not answer");
}

function probe(check: Partial<ProbeCheck> = {}): Promise<ProbeResult> {
  const target = { ip: SERVER_IP, port: PORT, check: { ...CHECK, ...check } };
  return runProbe(target, { registry: PROBES, clock: systemClock, allowedClasses: new Set() });
}

async function probeOften(count: number, check: Partial<ProbeCheck> = {}): Promise<ProbeResult[]> {
  const results: ProbeResult[] = [];
  while (results.length < count) {
    const batch = Math.min(20, count - results.length);
    results.push(...(await Promise.all(Array.from({ length: batch }, () => probe(check)))));
  }
  return results;
}

function summaryOf(results: readonly ProbeResult[]): Record<string, number> {
  const summary: Record<string, number> = {};
  for (const { code, snippet } of results) {
    const words = `${code} ${/^\d{4}/.exec(snippet)?.[0] ?? snippet}`;
    summary[words] = (summary[words] ?? 0) + 1;
  }
  return summary;
}

describe.skipIf(!isPossible)("mysql probe against MariaDB (needs root and Debian's mariadb-server)", () => {
  let database: Database;
  beforeAll(async () => {
    database = await openDatabase();
    database.query("CREATE USER probe@'%' IDENTIFIED BY 'secret'");
  });
  afterAll(async () => {
    await database[Symbol.asyncDispose]();
  });

  it("without a user is refused by a living server 1,000 times and never blocked, with max_connect_errors = 10", async () => {
    await probe();
    await until(() => database.status("Threads_connected") === 1);
    const abortedBefore = database.status("Aborted_connects");
    expect(summaryOf(await probeOften(1_000))).toEqual({ "L7OK 1045": 1_000 });
    await until(() => database.status("Threads_connected") === 1);
    expect(database.status("Aborted_connects") - abortedBefore).toBe(1_000);
    const host = database.query("SELECT HOST, HOST_VALIDATED FROM performance_schema.host_cache").trim();
    expect(host).toBe("checker.test\tYES");
    expect(connectErrors(database)).toBe(0);
  });

  it("with a user raises Aborted_connects and Aborted_clients by nothing", async () => {
    // The server notices a client's end a little later: every count is read when nobody is connected.
    await until(() => database.status("Threads_connected") === 1);
    const before = [database.status("Aborted_connects"), database.status("Aborted_clients")];
    const results = await probeOften(200, { mysql: { user: "probe", password: "secret" } });
    expect(summaryOf(results)).toEqual({ "L7OK logged in": 200 });
    await until(() => database.status("Threads_connected") === 1);
    expect([database.status("Aborted_connects"), database.status("Aborted_clients")]).toEqual(before);
  });

  it("takes a refused password for a sign of life, and says what is wrong", async () => {
    const result = await probe({ mysql: { user: "probe", password: "wrong" } });
    expect(result).toMatchObject({ outcome: "pass", code: "L7OK" });
    expect(result.snippet).toContain("1045");
  });

  it("holds a server that takes no more connections to be down, with and without a user", async () => {
    database.query("SET GLOBAL max_connections = 10");
    const kept = Array.from({ length: 12 }, () => holdConnection());
    await until(() => kept.filter(({ isGreeted }) => isGreeted()).length >= 10);
    const mysql = { user: "probe", password: "secret" };
    const results = [await probe(), await probe({ mysql })];
    for (const { close } of kept) close();
    database.query("SET GLOBAL max_connections = 151");
    expect(results.map(({ code, snippet }) => `${code} ${snippet.slice(0, 4)}`)).toEqual([
      "L7STS 1040",
      "L7STS 1040",
    ]);
  });

  it("finds a blocked host down and names it: the control, dropped handshakes, gets blocked", async () => {
    for (let count = 0; count < 30; count += 1) await dropHandshake();
    await until(() => connectErrors(database) > 10);
    const result = await probe();
    expect(result).toMatchObject({ outcome: "fail", code: "L7STS" });
    expect(result.snippet).toContain("1129");
    database.query("FLUSH HOSTS");
    expect((await probe()).code).toBe("L7OK");
  });
});

/** What a check does that only looks whether the port answers: takes the greeting and leaves. */
function dropHandshake(): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = net.connect({ host: SERVER_IP, port: PORT });
    socket.once("data", () => socket.end());
    socket.once("error", reject);
    socket.once("close", () => resolve());
  });
}

/** Connection errors that count towards max_connect_errors. */
function connectErrors(database: Database): number {
  return Number(database.query("SELECT SUM_CONNECT_ERRORS FROM performance_schema.host_cache"));
}

/** Occupies one of the server's connections with a greeting that nobody answers. */
function holdConnection(): { readonly isGreeted: () => boolean; readonly close: () => void } {
  const socket = net.connect({ host: SERVER_IP, port: PORT });
  let isGreeted = false;
  socket.on("error", () => undefined);
  socket.on("data", () => {
    isGreeted = true;
  });
  return { isGreeted: () => isGreeted, close: () => socket.destroy() };
}

async function until(condition: () => boolean): Promise<void> {
  for (let attempt = 0; attempt < 250; attempt += 1) {
    if (condition()) return;
    await systemClock.sleep(20);
  }
  throw new Error("condition did not come true within 5 s");
}
