import http from "node:http";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createHttpServer, createKubeApi } from "../../src/api/index.ts";
import { silentLogger, systemClock } from "../../src/foundation/index.ts";
import { DEFINITIONS, poolDefinition } from "../../src/model/index.ts";
import type { Resources } from "../../src/resources/index.ts";
import { openTestResources } from "../contract/local-resources.ts";

const POOLS = "/apis/parasaus.io/v1/namespaces/shop/pools";
const WATCHERS = 1_000;
const alice = { operator: "alice" };
const pool = (name: string, more: object = {}): object => ({
  metadata: { name, namespace: "shop", ...more },
  spec: { members: [] },
});
const web = { definition: poolDefinition, namespace: "shop", name: "web" };

interface Line {
  readonly type: string;
  // biome-ignore lint/suspicious/noExplicitAny: what comes over the wire is looked into freely by the tests
  readonly object: any;
}

/** One watch over a connection of its own, read line by line. */
class Watching {
  readonly #lines: AsyncGenerator<string>;
  readonly request: http.ClientRequest;
  readonly response: http.IncomingMessage;

  private constructor(request: http.ClientRequest, response: http.IncomingMessage) {
    this.request = request;
    this.response = response;
    this.#lines = linesOf(response);
  }

  static open(url: string, headers: Record<string, string> = {}): Promise<Watching> {
    return new Promise((resolve, reject) => {
      const request = http.get(url, { agent: false, headers }, (response) =>
        resolve(new Watching(request, response)),
      );
      request.on("error", reject);
    });
  }

  /** The next event, or undefined when the stream has ended. */
  async next(): Promise<Line | undefined> {
    const { value, done } = await this.#lines.next();
    return done ? undefined : (JSON.parse(value) as Line);
  }
}

async function* linesOf(response: http.IncomingMessage): AsyncGenerator<string> {
  let rest = "";
  for await (const chunk of response.setEncoding("utf8")) {
    const lines = `${rest}${chunk}`.split("\n");
    rest = lines.pop() ?? "";
    yield* lines;
  }
}

describe("watching over HTTP", () => {
  let resources: Resources;
  let url: string;
  let watchers: number;
  let stack: AsyncDisposable[];

  beforeEach(async () => {
    watchers = 0;
    const test = await openTestResources();
    resources = test.resources;
    const kube = createKubeApi({
      resources,
      definitions: DEFINITIONS,
      clock: systemClock,
      version: "0",
      slowClientMs: 200,
      onWatchers: (_resource, change) => {
        watchers += change;
      },
    });
    const server = await createHttpServer(
      {
        logger: silentLogger,
        version: "0",
        health: { live: [], ready: [] },
        metrics: async () => ({ contentType: "", body: "" }),
        routes: [kube],
      },
      { host: "127.0.0.1", port: 0 },
    );
    url = server.url;
    stack = [test, server];
    await resources.create(poolDefinition, pool("web"), alice);
  });
  afterEach(async () => {
    for (const each of stack.reverse()) await each[Symbol.asyncDispose]();
  });

  const revision = async (): Promise<string> => (await resources.list(poolDefinition)).resourceVersion;
  const touch = (annotation: string): Promise<unknown> =>
    resources.patch(web, { type: "merge", body: { metadata: { annotations: { annotation } } } }, alice);
  const until = async (condition: () => boolean): Promise<void> => {
    while (!condition()) await new Promise((resolve) => setTimeout(resolve, 5));
  };

  it("sends rows to who asked for a table, objects to the others", async () => {
    const table = "application/json;as=Table;v=v1;g=meta.k8s.io";
    const from = `${url}${POOLS}?watch=true&resourceVersion=${await revision()}`;
    const [rows, objects] = [await Watching.open(from, { accept: table }), await Watching.open(from)];
    await touch("x");
    expect((await objects.next())?.object).toMatchObject({
      kind: "Pool",
      metadata: { annotations: { annotation: "x" } },
    });
    const row = await rows.next();
    expect(row).toMatchObject({
      type: "MODIFIED",
      object: { kind: "Table", rows: [{ object: { kind: "PartialObjectMetadata" } }] },
    });
    expect(row?.object.rows[0].cells.slice(0, 3)).toEqual(["web", "<pending>", "rr"]);
    expect(row?.object.columnDefinitions[0]).toMatchObject({ name: "NAME", format: "name" });
  });

  it("begins with what exists, and says where that ends to who lists by watching", async () => {
    const initial = await Watching.open(
      `${url}${POOLS}?watch=true&sendInitialEvents=true&allowWatchBookmarks=true&resourceVersionMatch=NotOlderThan`,
    );
    expect(await initial.next()).toMatchObject({ type: "ADDED", object: { metadata: { name: "web" } } });
    expect(await initial.next()).toMatchObject({
      type: "BOOKMARK",
      object: {
        kind: "Pool",
        metadata: { annotations: { "k8s.io/initial-events-end": "true" }, resourceVersion: await revision() },
      },
    });
    await touch("y");
    expect(await initial.next()).toMatchObject({ type: "MODIFIED" });
  });

  it("sends a deletion as the same bytes to everybody, and says where it happened", async () => {
    const from = `${url}${POOLS}?watch=true&resourceVersion=${await revision()}`;
    const all = await Promise.all([Watching.open(from), Watching.open(from)]);
    await resources.delete(web, alice);
    const told = await Promise.all(all.map((watching) => watching.next()));
    expect(told[0]).toEqual(told[1]);
    expect(told[0]).toMatchObject({
      type: "DELETED",
      object: { metadata: { resourceVersion: await revision() } },
    });
  });

  it("ends after the seconds that the client gave it", async () => {
    const watching = await Watching.open(
      `${url}${POOLS}?watch=true&timeoutSeconds=1&resourceVersion=${await revision()}`,
    );
    expect(await watching.next()).toBeUndefined();
  });

  it("forgets a client that has gone", async () => {
    const watching = await Watching.open(`${url}${POOLS}?watch=true`);
    expect(watchers).toBe(1);
    watching.response.destroy();
    await until(() => watchers === 0);
  });

  it("ends open watches in good order when it closes, and soon", async () => {
    const watching = await Watching.open(`${url}${POOLS}?watch=true&resourceVersion=${await revision()}`);
    const server = stack.pop();
    const startMs = performance.now();
    const [end] = await Promise.all([watching.next(), server?.[Symbol.asyncDispose]()]);
    expect(end).toBeUndefined();
    expect(performance.now() - startMs).toBeLessThan(2_000);
  });

  it("drops a client that does not read, and keeps serving the others", async () => {
    const from = `${url}${POOLS}?watch=true&resourceVersion=${await revision()}`;
    const slow = await Watching.open(from);
    slow.response.pause();
    const quick = await Watching.open(from);
    slow.request.on("error", () => undefined);
    const wide = "x".repeat(200_000);
    for (let round = 0; round < 60; round += 1) {
      await touch(`${round}${wide}`);
      expect((await quick.next())?.type).toBe("MODIFIED");
    }
    await until(() => watchers === 1);
    await touch("after");
    expect((await quick.next())?.object.metadata.annotations.annotation).toBe("after");
  });

  it(`tells ${WATCHERS} idle watchers of one change, each once`, async () => {
    const from = `${url}${POOLS}?watch=true&resourceVersion=${await revision()}`;
    const all = await Promise.all(Array.from({ length: WATCHERS }, () => Watching.open(from)));
    expect(watchers).toBe(WATCHERS);
    await touch("once");
    await touch("twice");
    const told = await Promise.all(
      all.map(async (watching) => [(await watching.next())?.object, (await watching.next())?.object]),
    );
    const annotations = told.map((pair) =>
      pair.map((object) => object.metadata.annotations.annotation).join(),
    );
    expect(new Set(annotations)).toEqual(new Set(["once,twice"]));
    expect(annotations).toHaveLength(WATCHERS);
  });
});
