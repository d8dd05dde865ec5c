import type { FastifyInstance } from "fastify";
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from "vitest";
import { type Clock, systemClock } from "../../src/foundation/index.ts";
import { poolDefinition } from "../../src/model/index.ts";
import type { Resources } from "../../src/resources/index.ts";
import { createNodeTransport, createRemoteResources } from "../../src/resources/remote/index.ts";
import { type ApiServer, serveApi, startApiServer } from "./api-server.ts";

const AGENT_COUNT = 254;
const POOL_COUNT = 400;
const PAGE_SIZE = 200;
const PERSON = "kubectl/v1.32";
/** Three seats and a line of 256. */
const PLACES_OF_CLASS = 259;
const PATIENCE = { interval: 1, timeout: 60_000 };

/** Nobody is sent away for having waited: how long that takes is the machine's business. */
const patient: Clock = {
  now: () => systemClock.now(),
  monotonicMs: () => systemClock.monotonicMs(),
  sleep: (ms, signal) => systemClock.sleep(100 * ms, signal),
};

const agentName = (index: number) => `parasaus-agent/0.1.0 (n${index + 1})`;

let origin: ApiServer;
let server: ApiServer;
let openGate: () => void;
/** Who asked and who was answered, in order. */
let happened: { readonly what: "arrived" | "answered"; readonly who: string }[];
/** Classes of the lists that were sent away. */
let refused: string[];

beforeAll(async () => {
  origin = await startApiServer();
  const members = ["10.0.0.1", "10.0.0.2"].map((ip) => ({ ip, port: 80 }));
  for (let index = 0; index < POOL_COUNT; index += 1) {
    const metadata = { name: `p${index}`, namespace: "default" };
    await origin.resources.create(poolDefinition, { metadata, spec: { members } }, { operator: "test" });
  }
});
afterAll(() => origin[Symbol.asyncDispose]());

beforeEach(async () => {
  happened = [];
  refused = [];
  const gate = new Promise<void>((resolve) => {
    openGate = resolve;
  });
  const { resources } = origin;
  const list: Resources["list"] = async (definition, options) => {
    await gate;
    return await resources.list(definition, options);
  };
  const onListRefused = (listClass: string) => void refused.push(listClass);
  server = await serveApi(new Proxy(resources, { get: gated(list) }), {
    onListRefused,
    hooks,
    clock: patient,
  });
});
afterEach(() => server[Symbol.asyncDispose]());

function gated(list: Resources["list"]) {
  return (target: Resources, name: string | symbol): unknown => {
    const value: unknown = name === "list" ? list : Reflect.get(target, name);
    return typeof value === "function" ? value.bind(target) : value;
  };
}

function hooks(app: FastifyInstance): void {
  app.addHook("onRequest", async ({ headers }) => {
    happened.push({ what: "arrived", who: headers["user-agent"] ?? "" });
  });
  app.addHook("onResponse", async ({ headers }, { raw: { statusCode } }) => {
    if (statusCode === 200) happened.push({ what: "answered", who: headers["user-agent"] ?? "" });
  });
}

function connect(userAgent: string): Disposable & { readonly resources: Resources } {
  const transport = createNodeTransport({ servers: [server.url] });
  const resources = createRemoteResources({ transport, clock: systemClock, userAgent });
  return { resources, [Symbol.dispose]: () => transport[Symbol.dispose]() };
}

/** Lists all pools page by page, as an agent does. @returns how many different ones came */
async function listAll(userAgent: string): Promise<number> {
  using client = connect(userAgent);
  const names = new Set<string>();
  for (let next: string | undefined = ""; next !== undefined; ) {
    const after: { continue?: string } = next === "" ? {} : { continue: next };
    const page = await client.resources.list(poolDefinition, { limit: PAGE_SIZE, ...after });
    for (const { metadata } of page.items) names.add(metadata.name);
    next = page.continue || undefined;
  }
  return names.size;
}

const untilArrived = (count: number) => expect.poll(() => happened.length, PATIENCE).toBe(count);

/** Lets 254 agents list and, behind them, somebody else. @returns how many lists of agents were answered before his */
async function listBehindAgents(userAgent: string) {
  const agents = Promise.all(Array.from({ length: AGENT_COUNT }, (_, index) => listAll(agentName(index))));
  await untilArrived(AGENT_COUNT);
  using client = connect(userAgent);
  const last = client.resources.list(poolDefinition);
  await untilArrived(AGENT_COUNT + 1);
  openGate();
  const { items } = await last;
  const answered = happened.filter(({ what }) => what === "answered").map(({ who }) => who);
  const waitedFor = answered.indexOf(userAgent);
  return { itemCount: items.length, waitedFor, counts: await agents };
}

it(`answers a person's list before most of ${AGENT_COUNT} agents that came before, and then all of them`, async () => {
  const { itemCount, waitedFor, counts } = await listBehindAgents(PERSON);
  process.stdout.write(`list turns: a person waited for ${waitedFor} lists of ${AGENT_COUNT} agents\n`);
  expect(itemCount).toBe(POOL_COUNT);
  // It is as long as two of theirs, and they have three of the four seats.
  expect(waitedFor).toBeLessThan(AGENT_COUNT / 10);
  expect(counts).toEqual(Array(AGENT_COUNT).fill(POOL_COUNT));
  expect(refused).toEqual([]);
});

it("(control) lets one more agent wait for those that are before it", async () => {
  const { itemCount, waitedFor } = await listBehindAgents(agentName(AGENT_COUNT));
  process.stdout.write(`list turns: one more agent waited for ${waitedFor} lists\n`);
  expect(itemCount).toBe(POOL_COUNT);
  expect(waitedFor).toBeGreaterThan(AGENT_COUNT - 4);
});

it("sends away whom the line has no place for, and they get their lists when they come back", async () => {
  const count = 300;
  const lists = Promise.all(
    Array.from({ length: count }, async (_, index) => {
      using client = connect(agentName(index));
      return (await client.resources.list(poolDefinition, { limit: PAGE_SIZE })).items.length;
    }),
  );
  // Those that were sent away come back, and are sent away again as long as nobody else is served.
  await expect.poll(() => refused.length, PATIENCE).toBeGreaterThanOrEqual(count - PLACES_OF_CLASS);
  openGate();
  expect(await lists).toEqual(Array(count).fill(PAGE_SIZE));
  expect(new Set(refused)).toEqual(new Set(["agents"]));
  process.stdout.write(`list turns: ${count} lists were sent away ${refused.length} times\n`);
});
