import net from "node:net";
import { text } from "node:stream/consumers";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type LogFacts, ParasausError, silentLogger } from "../../foundation/index.ts";
import { createHttpServer, type HttpServer, type RequestObservation } from "./server.ts";

describe("createHttpServer", () => {
  let server: HttpServer;
  let isReady: boolean;
  let observed: RequestObservation[];
  let logged: LogFacts[];

  beforeEach(async () => {
    isReady = true;
    observed = [];
    logged = [];
    server = await start();
  });
  afterEach(async () => {
    await server[Symbol.asyncDispose]();
  });

  const start = (
    timeouts: { headersTimeoutMs?: number; requestTimeoutMs?: number } = {},
  ): Promise<HttpServer> =>
    createHttpServer(
      {
        ...timeouts,
        logger: { ...silentLogger, error: (_event, facts = {}) => void logged.push(facts) },
        version: "1.2.3",
        health: {
          live: [{ name: "ping", check: () => undefined }],
          ready: [
            { name: "store", check: async () => (isReady ? undefined : "disk is gone") },
            { name: "cache", check: () => undefined },
          ],
        },
        metrics: async () => ({ contentType: "text/plain; version=0.0.4", body: "up 1\n" }),
        onResponse: (observation) => observed.push(observation),
        hostNames: ["lb.example"],
        routes: [
          (app) => {
            app.post("/echo", (request) => ({ bytes: (request.body as Buffer).length }));
            app.get("/refused", () => {
              throw new ParasausError("Conflict", "somebody else was first");
            });
            app.get("/broken", () => {
              throw new Error("password=hunter2");
            });
          },
        ],
      },
      { host: "127.0.0.1", port: 0 },
    );

  const get = async (path: string, headers = {}): Promise<[number, string]> => {
    const response = await fetch(server.url + path, { headers });
    return [response.status, await response.text()];
  };
  const raw = async (bytes: string): Promise<string> => {
    const { port } = new URL(server.url);
    const socket = net.connect(Number(port), "127.0.0.1");
    socket.write(bytes);
    return await text(socket);
  };

  it("is alive and ready in one word, or line by line with ?verbose", async () => {
    expect(await get("/livez")).toEqual([200, "ok"]);
    expect(await get("/healthz")).toEqual([200, "ok"]);
    const head = await fetch(`${server.url}/readyz`, { method: "HEAD" });
    expect([head.status, await head.text()]).toEqual([200, ""]);
    expect(await get("/readyz?verbose")).toEqual([200, "[+]store ok\n[+]cache ok\nreadyz check passed\n"]);
  });

  it("says which check fails, and leaves out what is excluded", async () => {
    isReady = false;
    const failing = "[-]store failed: disk is gone\n[+]cache ok\nreadyz check failed\n";
    expect(await get("/readyz")).toEqual([503, failing]);
    expect(await get("/readyz?exclude=store")).toEqual([200, "ok"]);
    expect(await get("/livez")).toEqual([200, "ok"]);
  });

  it("serves version and metrics", async () => {
    expect(JSON.parse((await get("/version"))[1])).toMatchObject({
      major: "1",
      minor: "2",
      gitVersion: "v1.2.3",
    });
    expect(await get("/metrics")).toEqual([200, "up 1\n"]);
  });

  it("answers refusals as Status, and keeps what failed unexpectedly for the log", async () => {
    expect(JSON.parse((await get("/refused"))[1])).toMatchObject({
      kind: "Status",
      reason: "Conflict",
      code: 409,
    });
    const [code, body] = await get("/broken");
    expect([code, body.includes("hunter2")]).toEqual([500, false]);
    expect(String(logged[0]?.["error"])).toContain("hunter2");
  });

  it("answers an unknown path with a Status", async () => {
    expect(JSON.parse((await get("/nowhere"))[1])).toMatchObject({
      kind: "Status",
      reason: "NotFound",
      message: "the server could not find the requested resource",
    });
  });

  it("takes a body of 3 MiB and refuses a larger one with a Status", async () => {
    const post = async (size: number): Promise<Response> =>
      await fetch(`${server.url}/echo`, { method: "POST", body: Buffer.alloc(size, "x") });
    expect(await (await post(3 * 1024 * 1024)).json()).toEqual({ bytes: 3 * 1024 * 1024 });
    const refused = await post(10_000_000);
    expect([refused.status, await refused.json()]).toMatchObject([413, { reason: "RequestEntityTooLarge" }]);
  });

  it("refuses a large body that does not say how large it is, before it is all there", async () => {
    const chunk = `10000\r\n${"x".repeat(65_536)}\r\n`;
    const head = "POST /echo HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n";
    expect(await raw(head + chunk.repeat(64))).toMatch(/^HTTP\/1\.1 413 /);
  });

  it("does not wait for headers or a body that never come", async () => {
    await server[Symbol.asyncDispose]();
    server = await start({ headersTimeoutMs: 200, requestTimeoutMs: 400 });
    expect(await raw("GET /livez HTTP/1.1\r\nHost: localhost\r\nX-Slow: ")).toMatch(/^HTTP\/1\.1 408 /);
    expect(await raw("POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\nabc")).toMatch(
      /^HTTP\/1\.1 408 /,
    );
  });

  it("answers to its own names only, so that a hostile page cannot rebind one to it", async () => {
    const askAs = async (host: string): Promise<string> =>
      await raw(`GET /livez HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`);
    for (const host of ["localhost:6780", "127.0.0.1", "[::1]:6780", "LB.example"]) {
      expect(await askAs(host)).toMatch(/^HTTP\/1\.1 200 /);
    }
    expect(await askAs("evil.example")).toMatch(/^HTTP\/1\.1 403 /);
  });

  it("answers its own pages and this machine's, and no page of the Internet that needs no name for it", async () => {
    const from = async (origin: string) => (await get("/livez", { origin }))[0];
    const { host, port } = new URL(server.url);
    for (const origin of [`http://${host}`, "http://localhost:5173", `http://[::1]:${port}`])
      expect([origin, await from(origin)]).toEqual([origin, 200]);
    for (const origin of ["https://evil.example", "http://10.0.0.1", "null", "http://localhost.evil.example"])
      expect([origin, await from(origin)]).toEqual([origin, 403]);
  });

  it("tells the observer about every request", async () => {
    await get("/livez");
    await get("/nowhere");
    expect(observed).toMatchObject([
      { method: "GET", verb: "get", resource: "", code: 200 },
      { method: "GET", verb: "get", resource: "", code: 404 },
    ]);
  });

  it("refuses to listen where somebody else does, by name", async () => {
    const port = Number(new URL(server.url).port);
    const options = {
      logger: silentLogger,
      version: "0",
      health: { live: [], ready: [] },
      metrics: async () => ({ contentType: "", body: "" }),
      routes: [],
    };
    const failure = await createHttpServer(options, { host: "127.0.0.1", port }).catch(
      (reason: unknown) => reason,
    );
    expect(failure).toMatchObject({ code: "Unavailable", message: expect.stringContaining("EADDRINUSE") });
  });
});
