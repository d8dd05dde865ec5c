import { once } from "node:events";
import http from "node:http";
import https from "node:https";
import net from "node:net";
import { json, text } from "node:stream/consumers";
import tls from "node:tls";
import { afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { ParasausError, silentLogger } from "../../foundation/index.ts";
import {
  type CertificateAuthority,
  createCertificateAuthority,
  createCertificateRequest,
  issueNodeCertificate,
  issueServerCertificate,
} from "../../pki/index.ts";
import { createHttpServer, type HttpServer } from "./server.ts";
import { failureStatus } from "./status.ts";
import { speakTls, type TlsMaterial, type TlsPort } from "./tls-port.ts";

const HOUR_MS = 3_600_000;
let authority: CertificateAuthority;
let stranger: CertificateAuthority;

beforeAll(async () => {
  authority = await createCertificateAuthority(new Date());
  stranger = await createCertificateAuthority(new Date());
});

const materialFor = async (name = "127.0.0.1"): Promise<TlsMaterial> => ({
  ...(await issueServerCertificate(authority, { names: [name], lifetimeMs: HOUR_MS, now: new Date() })),
  clientAuthorities: [authority.certificate],
});
const nodeCredentials = async (nodeName: string, issuer = authority, lifetimeMs = HOUR_MS) => {
  const { privateKey, request } = await createCertificateRequest(nodeName);
  const enrolment = "0".repeat(32);
  const options = { request, nodeName, enrolment, lifetimeMs, now: new Date() };
  return { key: privateKey, cert: await issueNodeCertificate(issuer, options) };
};

interface Answer {
  readonly status: number | undefined;
  readonly body: unknown;
  readonly socket: tls.TLSSocket;
  /** Of the server's certificate. */
  readonly serialNumber: string | undefined;
}

type TlsRequest = https.RequestOptions & Pick<tls.ConnectionOptions, "session">;

function ask(port: number, options: TlsRequest = {}, body?: Buffer): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const target = { host: "127.0.0.1", port, ca: authority.certificate, agent: false, ...options };
    const request = https.request(target, async (response) => {
      // A connection that is kept alive is taken from the response at its end.
      const socket = response.socket as tls.TLSSocket;
      const serialNumber = socket.getPeerX509Certificate()?.serialNumber;
      resolve({ status: response.statusCode, body: await json(response), socket, serialNumber });
    });
    request.once("error", reject);
    request.end(body);
  });
}

describe("a port that speaks TLS", () => {
  let server: http.Server;
  let port: number;
  let tlsPort: TlsPort;
  let isPlainPermitted: boolean;

  beforeEach(async () => {
    isPlainPermitted = true;
    server = http.createServer(async (request, response) => {
      const { length } = await text(request);
      response.end(JSON.stringify({ isEncrypted: request.socket instanceof tls.TLSSocket, length }));
    });
    tlsPort = speakTls(server, {
      material: await materialFor(),
      isPlainPermitted: () => isPlainPermitted,
      refusal: failureStatus(new ParasausError("BadRequest", "use https")),
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    port = (server.address() as net.AddressInfo).port;
  });
  afterEach(async () => {
    tlsPort.endPending();
    server.closeAllConnections();
    server.close();
    await once(server, "close");
  });
  const plainly = (body?: Buffer) =>
    fetch(`http://127.0.0.1:${port}/`, { method: "POST", ...(body ? { body } : {}) });

  it("serves both languages, small and large", async () => {
    for (const length of [0, 1, 3_000_000]) {
      const body = Buffer.alloc(length, "x");
      expect(await (await plainly(body)).json()).toEqual({ isEncrypted: false, length });
      expect((await ask(port, { method: "POST" }, body)).body).toEqual({ isEncrypted: true, length });
    }
  });

  it("keeps connections alive in both languages", async () => {
    const agent = new https.Agent({ keepAlive: true, maxSockets: 1 });
    const [first, second] = [await ask(port, { agent }), await ask(port, { agent })];
    expect(second.socket).toBe(first.socket);
    agent.destroy();
    const plain = net.connect(port, "127.0.0.1");
    plain.write("GET / HTTP/1.1\r\nHost: x\r\n\r\nGET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    expect((await text(plain)).match(/HTTP\/1\.1 200/g)).toHaveLength(2);
  });

  it("tells who speaks plain HTTP where that is not permitted what to do, and closes", async () => {
    isPlainPermitted = false;
    const refused = await plainly(Buffer.alloc(100_000));
    expect([refused.status, await refused.json()]).toMatchObject([
      400,
      { kind: "Status", message: "use https" },
    ]);
    expect((await ask(port)).status).toBe(200);
  });

  it("speaks TLS 1.2 and 1.3, and nothing older", async () => {
    const speak = async (version: tls.SecureVersion) =>
      (await ask(port, { minVersion: version, maxVersion: version, ciphers: "DEFAULT@SECLEVEL=0" })).status;
    expect([await speak("TLSv1.2"), await speak("TLSv1.3")]).toEqual([200, 200]);
    for (const version of ["TLSv1", "TLSv1.1"] as const)
      await expect(speak(version)).rejects.toThrow(/protocol version|unsupported protocol/i);
  });

  it("shows a new certificate to new connections, while those there are go on", async () => {
    const agent = new https.Agent({ keepAlive: true, maxSockets: 1 });
    const first = await ask(port, { agent });
    tlsPort.use(await materialFor());
    const kept = await ask(port, { agent });
    const fresh = await ask(port);
    expect([kept.status, kept.socket === first.socket]).toEqual([200, true]);
    expect(fresh.serialNumber).not.toBe(first.serialNumber);
    agent.destroy();
  });

  it("refuses a certificate that is not its key's, and goes on with the one it has", async () => {
    const [mine, other] = [await materialFor(), await materialFor()];
    expect(() => tlsPort.use({ ...mine, privateKey: other.privateKey })).toThrow(/key values mismatch/);
    expect((await ask(port)).status).toBe(200);
  });

  it("lets go of connections that say nothing, or stop in the handshake, when it ends", async () => {
    const silent = net.connect(port, "127.0.0.1");
    const halfway = net.connect(port, "127.0.0.1", () => halfway.write(Buffer.from([0x16, 3, 1])));
    await Promise.all([once(silent, "connect"), once(halfway, "connect")]);
    await expect
      .poll(() => new Promise((resolve) => server.getConnections((_, count) => resolve(count))))
      .toBe(2);
    const gone = Promise.all(
      [silent, halfway].map((socket) =>
        once(
          socket.on("error", () => undefined),
          "close",
        ),
      ),
    );
    tlsPort.endPending();
    await gone;
  });
});

describe("createHttpServer with TLS", () => {
  let server: HttpServer;
  let now: Date;

  beforeEach(async () => {
    now = new Date();
    server = await createHttpServer(
      {
        logger: silentLogger,
        version: "1.2.3",
        health: { live: [], ready: [] },
        metrics: async () => ({ contentType: "", body: "" }),
        tls: await materialFor(),
        localNames: () => ["lb.example"],
        now: () => now,
        routes: [
          (app) => void app.get("/who", ({ identity }) => identity),
          (app) =>
            void app.get("/internal/v1/nodes/:node/requests", (_request, reply) => {
              reply.hijack();
              reply.raw.writeHead(200).write("\n");
            }),
        ],
      },
      { host: "127.0.0.1", port: 0 },
    );
  });
  afterEach(async () => server[Symbol.asyncDispose]());
  const who = async (options: TlsRequest = {}) => {
    const { status, body } = await ask(server.port, { path: "/who", ...options });
    return [status, body];
  };

  it("knows a node by its certificate, and on loopback an operator without one", async () => {
    expect(await who()).toEqual([200, { kind: "operator" }]);
    // A node may not ask this; that it is refused by name shows that it is known.
    expect(await who(await nodeCredentials("n1"))).toMatchObject([
      403,
      { reason: "Forbidden", message: 'Cannot GET /who: the node "n1" may not' },
    ]);
  });

  it("answers on loopback to the names of its certificate, and to no other", async () => {
    const called = (host: string) => who({ headers: { host }, checkServerIdentity: () => undefined });
    expect((await called("lb.example:6780"))[0]).toBe(200);
    expect(await called("evil.example:6780")).toMatchObject([
      403,
      { message: 'Cannot answer for the host "evil.example": it is not a name of this server' },
    ]);
  });

  it("refuses who shows a certificate that another authority signed, in words", async () => {
    expect(await who(await nodeCredentials("n1", stranger))).toMatchObject([
      401,
      { reason: "Unauthorized", message: expect.stringContaining("UNABLE_TO_") },
    ]);
  });

  it("refuses a server's certificate as a client's, even the server's own", async () => {
    const { certificate, privateKey } = await materialFor();
    expect(await who({ cert: certificate, key: privateKey })).toMatchObject([
      401,
      { message: expect.stringContaining("INVALID_PURPOSE") },
    ]);
  });

  it("refuses a node on a connection that it opened before its certificate ended", async () => {
    const agent = new https.Agent({ keepAlive: true, maxSockets: 1 });
    const options = { agent, ...(await nodeCredentials("n1")) };
    expect((await who(options))[0]).toBe(403);
    now = new Date(Date.now() + 2 * HOUR_MS);
    expect(await who(options)).toMatchObject([401, { message: expect.stringContaining("ended at") }]);
    agent.destroy();
  });

  it("ends a stream with the certificate that it was opened with, and no other", async () => {
    const open = async (lifetimeMs: number) => {
      const { key, cert } = await nodeCredentials("n1", authority, lifetimeMs);
      const path = "/internal/v1/nodes/n1/requests";
      const target = { host: "127.0.0.1", port: server.port, ca: authority.certificate, agent: false, path };
      const request = https.get({ ...target, key, cert });
      const [response] = (await once(request, "response")) as [http.IncomingMessage];
      return response.on("error", () => undefined).resume();
    };
    const [short, long] = [await open(2_500), await open(HOUR_MS)];
    expect([short.statusCode, short.destroyed]).toEqual([200, false]);
    await new Promise((resolve) => short.once("close", resolve));
    expect(long.destroyed).toBe(false);
    long.destroy();
  });

  it("resumes sessions, and still knows who it is", async () => {
    const credentials = await nodeCredentials("n1");
    const session = await new Promise<Buffer>((resolve, reject) => {
      const socket = tls.connect({
        host: "127.0.0.1",
        port: server.port,
        ca: authority.certificate,
        ...credentials,
      });
      socket.once("session", (ticket) => {
        resolve(ticket);
        socket.destroy();
      });
      socket.once("error", reject);
    });
    const resumed = await ask(server.port, { path: "/who", session, ...credentials });
    expect(resumed.socket.isSessionReused()).toBe(true);
    expect(resumed.body).toMatchObject({ message: 'Cannot GET /who: the node "n1" may not' });
  });

  it("refuses a path that there is not to who may not ask for any, so that nobody learns what there is", async () => {
    expect(await who({ path: "/nowhere" })).toMatchObject([404, {}]);
    expect(await who({ path: "/nowhere", ...(await nodeCredentials("n1")) })).toMatchObject([403, {}]);
  });

  it("lists its routes", () => {
    expect(server.routes).toEqual(expect.arrayContaining(["GET /livez", "HEAD /livez", "GET /who"]));
  });
});
