import { once } from "node:events";
import https from "node:https";
import type { AddressInfo } from "node:net";
import type { TLSSocket } from "node:tls";
import { afterEach, beforeEach, expect, it } from "vitest";
import {
  type CertificateAuthority,
  createCertificateAuthority,
  createCertificateRequest,
  issueNodeCertificate,
  issueServerCertificate,
} from "../../src/pki/index.ts";
import { type ClientTls, createNodeTransport, type NodeTransport } from "../../src/resources/remote/index.ts";

const HOUR_MS = 3_600_000;
let authority: CertificateAuthority;
let server: https.Server;
let shown: ClientTls;
let transport: NodeTransport;
/** One for each connection that the server has accepted. */
let connectionCount: number;
/** Ends the answers that are still running. */
let endStreams: (() => void)[];

async function newCredentials(): Promise<ClientTls> {
  const { request, privateKey } = await createCertificateRequest("n1");
  const options = {
    request,
    nodeName: "n1",
    enrolment: "0".repeat(32),
    lifetimeMs: HOUR_MS,
    now: new Date(),
  };
  const cert = await issueNodeCertificate(authority, options);
  return { ca: authority.certificate, cert, key: privateKey };
}

beforeEach(async () => {
  authority = await createCertificateAuthority(new Date());
  const own = await issueServerCertificate(authority, {
    names: ["127.0.0.1"],
    lifetimeMs: HOUR_MS,
    now: new Date(),
  });
  connectionCount = 0;
  endStreams = [];
  server = https.createServer(
    { cert: own.certificate, key: own.privateKey, ca: authority.certificate, requestCert: true },
    (request, response) => {
      response.write((request.socket as TLSSocket).getPeerCertificate().serialNumber);
      if (request.url === "/stream") endStreams.push(() => response.end(" to the end"));
      else response.end();
    },
  );
  server.on("secureConnection", () => {
    connectionCount += 1;
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  shown = await newCredentials();
  const { port } = server.address() as AddressInfo;
  transport = createNodeTransport({ servers: [`https://127.0.0.1:${port}`], tls: () => shown });
});
afterEach(async () => {
  transport[Symbol.dispose]();
  server.closeAllConnections();
  server.close();
  await once(server, "close");
});

const open = async (path: string) => {
  const signal = AbortSignal.timeout(10_000);
  return (await transport.send({ method: "GET", path, headers: {}, signal })).body;
};
const read = async (body: AsyncIterable<Uint8Array>) => {
  const chunks: Uint8Array[] = [];
  for await (const chunk of body) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
};

it("shows what was renewed with the next request, and on no other connection than before until then", async () => {
  const first = await read(await open("/"));
  expect([await read(await open("/")), connectionCount]).toEqual([first, 1]);
  shown = await newCredentials();
  const second = await read(await open("/"));
  expect(second).not.toBe(first);
  expect([await read(await open("/")), connectionCount]).toEqual([second, 2]);
});

it("lets an answer that is under way come to its end, and keeps its connection for nobody", async () => {
  const stream = await open("/stream");
  shown = await newCredentials();
  const next = await read(await open("/"));
  for (const end of endStreams) end();
  const old = await read(stream);
  expect(old).toMatch(/ to the end$/);
  expect(old).not.toContain(next);
  await expect
    .poll(() => new Promise((resolve) => server.getConnections((_failure, count) => resolve(count))))
    .toBe(1);
});
