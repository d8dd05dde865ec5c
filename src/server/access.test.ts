import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import https from "node:https";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { loadConfiguration } from "../configuration/index.ts";
import { silentLogger, systemClock } from "../foundation/index.ts";
import {
  createCertificateAuthority,
  createCertificateRequest,
  issueNodeCertificate,
  issueServerCertificate,
} from "../pki/index.ts";
import { type ControlPlane, startControlPlane } from "./control-plane.ts";

type Credentials = Pick<https.RequestOptions, "key" | "cert" | "agent">;

const TIMEOUT_MS = 600_000;
const folder = mkdtempSync(path.join(tmpdir(), "parasaus-access-"));
let controlPlane: ControlPlane;
let authority: string;
let node: Credentials;
let stranger: Credentials;

beforeAll(async () => {
  const now = new Date();
  const [trusted, other] = [await createCertificateAuthority(now), await createCertificateAuthority(now)];
  const server = await issueServerCertificate(trusted, { names: ["127.0.0.1"], lifetimeMs: TIMEOUT_MS, now });
  const credentialsFrom = async (issuer: typeof trusted): Promise<Credentials> => {
    const { privateKey, request } = await createCertificateRequest("n1");
    const options = { request, nodeName: "n1", enrolment: "0".repeat(32), lifetimeMs: TIMEOUT_MS, now };
    const cert = await issueNodeCertificate(issuer, options);
    return { key: privateKey, cert, agent: new https.Agent({ keepAlive: true }) };
  };
  authority = trusted.certificate;
  node = await credentialsFrom(trusted);
  stranger = await credentialsFrom(other);
  const file = (name: string, content: string) => {
    writeFileSync(path.join(folder, name), content);
    return path.join(folder, name);
  };
  const flags = {
    listen: "127.0.0.1:0",
    noAuth: "true",
    dataDir: folder,
    tlsCert: file("tls.crt", server.certificate),
    tlsKey: file("tls.key", server.privateKey),
    tlsClientCa: file("ca.crt", trusted.certificate),
  };
  const around = { program: "server" as const, isRoot: false, homeDirectory: folder, hostname: "lb-1" };
  const { values: configuration } = loadConfiguration({ flags, environment: {}, around });
  const random = () => 0;
  const options = { configuration, log: silentLogger, clock: systemClock, random };
  controlPlane = await startControlPlane(options, new AbortController().signal);
}, TIMEOUT_MS);
afterAll(async () => {
  for (const { agent } of [node, stranger]) (agent as https.Agent).destroy();
  await controlPlane[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true });
});

/** HTTP status of a route, its parameters filled in. */
function statusOf(credentials: Credentials, route: string, name: string): Promise<number> {
  const [method, pattern = ""] = route.split(" ");
  const filled = pattern.replace(/:(name|node)\b/g, name).replace(/:\w+/g, "x");
  return new Promise((resolve, reject) => {
    const { port = 0 } = controlPlane.tls ?? {};
    const target = { host: "127.0.0.1", port, ca: authority, method, path: filled.replace("*", "x") };
    const request = https.request({ ...target, ...credentials }, (response) => {
      resolve(response.statusCode ?? 0);
      // A stream has no end of its own.
      if (filled.endsWith("/requests")) response.destroy();
      else response.resume();
    });
    request.once("error", reject);
    request.end();
  });
}

async function routesThat(credentials: Credentials, name: string, refusal: number): Promise<string[]> {
  const answered: string[] = [];
  for (const route of controlPlane.routes)
    if ((await statusOf(credentials, route, name)) !== refusal) answered.push(route);
  return answered;
}

const OPEN = [
  ...["livez", "readyz", "healthz"].flatMap((probe) => [`GET /${probe}`, `HEAD /${probe}`]),
  "GET /internal/v1/authority",
  "POST /internal/v1/enrolments",
  ...["GET /", "GET /console", "GET /console/*", "HEAD /console/*"],
  ...["GET /api/login", "POST /api/login", "GET /api/oidc/login", "GET /api/oidc/callback"],
  "POST /api/first-administrator",
];
const PARASAUS = "/apis/parasaus.io/v1";
/** What a node may read, whatever its name. */
const READ = [
  "GET /api/v1/namespaces",
  "GET /api/v1/namespaces/:name",
  `GET ${PARASAUS}/addresspools`,
  `GET ${PARASAUS}/addresspools/:name`,
  `GET ${PARASAUS}/pools`,
  `GET ${PARASAUS}/namespaces/:namespace/pools`,
  `GET ${PARASAUS}/namespaces/:namespace/pools/:name`,
  // The name of what is created stands in the body, which is looked at once more.
  `POST ${PARASAUS}/nodes`,
];
const OWN = [
  ...["GET", "PUT", "PATCH"].flatMap((method) => [
    `${method} ${PARASAUS}/nodes/:name`,
    `${method} ${PARASAUS}/nodes/:name/status`,
  ]),
  "GET /internal/v1/nodes/:node/requests",
  "POST /internal/v1/nodes/:node/answers/:id",
  "POST /internal/v1/nodes/:node/certificates",
];

describe("over every route that the router lists", { timeout: TIMEOUT_MS }, () => {
  it("a node reaches what it needs, and of the Nodes its own", async () => {
    expect(controlPlane.routes.length).toBeGreaterThan(80);
    expect((await routesThat(node, "n1", 403)).sort()).toEqual([...OPEN, ...READ, ...OWN].sort());
  });

  it("a node reaches nothing of another node", async () => {
    expect((await routesThat(node, "n2", 403)).sort()).toEqual([...OPEN, ...READ].sort());
  });

  it("whoever is believed by nobody reaches what tells whether the server is well", async () => {
    expect((await routesThat(stranger, "n1", 401)).sort()).toEqual([...OPEN].sort());
  });
});
