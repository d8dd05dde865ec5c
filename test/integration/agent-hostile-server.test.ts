import { once } from "node:events";
import http from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, expect, it } from "vitest";
import { poolNumber } from "../../src/agent/agent-core.fixture.ts";
import { MemoryKernel } from "../../src/dataplane/memory/index.ts";
import { type Clock, systemClock } from "../../src/foundation/index.ts";
import type { KubeObject } from "../../src/model/index.ts";
import { holdings, makeDirectory, startAgent, type TestAgent } from "./agent-world.ts";

const POOL_COUNT = 40;
/** A minute of waiting takes a second. */
const HURRY = 60;
const hurried: Clock = {
  now: () => systemClock.now(),
  monotonicMs: () => systemClock.monotonicMs() * HURRY,
  sleep: (ms, signal) => systemClock.sleep(ms / HURRY, signal),
};
const patience = { timeout: 20_000, interval: 20 };

type Answer = (response: http.ServerResponse, url: URL) => void;

/** A control plane that answers as it is told to. */
class Puppet {
  readonly server = http.createServer((request, response) => this.#receive(request, response));
  #answer: Answer = () => undefined;
  /** Lists and watches of pools that it has answered, or refused, since it was told what to do. */
  answeredCount = 0;

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  /** Tells it how to answer from now on; whoever watches has to come again. */
  play(answer: Answer): void {
    this.#answer = answer;
    this.answeredCount = 0;
    this.server.closeAllConnections();
  }

  #receive(request: http.IncomingMessage, response: http.ServerResponse): void {
    const url = new URL(request.url ?? "/", "http://puppet");
    if (!url.pathname.endsWith("/pools")) {
      response.writeHead(404).end();
      return;
    }
    this.answeredCount += 1;
    this.#answer(response, url);
  }
}

/** The agent knows epoch 2. */
const json = (response: http.ServerResponse, body: unknown, epoch = 2) =>
  response
    .writeHead(200, { "content-type": "application/json", "parasaus-epoch": epoch })
    .end(JSON.stringify(body));
const expired = (response: http.ServerResponse) => void response.writeHead(410).end();
const pools = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, index) => poolNumber(from + index));
const listOf = (items: readonly KubeObject[], revision: number, kind = "PoolList") => ({
  apiVersion: "parasaus.io/v1",
  kind,
  metadata: { resourceVersion: String(revision) },
  items,
});

/** Whoever watches is sent back to list. */
const lists =
  (list: (response: http.ServerResponse) => void): Answer =>
  (response, url) =>
    url.searchParams.has("watch") ? expired(response) : list(response);
const listing = (items: readonly KubeObject[], revision: number, epoch = 2): Answer =>
  lists((response) => json(response, listOf(items, revision), epoch));

/** A server that works: everything, then a watch that stays. */
const honest =
  (items: readonly KubeObject[], revision: number): Answer =>
  (response, url) => {
    if (!url.searchParams.has("watch")) return json(response, listOf(items, revision));
    const bookmark = { type: "BOOKMARK", object: { metadata: { resourceVersion: String(revision) } } };
    response.writeHead(200, { "parasaus-epoch": 2 }).write(`${JSON.stringify(bookmark)}\n`);
  };

let directory: ReturnType<typeof makeDirectory>;
let puppet: Puppet;
let agent: TestAgent;

beforeEach(async () => {
  directory = makeDirectory();
  puppet = new Puppet();
  puppet.play(honest(pools(1, POOL_COUNT), 100));
  await once(puppet.server.listen(0, "127.0.0.1"), "listening");
  agent = startAgent(directory.path, puppet.url, new MemoryKernel({ clock: hurried }), hurried);
  await expect.poll(() => agent.kernel.pools.size, patience).toBe(POOL_COUNT);
});
afterEach(async () => {
  await agent[Symbol.asyncDispose]();
  puppet.server.closeAllConnections();
  puppet.server.close();
  directory[Symbol.dispose]();
});

const half = JSON.stringify(listOf(pools(1, POOL_COUNT), 900));
const hostilities: readonly (readonly [string, Answer])[] = [
  ["answers 500 to everything", (response) => void response.writeHead(500).end("no")],
  ["answers nothing at all", () => undefined],
  ["lists nothing", listing([], 900)],
  ["lists half of what there is", listing(pools(1, POOL_COUNT / 2), 900)],
  [
    "breaks off in the middle of a list",
    lists((response) => {
      response.writeHead(200, { "content-length": half.length });
      response.write(half.slice(0, half.length / 2), () => response.destroy());
    }),
  ],
  ["ends a list in the middle", lists((response) => void response.end(half.slice(0, half.length / 2)))],
  ["lists another kind", lists((response) => json(response, listOf([], 900, "ServiceList")))],
  ["answers with a page for people", lists((response) => void response.end("<html>welcome</html>"))],
  [
    "lists pools without their status",
    listing(
      pools(1, POOL_COUNT).map(({ status: _, ...pool }: KubeObject & { status?: unknown }) => pool),
      900,
    ),
  ],
  [
    "lists pools that nobody can read",
    listing(
      pools(1, POOL_COUNT).map((pool) => ({ ...pool, spec: 7 })),
      900,
    ),
  ],
  ["lists an older revision", listing([], 99)],
  ["lists an older epoch", listing([], 900, 1)],
  ["lists a later epoch that is empty", listing([], 5, 3)],
];

it.each(hostilities)("withdraws nothing because of a control plane that %s", async (_what, answer) => {
  const before = holdings(agent.kernel);
  const { writeCount } = agent.kernel;
  puppet.play(answer);
  await expect.poll(() => puppet.answeredCount, patience).toBeGreaterThanOrEqual(4);
  expect(holdings(agent.kernel)).toEqual(before);
  expect(agent.kernel.writeCount).toBe(writeCount);
  expect(before).toHaveLength(POOL_COUNT);
});

it("withdraws nothing while there is no control plane for ten minutes, and follows the next one", async () => {
  const { port } = puppet.server.address() as AddressInfo;
  const before = holdings(agent.kernel);
  puppet.server.closeAllConnections();
  await new Promise((resolve) => puppet.server.close(resolve));
  const startMs = hurried.monotonicMs();
  await expect.poll(() => hurried.monotonicMs() - startMs, patience).toBeGreaterThan(10 * 60_000);
  expect(agent.status()?.watchAgeMs).toBeGreaterThan(9 * 60_000);
  expect(holdings(agent.kernel)).toEqual(before);
  puppet.play(honest(pools(11, POOL_COUNT), 101));
  await once(puppet.server.listen(port, "127.0.0.1"), "listening");
  await expect.poll(() => puppet.answeredCount, patience).toBeGreaterThan(0);
  puppet.play((response, url) =>
    url.searchParams.has("watch") ? expired(response) : json(response, listOf(pools(11, POOL_COUNT), 102)),
  );
  // The control: a list that lacks no more than may go at once is followed.
  const expected = [...Array(10).fill("closing")].concat(Array(POOL_COUNT - 10).fill("30"));
  const served = () => holdings(agent.kernel).map((line) => (line.startsWith("closing") ? "closing" : "30"));
  await expect.poll(() => served().sort(), patience).toEqual(expected.sort());
});

it("goes to another server when one lags behind what it had, and says so until then", async () => {
  const other = new Puppet();
  other.play(honest([...pools(1, POOL_COUNT), poolNumber(POOL_COUNT + 1)], 120));
  await once(other.server.listen(0, "127.0.0.1"), "listening");
  await agent[Symbol.asyncDispose]();
  puppet.play(listing([], 50));
  const { kernel } = agent;
  agent = startAgent(directory.path, `${puppet.url},${other.url}`, kernel, hurried);
  await expect.poll(() => kernel.pools.size, patience).toBe(POOL_COUNT + 1);
  expect(puppet.answeredCount).toBeGreaterThan(0);
  expect(agent.status()?.refusedAnswerCount).toBeGreaterThan(0);
  other.server.closeAllConnections();
  other.server.close();
});
