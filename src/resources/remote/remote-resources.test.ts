import http from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { FakeClock, ParasausError } from "../../foundation/index.ts";
import { type KubeObject, poolDefinition } from "../../model/index.ts";
import type { Resources, WatchEvent } from "../resources.ts";
import { createNodeTransport, type NodeTransport } from "./node-transport.ts";
import { createRemoteResources } from "./remote-resources.ts";

interface Seen {
  readonly method: string;
  readonly url: string;
  readonly headers: http.IncomingHttpHeaders;
  readonly body: string;
}

const web = { definition: poolDefinition, namespace: "shop", name: "web" };
const pool: KubeObject = {
  apiVersion: "parasaus.io/v1",
  kind: "Pool",
  metadata: { name: "web", namespace: "shop", resourceVersion: "7" },
};

describe("createRemoteResources", () => {
  let server: http.Server;
  let answer: (request: Seen, response: http.ServerResponse) => void;
  let seen: Seen[];
  let transport: NodeTransport;
  let clock: FakeClock;
  let remote: Resources;
  let stop: AbortController;

  beforeEach(async () => {
    seen = [];
    stop = new AbortController();
    server = http.createServer(async (request, response) => {
      const { method = "", url = "", headers } = request;
      const arrived = { method, url, headers, body: await text(request) };
      seen.push(arrived);
      answer(arrived, response);
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as AddressInfo;
    clock = new FakeClock();
    transport = createNodeTransport({ servers: ["http://127.0.0.1:1", `http://127.0.0.1:${port}/`] });
    remote = createRemoteResources({ transport, clock });
  });
  afterEach(async () => {
    stop.abort();
    transport[Symbol.dispose]();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });

  const send = (response: http.ServerResponse, code: number, body: unknown, headers = {}): void => {
    response.writeHead(code, { "content-type": "application/json", ...headers }).end(JSON.stringify(body));
  };
  const failureOf = async (call: Promise<unknown>): Promise<ParasausError> => {
    const failure = await call.then(
      () => undefined,
      (reason: unknown) => reason,
    );
    expect(failure).toBeInstanceOf(ParasausError);
    return failure as ParasausError;
  };

  it("asks the next server when one refuses the connection, and stays with it", async () => {
    answer = (_request, response) => send(response, 200, pool);
    await expect(remote.get(web)).resolves.toEqual(pool);
    expect(seen[0]?.url).toBe("/apis/parasaus.io/v1/namespaces/shop/pools/web");
    expect(transport.currentServer()).toMatch(/^http:\/\/127\.0\.0\.1:\d{2,}$/);
  });

  it("stays with its server when the caller gives a request up", async () => {
    answer = (_request, response) => send(response, 200, pool);
    await remote.get(web);
    const before = transport.currentServer();
    answer = (_request, response) => response.writeHead(200).write("\n");
    const watch = remote.watch(poolDefinition, { signal: stop.signal })[Symbol.asyncIterator]();
    const next = watch.next();
    while (seen.length < 2) await new Promise((resolve) => setImmediate(resolve));
    stop.abort();
    expect((await next).done).toBe(true);
    expect(transport.currentServer()).toBe(before);
  });

  it("begins with the next server once it is told to leave one", async () => {
    answer = (_request, response) => send(response, 200, pool);
    await remote.get(web);
    transport.leaveServer();
    expect(transport.currentServer()).toBe("http://127.0.0.1:1");
    await remote.get(web);
    expect(transport.currentServer()).not.toBe("http://127.0.0.1:1");
  });

  it("tells how often the server's store was restored, with lists and with watches", async () => {
    const list = { kind: "PoolList", metadata: { resourceVersion: "9" }, items: [pool] };
    answer = ({ url }, response) => {
      if (url.includes("watch")) response.writeHead(200, { "parasaus-epoch": "7" }).end();
      else send(response, 200, list, url.includes("limit=1") ? { "Parasaus-Epoch": "3" } : {});
    };
    expect((await remote.list(poolDefinition, { limit: 1 })).epoch).toBe(3);
    expect((await remote.list(poolDefinition, { limit: 2 })).epoch).toBeUndefined();
    const epochs: number[] = [];
    const onEpoch = (epoch: number) => void epochs.push(epoch);
    for await (const _ of remote.watch(poolDefinition, { signal: stop.signal, onEpoch })) expect.fail();
    expect(epochs).toEqual([7]);
  });

  it.each([
    ["another kind", { kind: "ServiceList", metadata: { resourceVersion: "9" }, items: [] }],
    ["a Status", { kind: "Status", status: "Success", metadata: {} }],
    ["no items", { kind: "PoolList", metadata: { resourceVersion: "9" } }],
    ["no revision", { kind: "PoolList", metadata: {}, items: [] }],
    [
      "an item of another kind",
      { kind: "PoolList", metadata: { resourceVersion: "9" }, items: [{ ...pool, kind: "Node" }] },
    ],
    ["an empty item", { kind: "PoolList", metadata: { resourceVersion: "9" }, items: [null] }],
    ["nothing", null],
  ])("refuses a list that is %s: a follower would take what is missing for deleted", async (_what, body) => {
    answer = (_request, response) => send(response, 200, body);
    const failure = await failureOf(remote.list(poolDefinition));
    expect(failure.code).toBe("Unavailable");
    expect(failure.message).toMatch(
      /^Cannot read the server's answer: expected a whole list of Pool, found /,
    );
  });

  it("refuses an event of another kind", async () => {
    const line = JSON.stringify({ type: "ADDED", object: { ...pool, kind: "Node" } });
    answer = (_request, response) => response.writeHead(200).end(`${line}\n`);
    const watch = remote.watch(poolDefinition, { signal: stop.signal })[Symbol.asyncIterator]();
    await expect(watch.next()).rejects.toThrow("expected a Pool, found Node");
  });

  it("turns a Status into the refusal it was, with its fields", async () => {
    const causes = [{ field: "spec.port", reason: "FieldValueInvalid", message: "0 is no port" }];
    const details = { group: "parasaus.io", kind: "Pool", name: "web", causes };
    answer = (_request, response) =>
      send(response, 422, { kind: "Status", reason: "Invalid", message: "is invalid", details, code: 422 });
    const failure = await failureOf(remote.get(web));
    expect(failure).toMatchObject({
      code: "Invalid",
      message: "is invalid",
      fields: causes,
      object: { group: "parasaus.io", kind: "Pool", name: "web" },
    });
  });

  it.each([
    [404, "NotFound"],
    [410, "Expired"],
    [503, "Unavailable"],
    [418, "BadRequest"],
    [502, "Internal"],
  ])("understands %i from something that is no Kubernetes as %s", async (code, expected) => {
    answer = (_request, response) => response.writeHead(code).end("<html>no</html>");
    expect((await failureOf(remote.get(web))).code).toBe(expected);
  });

  it("sends who writes and how, and hands warnings on", async () => {
    answer = (_request, response) =>
      send(response, 201, pool, { warning: ['299 - "first \\"thing\\""', '299 - "second"'] });
    const warnings: string[] = [];
    await remote.create(poolDefinition, pool, {
      operator: "alice",
      reason: "more room",
      dryRun: true,
      fieldValidation: "Warn",
      onWarning: (message) => warnings.push(message),
    });
    expect(seen[0]).toMatchObject({
      method: "POST",
      url: "/apis/parasaus.io/v1/namespaces/shop/pools?dryRun=All&fieldValidation=Warn",
      headers: { "x-parasaus-operator": "alice", "x-parasaus-reason": "more room" },
    });
    expect(JSON.parse(seen[0]?.body ?? "")).toEqual(pool);
    expect(warnings).toEqual(['first "thing"', "second"]);
  });

  it.each([
    ["json", "application/json-patch+json"],
    ["merge", "application/merge-patch+json"],
    ["strategic", "application/strategic-merge-patch+json"],
  ] as const)("sends a %s patch of the status as %s", async (type, contentType) => {
    answer = (_request, response) => send(response, 200, pool);
    await remote.patch(web, { type, body: { a: 1 } }, { operator: "x", subresource: "status" });
    expect(seen[0]).toMatchObject({
      method: "PATCH",
      url: "/apis/parasaus.io/v1/namespaces/shop/pools/web/status",
      headers: { "content-type": contentType },
      body: '{"a":1}',
    });
  });

  it("names the object that Kubernetes deleted without showing it", async () => {
    answer = (_request, response) =>
      send(response, 200, { kind: "Status", status: "Success", details: { name: "web" } });
    const removed = await remote.delete(web, { operator: "x", preconditions: { uid: "u" } });
    expect(removed).toEqual({
      apiVersion: "parasaus.io/v1",
      kind: "Pool",
      metadata: { name: "web", namespace: "shop" },
    });
    expect(JSON.parse(seen[0]?.body ?? "")).toMatchObject({ preconditions: { uid: "u" } });
  });

  it("lists a page at a revision", async () => {
    answer = (_request, response) =>
      send(response, 200, {
        kind: "PoolList",
        metadata: { resourceVersion: "9", continue: "t" },
        items: [{ metadata: pool.metadata }],
      });
    const list = await remote.list(poolDefinition, {
      limit: 1,
      labelSelector: "a=b,c",
      resourceVersion: "9",
    });
    expect(list).toEqual({ items: [pool], resourceVersion: "9", continue: "t" });
    expect(seen[0]?.url).toBe(
      "/apis/parasaus.io/v1/pools?labelSelector=a%3Db%2Cc&limit=1&resourceVersion=9&resourceVersionMatch=Exact",
    );
  });

  it("asks a busy server again, not before it says so, and not together with all others", async () => {
    const busy = { kind: "Status", reason: "TooManyRequests", message: "busy", code: 429 };
    answer = (_request, response) =>
      seen.length < 3 ? send(response, 429, busy, { "retry-after": "2" }) : send(response, 200, pool);
    const spread = createRemoteResources({
      transport,
      clock,
      random: () => 0.5,
      userAgent: "parasaus-agent/1",
    });
    const got = spread.get(web);
    const asked = async (count: number) => {
      while (seen.length < count) await new Promise((resolve) => setImmediate(resolve));
      await new Promise((resolve) => setTimeout(resolve, 50));
    };
    await asked(1);
    await clock.advance(2_999);
    expect(seen).toHaveLength(1);
    await clock.advance(1);
    await asked(2);
    await clock.advance(3_000);
    await expect(got).resolves.toEqual(pool);
    expect(seen).toHaveLength(3);
    expect(seen[0]?.headers["user-agent"]).toBe("parasaus-agent/1");
  });

  it("tells that the server is busy when it stays so", async () => {
    answer = (_request, response) => response.writeHead(429).end();
    const failure = failureOf(remote.get(web));
    for (let attempt = 1; attempt <= 6; attempt += 1) {
      while (seen.length < attempt) await new Promise((resolve) => setImmediate(resolve));
      await new Promise((resolve) => setTimeout(resolve, 50));
      await clock.advance(2_000);
    }
    expect((await failure).code).toBe("TooManyRequests");
    expect(seen).toHaveLength(6);
  });

  it("gives up an answer that does not come", async () => {
    answer = () => undefined;
    const failure = failureOf(remote.get(web));
    while (seen.length === 0) await new Promise((resolve) => setImmediate(resolve));
    await clock.advance(30_000);
    expect((await failure).code).toBe("Timeout");
  });

  it("says of a write whose answer is lost that its outcome is unknown", async () => {
    answer = (_request, response) => response.destroy();
    const failure = await failureOf(remote.create(poolDefinition, pool, { operator: "x" }));
    expect(failure.code).toBe("Unavailable");
    expect(failure.message).toContain("whether the change was made is not known");
    expect(seen).toHaveLength(1);
  });

  describe("watch", () => {
    const line = (event: object): string => `${JSON.stringify(event)}\n`;
    const bookmark = { type: "BOOKMARK", object: { metadata: { resourceVersion: "11" } } };
    const begin = (response: http.ServerResponse, first: string): void => {
      response.writeHead(200).write(first);
    };
    const collect = async (bookmarks: boolean, into: WatchEvent[] = []): Promise<WatchEvent[]> => {
      const watch = remote.watch(poolDefinition, { resourceVersion: "7", bookmarks, signal: stop.signal });
      for await (const event of watch) into.push(event);
      return into;
    };

    it("delivers events whose bytes arrive in any pieces", async () => {
      const zh = { ...pool, metadata: { ...pool.metadata, annotations: { note: "合页" } } };
      const bytes = Buffer.from(line({ type: "ADDED", object: zh }) + line(bookmark));
      answer = async (_request, response) => {
        response.writeHead(200);
        for (const byte of bytes) {
          response.write(Buffer.of(byte));
          await new Promise((resolve) => setImmediate(resolve));
        }
        response.end();
      };
      expect(await collect(true)).toEqual([
        { type: "ADDED", object: zh },
        { type: "BOOKMARK", resourceVersion: "11" },
      ]);
      expect(seen[0]?.url).toBe(
        "/apis/parasaus.io/v1/pools?watch=true&allowWatchBookmarks=true&resourceVersion=7",
      );
    });

    it("keeps bookmarks to itself when nobody asked for them", async () => {
      answer = (_request, response) => response.writeHead(200).end(line(bookmark));
      expect(await collect(false)).toEqual([]);
    });

    it("throws the refusal of an ERROR event", async () => {
      const object = { kind: "Status", reason: "Expired", message: "too old", code: 410 };
      answer = (_request, response) => begin(response, line({ type: "ERROR", object }));
      expect((await failureOf(collect(true))).code).toBe("Expired");
    });

    it("throws Unavailable when the connection breaks", async () => {
      answer = (_request, response) => {
        begin(response, line(bookmark));
        setImmediate(() => response.destroy());
      };
      expect((await failureOf(collect(true))).code).toBe("Unavailable");
    });

    it("throws Unavailable when nothing arrives for 15 s, though the connection stands", async () => {
      answer = (_request, response) => begin(response, line(bookmark));
      const events: WatchEvent[] = [];
      const failure = failureOf(collect(true, events));
      while (events.length === 0) await new Promise((resolve) => setImmediate(resolve));
      await clock.advance(14_000);
      expect(await Promise.race([failure, Promise.resolve("still watching")])).toBe("still watching");
      await clock.advance(5_000);
      expect(await failure).toMatchObject({
        code: "Unavailable",
        message: "Cannot watch pools: nothing arrived for 15000 ms",
      });
    });

    it("ends quietly when it is aborted", async () => {
      answer = (_request, response) => begin(response, line(bookmark));
      const events: WatchEvent[] = [];
      const watching = collect(true, events);
      while (events.length === 0) await new Promise((resolve) => setImmediate(resolve));
      stop.abort();
      await expect(watching).resolves.toHaveLength(1);
    });
  });
});
