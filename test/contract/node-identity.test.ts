import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmdirSync, rmSync, writeFileSync } from "node:fs";
import type http from "node:http";
import https from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { identityFilesIn } from "../../src/agent/enrolment/identity-files.ts";
import { type NodeIdentity, openNodeIdentity } from "../../src/agent/index.ts";
import { loadConfiguration } from "../../src/configuration/index.ts";
import { type LogFacts, silentLogger, systemClock } from "../../src/foundation/index.ts";
import {
  type CertificateAuthority,
  createCertificateAuthority,
  createCertificateRequest,
  issueServerCertificate,
} from "../../src/pki/index.ts";
import { askJson, createNodeTransport } from "../../src/resources/remote/index.ts";
import { type ControlPlane, startControlPlane } from "../../src/server/control-plane.ts";

const LIFETIME_S = 6;
const patience = { timeout: 20_000, interval: 50 };
let folder: string;
let organisation: CertificateAuthority;
let controlPlane: ControlPlane;
let url: string;
let ending: AbortController;
let keeping: Promise<void>[];

/** A server with a certificate of the organisation's; `chain` is what is shown after it. */
async function start(chain = "", listen = "127.0.0.1:0"): Promise<void> {
  const now = new Date();
  const own = await issueServerCertificate(organisation, {
    names: ["127.0.0.1"],
    lifetimeMs: 3_600_000,
    now,
  });
  const file = (name: string, content: string) => {
    writeFileSync(path.join(folder, name), content);
    return path.join(folder, name);
  };
  const flags = {
    ...{ noAuth: "true", listen, dataDir: folder, nodeCertificateSeconds: String(LIFETIME_S) },
    tlsCert: file("tls.crt", own.certificate + chain),
    tlsKey: file("tls.key", own.privateKey),
  };
  const around = { program: "server" as const, isRoot: false, homeDirectory: folder, hostname: "lb-1" };
  const { values: configuration } = loadConfiguration({ flags, environment: {}, around });
  const options = { configuration, log: silentLogger, clock: systemClock, random: () => 0 };
  controlPlane = await startControlPlane(options, new AbortController().signal);
  url = `https://127.0.0.1:${controlPlane.tls?.port}`;
}

interface Begun {
  readonly identity: NodeIdentity;
  readonly directory: string;
  readonly logged: () => string;
}

async function begin(
  token: string,
  ca?: string,
  directory = mkdtempSync(path.join(folder, "node-")),
): Promise<Begun> {
  const tokenFile = path.join(directory, "token");
  writeFileSync(tokenFile, token);
  const lines: (string | LogFacts)[] = [];
  const note = (event: string, facts: LogFacts = {}) =>
    void lines.push(event, `${facts["error"] ?? ""}`, facts);
  const identity = await openNodeIdentity({
    ...{ nodeName: "n1", servers: url.split(","), directory, tokenFile, ca },
    ...{ clock: systemClock, random: () => 0, signal: ending.signal },
    logger: { ...silentLogger, info: note, warn: note, error: note },
  });
  keeping.push(identity.keep());
  return { identity, directory, logged: () => JSON.stringify(lines) };
}

/** Something that answers over TLS and nothing else is known of. */
async function serveTls(answer: http.RequestListener): Promise<AsyncDisposable & { readonly url: string }> {
  const own = await issueServerCertificate(organisation, {
    ...{ names: ["127.0.0.1"], lifetimeMs: 3_600_000, now: new Date() },
  });
  const server = https.createServer({ cert: own.certificate, key: own.privateKey }, answer);
  await once(server.listen(0, "127.0.0.1"), "listening");
  return {
    url: `https://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
    },
  };
}

/** What `parasaus node token` gets. */
async function makeToken(): Promise<{ readonly secret: string; readonly authorityHash?: string }> {
  using transport = createNodeTransport({ servers: [controlPlane.url] });
  const question = {
    path: "/internal/v1/tokens",
    body: { nodeName: "n1", lifetimeSeconds: 60 },
    signal: ending.signal,
  };
  return (await askJson(transport, question)) as { secret: string };
}

const serialOf = ({ identity }: Begun) => identity.tls().cert;

beforeEach(async () => {
  folder = mkdtempSync(path.join(tmpdir(), "parasaus-node-identity-"));
  organisation = await createCertificateAuthority(new Date());
  ending = new AbortController();
  keeping = [];
});
afterEach(async () => {
  ending.abort();
  await Promise.all(keeping);
  await controlPlane[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true });
});

describe("where servers show a certificate of an organisation's authority", () => {
  it("a token without its hash needs --ca, with which the node enrols and renews", async () => {
    await start();
    const { secret, authorityHash } = await makeToken();
    expect(authorityHash).toBeUndefined();
    const blind = await begin(secret);
    await expect.poll(blind.logged, patience).toContain("node not enrolled, trying again");
    expect(blind.identity.validTo).toBeUndefined();
    // The control: with the authority the same token, which the blind one did not show to anybody, is good.
    const told = await begin(secret, organisation.certificate);
    await expect.poll(() => told.identity.validTo, patience).toBeDefined();
    const first = serialOf(told);
    await expect.poll(() => serialOf(told) !== first, patience).toBe(true);
    expect(told.identity.trouble).toBeNull();
    await expect.poll(told.logged, patience).toContain("certificate renewed");
  });

  it("a token has its hash when the chain holds it", async () => {
    await start(organisation.certificate);
    const { secret, authorityHash = "" } = await makeToken();
    const begun = await begin(`${secret}.${authorityHash.replace("sha256:", "")}`);
    await expect.poll(() => begun.identity.validTo, patience).toBeDefined();
    expect(begun.identity.tls().ca?.trim()).toBe(organisation.certificate.trim());
  });
});

it("says in time that it is not renewed because the node was enrolled anew, and what to do", async () => {
  await start();
  const old = await begin((await makeToken()).secret, organisation.certificate);
  await expect.poll(() => old.identity.validTo, patience).toBeDefined();
  const other = await begin((await makeToken()).secret, organisation.certificate);
  await expect
    .poll(() => old.identity.trouble, patience)
    .toMatch(
      /^The certificate ends at 20\S+Z and is not renewed: Cannot renew .* enrolled anew since.*; run `parasaus node token n1`/,
    );
  expect((old.identity.validTo ?? new Date(0)).getTime()).toBeGreaterThan(Date.now());
  expect(other.identity.trouble).toBeNull();
  writeFileSync(path.join(old.directory, "token"), (await makeToken()).secret);
  await expect.poll(() => old.identity.trouble, patience).toBeNull();
});

it("goes on with a certificate that it cannot write, and writes it when it can", async () => {
  await start();
  const begun = await begin((await makeToken()).secret, organisation.certificate);
  const file = path.join(begun.directory, "identity.pem");
  const shown = () => begun.identity.tls().cert ?? "none";
  await expect.poll(() => existsSync(file), patience).toBe(true);
  const first = shown();
  // Where it writes before it renames, something is in the way.
  mkdirSync(`${file}.new`);
  await expect.poll(() => shown() !== first, patience).toBe(true);
  await expect.poll(begun.logged, patience).toContain("identity not written, trying again");
  expect(readFileSync(file, "utf8")).toContain(first);
  rmdirSync(`${file}.new`);
  await expect.poll(() => readFileSync(file, "utf8").includes(shown()), patience).toBe(true);
});

it("asks another server when one cannot answer", async () => {
  await start();
  const { secret } = await makeToken();
  let askedCount = 0;
  await using broken = await serveTls((_request, response) => {
    askedCount += 1;
    response.writeHead(503).end();
  });
  url = `${broken.url},${url}`;
  const begun = await begin(secret, organisation.certificate);
  await expect.poll(() => begun.identity.validTo, patience).toBeDefined();
  expect(askedCount).toBe(1);
});

it("keeps its token while a server is down, though another one is of another authority", async () => {
  await start(organisation.certificate);
  const { secret, authorityHash = "" } = await makeToken();
  const token = `${secret}.${authorityHash.replace("sha256:", "")}`;
  const { port } = new URL(url);
  await controlPlane[Symbol.asyncDispose]();
  const stranger = await createCertificateAuthority(new Date());
  const answer = JSON.stringify({ certificate: stranger.certificate });
  await using other = await serveTls((_request, response) => response.end(answer));
  const [rightUrl, wrongUrl] = [url, other.url];
  // The one that is down is asked first, so that the stranger has the last word.
  url = `${rightUrl},${wrongUrl}`;
  const begun = await begin(token);
  await expect.poll(begun.logged, patience).toContain("its authority is sha256:");
  expect(begun.logged()).toContain("ECONNREFUSED");
  expect(begun.logged()).not.toContain("token refused");
  // The control: where nobody is down, the stranger's word ends it.
  url = wrongUrl;
  const lost = await begin(token);
  await expect.poll(lost.logged, patience).toContain("token refused");
  await start(organisation.certificate, `127.0.0.1:${port}`);
  await expect.poll(() => begun.identity.validTo, patience).toBeDefined();
  expect(lost.identity.validTo).toBeUndefined();
});

it("comes to its certificate with the key that it asked with, when the answer was lost", async () => {
  await start();
  const { secret } = await makeToken();
  const directory = path.join(folder, "lost");
  const made = await createCertificateRequest("n1");
  await identityFilesIn(directory).writeRequest(made);
  const ca = organisation.certificate;
  using transport = createNodeTransport({ servers: [url], tls: () => ({ ca }) });
  const body = { nodeName: "n1", token: secret, request: made.request };
  // The server's answer to this is the one that is lost.
  await askJson(transport, { path: "/internal/v1/enrolments", body, signal: ending.signal });
  const begun = await begin(secret, ca, directory);
  await expect.poll(() => begun.identity.validTo, patience).toBeDefined();
  expect(begun.identity.tls().key).toBe(made.privateKey);
  // The control: who has another key is refused.
  const other = await begin(secret, ca);
  await expect.poll(other.logged, patience).toContain("used already");
});
