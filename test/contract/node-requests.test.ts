import { createServer } from "node:net";
import { afterAll, beforeAll, expect, it } from "vitest";
import { httpNodeRequests } from "../../src/agent/index.ts";
import { createHttpServer, createNodeRequests, type HttpServer } from "../../src/api/index.ts";
import { silentLogger, systemClock } from "../../src/foundation/index.ts";

const requests = createNodeRequests({ clock: systemClock });
let server: HttpServer;

beforeAll(async () => {
  server = await createHttpServer(
    {
      logger: silentLogger,
      version: "0.1.0",
      health: { live: [], ready: [] },
      metrics: async () => ({ contentType: "text/plain", body: "" }),
      routes: [requests.routes],
    },
    { host: "127.0.0.1", port: 0 },
  );
});
afterAll(() => server[Symbol.asyncDispose]());

it("carries requests to the agent and answers back, over HTTP that the agent opened", async () => {
  const transport = httpNodeRequests({ servers: [server.url] });
  const stop = new AbortController();
  const agent = (async () => {
    for await (const { id, request } of transport.open("n 1/ä", stop.signal)) {
      const value = request.kind === "explain" ? null : [];
      await transport.answer("n 1/ä", id, { kind: "answered", value });
    }
  })();
  await expect.poll(() => requests.connectedNodes()).toEqual(["n 1/ä"]);
  const flow = { protocol: "TCP", clientIp: "192.0.2.1", clientPort: 1, ip: "192.0.2.2", port: 2 } as const;
  expect(await requests.ask("n 1/ä", { kind: "explain", flow })).toEqual({ kind: "answered", value: null });
  const { answers } = await requests.askAll({ kind: "flows", pool: "u", limitCount: 5 });
  expect(answers).toEqual([{ node: "n 1/ä", value: [] }]);
  stop.abort();
  await expect(agent).rejects.toThrow();
  await expect.poll(() => requests.connectedNodes()).toEqual([]);
});

it("turns to the next server when one does not answer", async () => {
  const nobody = createServer();
  await new Promise<void>((resolve) => nobody.listen(0, "127.0.0.1", resolve));
  const address = nobody.address();
  const deadUrl = `http://127.0.0.1:${typeof address === "object" ? address?.port : 0}`;
  await new Promise((resolve) => nobody.close(resolve));
  const transport = httpNodeRequests({ servers: [deadUrl, server.url] });
  const stop = new AbortController();
  const first = transport.open("n1", stop.signal)[Symbol.asyncIterator]();
  await expect(first.next()).rejects.toThrow(/ECONNREFUSED/);
  const second = transport.open("n1", stop.signal)[Symbol.asyncIterator]();
  const next = second.next().catch(() => undefined);
  await expect.poll(() => requests.connectedNodes()).toEqual(["n1"]);
  stop.abort();
  await next;
});

it("refuses an answer that is none", async () => {
  const url = `${server.url}/internal/v1/nodes/n1/answers/1`;
  const response = await fetch(url, {
    method: "POST",
    body: "[]",
    headers: { "content-type": "text/plain" },
  });
  expect(response.status).toBe(400);
  const transport = httpNodeRequests({ servers: [`${server.url}`] });
  await expect(
    transport.answer("n1", "nobody-waits", { kind: "failed", message: "late" }),
  ).resolves.toBeUndefined();
});
