import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  type CertificateAuthority,
  createCertificateAuthority,
  createCertificateRequest,
  issueNodeCertificate,
  issueServerCertificate,
} from "../../src/pki/index.ts";
import { type CertificateFiles, makeAuthority, makeCertificate } from "../lab/certificates.ts";
import { type EtcdCluster, freePorts, startEtcd } from "../lab/etcd.ts";
import { buildProgram, ROOT, type RunningProgram, startProgram } from "../scenario/program.ts";

const PATIENCE = { timeout: 20_000, interval: 100 };

beforeAll(buildProgram);

const storeOf = ({ endpoints }: Pick<EtcdCluster, "endpoints">) => `--store=etcd://${endpoints.join(",")}`;
const startServer = (...words: readonly string[]) =>
  startProgram("server", "--auto-create-namespaces=true", ...words);
const apply = (program: RunningProgram, name: string) =>
  program.shell(`parasaus apply -f - <<END
kind: Pool
apiVersion: parasaus.io/v1
metadata: { name: ${name}, namespace: shop }
spec: { healthCheck: { type: none }, members: [{ ip: 198.51.100.1, port: 80 }] }
END`);
const addressOf = async (program: RunningProgram, name: string) =>
  (await program.shell(`parasaus get pool ${name} -n shop`)).output.match(/<nodes>:\d+/)?.[0];

describe("parasaus server on an etcd cluster", () => {
  it("keeps objects in etcd, under the registry, and finds them again from an empty data directory", async () => {
    await using cluster = await startEtcd();
    const key = "/parasaus/registry/parasaus.io/pools/shop/web";
    let address: string | undefined;
    {
      await using program = await startServer(storeOf(cluster));
      expect(program.printed()).toContain(`Store             etcd at ${cluster.endpoints[0]}\n`);
      expect((await apply(program, "web")).output).toBe("pool.parasaus.io/web created\n");
      await expect.poll(() => addressOf(program, "web"), PATIENCE).toMatch(/:\d+$/);
      address = await addressOf(program, "web");
    }
    expect(JSON.parse(cluster.ctl(["get", "--print-value-only", key]))).toMatchObject({ kind: "Pool" });
    await using again = await startServer(storeOf(cluster));
    expect(await addressOf(again, "web")).toBe(address);
  });

  it("goes on when the leading member is killed: writes, reads and open watches", async () => {
    await using cluster = await startEtcd({ memberCount: 3 });
    await using program = await startServer(storeOf(cluster));
    await using watch = watchPools(program);
    await apply(program, "before");
    await expect.poll(watch.seen, PATIENCE).toEqual(["before"]);
    const leader = await cluster.leader();
    await leader.kill();
    await expect
      .poll(async () => (await apply(program, "after")).output, PATIENCE)
      .toMatch(/created|unchanged/);
    const successor = await cluster.leader();
    expect(successor.name).not.toBe(leader.name);
    await expect.poll(watch.seen, PATIENCE).toEqual(["before", "after"]);
    await expect.poll(() => addressOf(program, "after"), PATIENCE).toMatch(/:\d+$/);
    await expect.poll(() => ready(program.url), PATIENCE).toEqual([200, "ok"]);
  });

  it("says with which member it has no majority, and is not ready, until the members are back", async () => {
    await using cluster = await startEtcd({ memberCount: 3 });
    await using program = await startServer(storeOf(cluster));
    const [first, second] = cluster.members;
    await first?.kill();
    await second?.kill();
    await expect.poll(async () => (await ready(program.url))[0], PATIENCE).toBe(503);
    expect((await ready(program.url))[1]).toContain(
      "[-]store failed: Cannot read the revision: no etcd member answers",
    );
    expect((await apply(program, "web")).exitCode).toBe(1);
    first?.start();
    await expect.poll(() => ready(program.url), PATIENCE).toEqual([200, "ok"]);
    await expect
      .poll(async () => (await apply(program, "web")).output, PATIENCE)
      .toMatch(/created|unchanged/);
  });
});

describe("while etcd does not answer", () => {
  it("is alive, not ready, says why on the same port, and starts when etcd does", async () => {
    const [etcdPort = 0, port = 0] = await freePorts(2);
    const endpoint = `127.0.0.1:${etcdPort}`;
    await using server = startWaiting(`--listen=127.0.0.1:${port}`, `--store=etcd://${endpoint}`);
    const url = `http://127.0.0.1:${port}`;
    const reason = `[-]store failed: Cannot open the store: no etcd member answers (${endpoint}: connection refused, nobody listens there)\n`;
    await expect.poll(() => ready(url), PATIENCE).toEqual([503, `${reason}readyz check failed\n`]);
    expect(await get(`${url}/livez`)).toEqual([200, "ok"]);
    const [code, body] = await get(`${url}/apis/parasaus.io/v1/pools`);
    expect([code, JSON.parse(body).reason]).toEqual([503, "ServiceUnavailable"]);
    await expect.poll(server.printed, PATIENCE).toMatch(/"waiting for etcd"[\s\S]*"waiting for etcd"/);
    await using _cluster = await startEtcd({ clientPorts: [etcdPort] });
    await expect.poll(() => ready(url), PATIENCE).toEqual([200, "ok"]);
    expect(server.printed()).toContain(url);
  });

  it("ends in order on SIGTERM", async () => {
    const [etcdPort, port] = await freePorts(2);
    await using server = startWaiting(`--listen=127.0.0.1:${port}`, `--store=etcd://127.0.0.1:${etcdPort}`);
    await expect.poll(server.printed, PATIENCE).toContain("waiting for etcd");
    expect(await server.end()).toBe(0);
  });

  it("fails at once where its own port is taken", async () => {
    const [etcdPort = 0, port] = await freePorts(2);
    const words = [`--listen=127.0.0.1:${port}`, `--store=etcd://127.0.0.1:${etcdPort}`];
    await using first = startWaiting(...words);
    const code = async () => (await ready(`http://127.0.0.1:${port}`).catch(() => [0]))[0];
    await expect.poll(code, PATIENCE).toBe(503);
    await using second = startWaiting(...words);
    expect(await second.ended).toBe(1);
    expect(second.printed()).toContain("another program does already");
    expect(first.printed()).not.toContain("Error");
  });
});

describe("with TLS and client certificates", () => {
  let directory: string;
  let authority: CertificateFiles;
  let foreign: CertificateFiles;
  let own: CertificateFiles;
  let cluster: EtcdCluster;
  beforeAll(async () => {
    directory = mkdtempSync(path.join(tmpdir(), "parasaus-tls-"));
    authority = makeAuthority(directory, "authority");
    foreign = makeAuthority(directory, "foreign");
    own = makeCertificate(directory, authority, "parasaus");
    const member = makeCertificate(directory, authority, "member", "IP:127.0.0.1");
    // etcdctl has no certificate of its own here, and needs one for clients: the member's.
    cluster = await startEtcd({ tls: { ca: authority.certificate, ...member } });
  });
  afterAll(async () => {
    await cluster[Symbol.asyncDispose]();
    rmSync(directory, { recursive: true });
  });

  const security = (ca: string, files: CertificateFiles) => [
    `--store-ca=${ca}`,
    `--store-cert=${files.certificate}`,
    `--store-key=${files.key}`,
  ];
  const readiness = async (endpoints: readonly string[], ...words: readonly string[]) => {
    const [port] = await freePorts(1);
    await using _server = startWaiting(`--listen=127.0.0.1:${port}`, storeOf({ endpoints }), ...words);
    const url = `http://127.0.0.1:${port}`;
    await expect.poll(async () => (await ready(url).catch(() => [0]))[0], PATIENCE).not.toBe(0);
    return (await ready(url))[1];
  };

  it("opens the store with the right ones, and warns of nothing", async () => {
    await using program = await startServer(storeOf(cluster), ...security(authority.certificate, own));
    expect((await apply(program, "web")).output).toBe("pool.parasaus.io/web created\n");
    expect(program.printed()).not.toMatch(/warn|Warning/);
  });

  it("says what is wrong with the others, and goes on trying", async () => {
    const { certificate: ca } = authority;
    const stranger = makeCertificate(directory, foreign, "stranger");
    const at = (words: readonly string[]) => readiness(cluster.endpoints, ...words);
    expect(await at(security(foreign.certificate, own))).toContain("is signed by another authority");
    expect(await at(security(ca, stranger))).toContain("it does not accept our client certificate");
    expect(await at([`--store-ca=${ca}`])).toContain("it does not accept our client certificate");
    expect(await at([])).toContain("as a member does that wants TLS");
    const other = cluster.endpoints.map((endpoint) => endpoint.replace("127.0.0.1", "localhost"));
    expect(await readiness(other, ...security(ca, own))).toContain("is for another name or address");
  });

  it("refuses files that are no certificates at once", async () => {
    const garbage = path.join(directory, "garbage.pem");
    writeFileSync(garbage, "garbage\n");
    const { certificate: ca } = authority;
    for (const [words, message] of [
      [[`--store-ca=${directory}/none.pem`], "Cannot read --store-ca"],
      [[`--store-ca=${garbage}`], "Cannot use the certificate authority for etcd: it is not in PEM"],
      [security(ca, { ...own, key: foreign.key }), "it belongs to another certificate"],
    ] as const) {
      await using server = startWaiting("--listen=127.0.0.1:0", storeOf(cluster), ...words);
      expect(await server.ended).toBe(2);
      expect(server.printed()).toContain(message);
    }
  });
});

describe("with client certificates that are replaced", () => {
  const LIFETIME_MS = 25_000;
  let directory: string;
  let authority: CertificateAuthority;
  let cluster: EtcdCluster;
  beforeAll(async () => {
    directory = mkdtempSync(path.join(tmpdir(), "parasaus-tls-"));
    authority = await createCertificateAuthority(new Date());
    const ca = fileOf("ca.pem", authority.certificate);
    const member = { names: ["127.0.0.1"], lifetimeMs: 3_600_000, now: new Date() };
    const shown = await issueServerCertificate(authority, member);
    const files = {
      certificate: fileOf("member.pem", shown.certificate),
      key: fileOf("member.key", shown.privateKey),
    };
    cluster = await startEtcd({ tls: { ca, ...files, ctl: await makeClient("ctl", 3_600_000) } });
  });
  afterAll(async () => {
    await cluster[Symbol.asyncDispose]();
    rmSync(directory, { recursive: true });
  });

  const fileOf = (name: string, content: string) => {
    writeFileSync(path.join(directory, name), content);
    return path.join(directory, name);
  };
  const makeClient = async (name: string, lifetimeMs: number, signer = authority) => {
    const { request, privateKey } = await createCertificateRequest(name);
    const options = { request, nodeName: name, enrolment: "0".repeat(32), lifetimeMs, now: new Date() };
    const certificate = await issueNodeCertificate(signer, options);
    return { certificate: fileOf(`${name}.pem`, certificate), key: fileOf(`${name}.key`, privateKey) };
  };
  const startWith = ({ certificate, key }: CertificateFiles) =>
    startServer(
      storeOf(cluster),
      ...[`--store-ca=${directory}/ca.pem`, `--store-cert=${certificate}`, `--store-key=${key}`],
    );
  const readiness = async ({ url }: RunningProgram) => (await ready(url))[1];

  it("goes on with the new ones when the old have expired, and keeps those that work when the new do not", async () => {
    const endMs = Date.now() + LIFETIME_MS;
    await using program = await startWith(await makeClient("rotated", LIFETIME_MS));
    await using control = await startWith(await makeClient("forgotten", LIFETIME_MS));
    await using watch = watchPools(program);
    expect((await apply(program, "first")).output).toContain("created");
    fileOf("rotated.key", "garbage\n");
    await expect
      .poll(program.printed, PATIENCE)
      .toContain("etcd certificates not replaced, the old ones stay");
    expect((await apply(program, "second")).output).toContain("created");
    await makeClient("rotated", LIFETIME_MS, await createCertificateAuthority(new Date()));
    await expect.poll(program.printed, PATIENCE).toContain("etcd member refuses the new certificates");
    expect((await apply(program, "third")).output).toContain("created");
    await makeClient("rotated", 3_600_000);
    await expect.poll(() => timesIn(program.printed(), "etcd certificates replaced"), PATIENCE).toBe(2);
    await expect
      .poll(() => Date.now(), { timeout: LIFETIME_MS, interval: 100 })
      .toBeGreaterThan(endMs + 1_000);
    const [member] = cluster.members;
    await member?.kill();
    member?.start();
    await expect.poll(async () => (await apply(program, "fourth")).output, PATIENCE).toContain("created");
    await expect.poll(watch.seen, PATIENCE).toEqual(["first", "second", "third", "fourth"]);
    expect(await readiness(program)).toBe("ok");
    await expect
      .poll(() => readiness(control), PATIENCE)
      .toContain("it does not accept our client certificate");
  });
});

const timesIn = (text: string, words: string) => text.split(words).length - 1;

async function get(url: string): Promise<[number, string]> {
  const response = await fetch(url);
  return [response.status, await response.text()];
}

const ready = (url: string) => get(`${url}/readyz`);

/** Follows the pools, as `kubectl get -w` does, and remembers the names in the order in which they came. */
function watchPools(program: RunningProgram): AsyncDisposable & { seen: () => string[] } {
  const stop = new AbortController();
  const names = new Set<string>();
  const follow = async () => {
    const response = await fetch(`${program.url}/apis/parasaus.io/v1/pools?watch=true`, {
      signal: stop.signal,
    });
    let rest = "";
    for await (const chunk of response.body ?? []) {
      const lines = (rest + Buffer.from(chunk).toString()).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) names.add(JSON.parse(line).object.metadata.name);
    }
  };
  const followed = follow().catch(() => undefined);
  return {
    seen: () => [...names],
    [Symbol.asyncDispose]: async () => {
      stop.abort();
      await followed;
    },
  };
}

/** Starts `parasaus server` without waiting for it. */
function startWaiting(...words: readonly string[]) {
  const folder = mkdtempSync(path.join(tmpdir(), "parasaus-test-"));
  const child = spawn(
    path.join(ROOT, "bin/parasaus"),
    ["server", "--no-auth", `--data-dir=${folder}`, ...words],
    {
      stdio: ["ignore", "pipe", "pipe"],
      env: { ...process.env, NO_COLOR: "1" },
    },
  );
  const chunks: string[] = [];
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk) => chunks.push(String(chunk)));
  const ended = once(child, "close").then(([exitCode]) => exitCode as number);
  const end = () => {
    child.kill("SIGTERM");
    return ended;
  };
  return {
    printed: () => chunks.join(""),
    ended,
    end,
    [Symbol.asyncDispose]: async () => {
      await end();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
