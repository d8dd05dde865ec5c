import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import type { IncomingMessage } from "node:http";
import https from "node:https";
import { tmpdir } from "node:os";
import path from "node:path";
import { text } from "node:stream/consumers";
import { afterEach, beforeEach, expect, it } from "vitest";
import { loadConfiguration } from "../../src/configuration/index.ts";
import { silentLogger, systemClock } from "../../src/foundation/index.ts";
import {
  type CertificateAuthority,
  createCertificateAuthority,
  createCertificateRequest,
  issueServerCertificate,
} from "../../src/pki/index.ts";
import { askJson, createNodeTransport } from "../../src/resources/remote/index.ts";
import { type ControlPlane, startControlPlane } from "../../src/server/control-plane.ts";
import { etcdWorld } from "./etcd-world.ts";

const MOST_LATE_MS = 1_000;
const PATIENCE = { timeout: 20_000, interval: 20 };
const world = etcdWorld();

let folder: string;
let organisation: CertificateAuthority;
let servers: readonly ControlPlane[];

interface NodeKeys {
  readonly name: string;
  readonly cert: string;
  readonly key: string;
}

async function startServer(name: string): Promise<ControlPlane> {
  const directory = path.join(folder, name);
  const shown = { names: ["127.0.0.1"], lifetimeMs: 3_600_000, now: new Date() };
  const { certificate, privateKey } = await issueServerCertificate(organisation, shown);
  const file = (ending: string, content: string) => {
    writeFileSync(`${directory}.${ending}`, content);
    return `${directory}.${ending}`;
  };
  const flags = {
    ...{
      noAuth: "true",
      listen: "127.0.0.1:0",
      dataDir: directory,
      store: `etcd://${world.cluster().endpoints[0]}`,
    },
    ...{ tlsCert: file("crt", certificate), tlsKey: file("key", privateKey) },
  };
  const around = { program: "server" as const, isRoot: false, homeDirectory: folder, hostname: name };
  const { values: configuration } = loadConfiguration({ flags, environment: {}, around });
  const options = { configuration, log: silentLogger, clock: systemClock, random: Math.random };
  return startControlPlane(options, new AbortController().signal);
}

const at = (index: number): ControlPlane => servers[index] as ControlPlane;
const overTls = (index: number) => `https://127.0.0.1:${at(index).tls?.port}`;

/** As an operator, at the first server. */
async function operate(route: string, body: object): Promise<unknown> {
  using transport = createNodeTransport({ servers: [at(0).url] });
  return await askJson(transport, { path: route, body, signal: AbortSignal.timeout(10_000) });
}

async function enrol(name: string): Promise<NodeKeys> {
  const { secret } = (await operate("/internal/v1/tokens", { nodeName: name, lifetimeSeconds: 60 })) as {
    secret: string;
  };
  const { request, privateKey } = await createCertificateRequest(name);
  const body = { nodeName: name, token: secret, request };
  const { certificate } = (await operate("/internal/v1/enrolments", body)) as { certificate: string };
  return { name, cert: certificate, key: privateKey };
}

const revoke = (name: string) => operate(`/internal/v1/nodes/${name}/revocation`, {});

function open(node: NodeKeys, index: number, route: string): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const { cert, key } = node;
    const options = { cert, key, ca: organisation.certificate, agent: false };
    https.get(`${overTls(index)}${route}`, options, resolve).once("error", reject);
  });
}

/** What a node is told that asks for the pools. */
async function ask(node: NodeKeys, index: number): Promise<string> {
  const response = await open(node, index, "/apis/parasaus.io/v1/pools");
  return `${response.statusCode} ${(await text(response)).includes("was revoked") ? "revoked" : ""}`.trim();
}

/** Streams that a node holds: when each ended, monotonic milliseconds. */
async function holdStreams(node: NodeKeys, index: number) {
  const routes = [`/internal/v1/nodes/${node.name}/requests`, "/apis/parasaus.io/v1/pools?watch=true"];
  const streams = await Promise.all(routes.map((route) => open(node, index, route)));
  const endedMs: number[] = [];
  let received = 0;
  for (const stream of streams) {
    expect(stream.statusCode).toBe(200);
    stream.on("data", () => {
      received += 1;
    });
    stream.on("error", () => undefined);
    stream.once("close", () => endedMs.push(performance.now()));
  }
  return { endedMs, received: () => received, end: () => streams.forEach((stream) => void stream.destroy()) };
}

beforeEach(async () => {
  folder = mkdtempSync(path.join(tmpdir(), "parasaus-revocation-"));
  world.cluster().wipe();
  organisation = await createCertificateAuthority(new Date());
  servers = [await startServer("one"), await startServer("two")];
});
afterEach(async () => {
  await Promise.all(servers.map((server) => server[Symbol.asyncDispose]()));
  rmSync(folder, { recursive: true });
});

it("ends what a node has open at every server within a second, and lets it in nowhere, also after their restart", async () => {
  const [gone, stays] = [await enrol("gone"), await enrol("stays")];
  const held = await Promise.all([holdStreams(gone, 0), holdStreams(gone, 1), holdStreams(stays, 1)]);
  expect([await ask(gone, 0), await ask(gone, 1), await ask(stays, 1)]).toEqual(["200", "200", "200"]);
  expect(held.map(({ endedMs }) => endedMs)).toEqual([[], [], []]);
  const startedMs = performance.now();
  await revoke("gone");
  await expect.poll(() => held.slice(0, 2).map(({ endedMs }) => endedMs.length), PATIENCE).toEqual([2, 2]);
  const latestMs = Math.max(...held.flatMap(({ endedMs }) => endedMs)) - startedMs;
  process.stdout.write(`4 streams at 2 servers ended ${Math.round(latestMs)} ms after the revocation\n`);
  expect(latestMs).toBeLessThan(MOST_LATE_MS);
  expect([await ask(gone, 0), await ask(gone, 1)]).toEqual(["401 revoked", "401 revoked"]);
  // The control: another node's streams go on, and bring what happens.
  const [, , other] = held;
  const before = other?.received() ?? 0;
  await expect.poll(() => other?.received(), PATIENCE).toBeGreaterThan(before);
  expect([other?.endedMs, await ask(stays, 1)]).toEqual([[], "200"]);
  other?.end();
  await at(1)[Symbol.asyncDispose]();
  servers = [at(0), await startServer("two")];
  expect([await ask(gone, 1), await ask(stays, 1)]).toEqual(["401 revoked", "200"]);
});

it("lets the node in again with a new enrolment, and what it had before stays revoked", async () => {
  const before = await enrol("n1");
  const superseded = await enrol("n1");
  await revoke("n1");
  const after = await enrol("n1");
  await expect.poll(() => ask(after, 1), PATIENCE).toBe("200");
  for (const each of [before, superseded])
    expect([await ask(each, 0), await ask(each, 1)]).toEqual(["401 revoked", "401 revoked"]);
  // Once more: what counted until now does no more.
  await revoke("n1");
  await expect.poll(() => ask(after, 1), PATIENCE).toBe("401 revoked");
});

it("leaves an earlier enrolment alone that nobody revoked (control)", async () => {
  const before = await enrol("n1");
  await enrol("n1");
  expect([await ask(before, 0), await ask(before, 1)]).toEqual(["200", "200"]);
});
