import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import http from "node:http";
import net from "node:net";
import path from "node:path";
import { createInterface } from "node:readline";
import { afterEach, expect, it } from "vitest";

const CLIENTS = 200;
const POOLS = 3_500;
const SLOW_CLIENT_MS = 2_000;
const PATH = "/apis/parasaus.io/v1/pools";
const HOST = path.resolve("test/lab/programs/api-host.ts");
const KIB = 1024;
/** What a client may leave unread before nothing more is written to it. */
const UNREAD_KIB = 64;
/** Of one watch event, and of one part of a list. */
const EVENT_CHARACTERS = 200_000;
const PART_KIB = 66;
/** All that is in use because of 200 clients: what each may leave unread, its connection, and the lines kept for all watches. */
const MOST_GROWTH_MIB = 60;

interface State {
  readonly usedMib: number;
  readonly mostKeptBytes: number;
  readonly dropped: number;
}

/** A server in a process of its own. */
interface Host {
  readonly url: string;
  ask(line: string): Promise<State>;
}

let child: ChildProcess | undefined;
const sockets: net.Socket[] = [];
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  const ended = child && once(child, "exit");
  child?.stdin?.end();
  await ended;
  child = undefined;
});

async function startHost(poolCount = 1, headersTimeoutMs = 60_000): Promise<Host> {
  const words = [
    "--expose-gc",
    "--import",
    import.meta.resolve("tsx"),
    HOST,
    String(poolCount),
    String(SLOW_CLIENT_MS),
    String(headersTimeoutMs),
  ];
  child = spawn(process.execPath, words, { stdio: ["pipe", "pipe", "inherit"] });
  const running = child;
  const lines = createInterface({ input: running.stdout ?? process.stdin })[Symbol.asyncIterator]();
  const read = async () => String((await lines.next()).value);
  const url = await read();
  return {
    url,
    ask: async (line) => {
      running.stdin?.write(`${line}\n`);
      return JSON.parse(await read());
    },
  };
}

/** Connects, asks, and never reads. */
async function neverRead(url: string, from: string): Promise<net.Socket> {
  const { port } = new URL(url);
  const socket = net.connect({ port: Number(port), host: "127.0.0.1" });
  sockets.push(socket);
  socket.on("error", () => undefined);
  await once(socket, "connect");
  socket.pause();
  socket.write(`GET ${from} HTTP/1.1\r\nHost: localhost\r\n\r\n`);
  return socket;
}

const neverReadAll = (url: string, from: string, count = CLIENTS): Promise<net.Socket[]> =>
  Promise.all(Array.from({ length: count }, () => neverRead(url, from)));

async function revisionOf(url: string): Promise<string> {
  const list = (await (await fetch(`${url}${PATH}?limit=1`)).json()) as {
    metadata: { resourceVersion: string };
  };
  return list.metadata.resourceVersion;
}

/** Counts the lines of a watch that reads. */
function countEvents(url: string): { readonly events: () => number; readonly end: () => void } {
  let events = 0;
  const request = http.get(url, { agent: false }, (response) => {
    response.on("data", (chunk: Buffer) => {
      for (let at = chunk.indexOf(10); at >= 0; at = chunk.indexOf(10, at + 1)) events += 1;
    });
  });
  request.on("error", () => undefined);
  return { events: () => events, end: () => request.destroy() };
}

async function statesUntil(host: Host, isThere: (state: State) => boolean): Promise<State[]> {
  const states: State[] = [];
  for (const deadline = Date.now() + 90_000; Date.now() < deadline; ) {
    const state = await host.ask("memory");
    states.push(state);
    if (isThere(state)) return states;
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
  throw new Error(`the server did not get there: ${JSON.stringify(states.at(-1))}`);
}

/** What the clients cost at most, for people, and as figures. */
function costOf(name: string, before: State, states: readonly State[]) {
  const grownMib = Math.max(...states.map(({ usedMib }) => usedMib)) - before.usedMib;
  const keptKib = Math.ceil((states.at(-1)?.mostKeptBytes ?? 0) / KIB);
  process.stdout.write(`${name}: n=${CLIENTS} kept at most ${keptKib} KiB each, in use +${grownMib} MiB\n`);
  return { grownMib, keptKib };
}

it(`drops ${CLIENTS} watchers that never read, at a bounded price, while another one is told everything`, async () => {
  const host = await startHost();
  const from = `${PATH}?watch=true&resourceVersion=${await revisionOf(host.url)}`;
  const reader = countEvents(`${host.url}${from}`);
  await neverReadAll(host.url, from);
  const before = await host.ask("memory");
  // 24 MB for each, far more than the kernel keeps for a connection.
  const writes = 120;
  const written = await host.ask(`write ${writes} ${EVENT_CHARACTERS}`);
  const states = await statesUntil(host, ({ dropped }) => dropped === CLIENTS);
  const { grownMib, keptKib } = costOf("watches never read", before, [written, ...states]);
  await expect.poll(reader.events, { timeout: 30_000 }).toBe(writes);
  expect(keptKib).toBeGreaterThanOrEqual(UNREAD_KIB);
  expect(keptKib).toBeLessThan(UNREAD_KIB + (EVENT_CHARACTERS + 2 * KIB) / KIB);
  expect(grownMib).toBeLessThan(MOST_GROWTH_MIB);
  reader.end();
});

it(`drops ${CLIENTS} clients that never read the list they asked for, at a bounded price`, async () => {
  const host = await startHost(POOLS);
  const before = await host.ask("memory");
  await neverReadAll(host.url, PATH);
  const get = await fetch(`${host.url}/apis/parasaus.io/v1/namespaces/shop/pools/pool-7`);
  expect(get.status).toBe(200);
  const states = await statesUntil(host, ({ dropped }) => dropped === CLIENTS);
  const { grownMib, keptKib } = costOf("lists never read", before, states);
  expect(keptKib).toBeGreaterThanOrEqual(UNREAD_KIB);
  expect(keptKib).toBeLessThan(UNREAD_KIB + PART_KIB);
  expect(grownMib).toBeLessThan(MOST_GROWTH_MIB);
});

it(`(control) ${CLIENTS / 4} clients that never read cost a server that does not care more than that`, async () => {
  const host = await startHost(POOLS);
  const before = await host.ask("memory");
  await neverReadAll(host.url, "/naive", CLIENTS / 4);
  const states = await statesUntil(host, ({ usedMib }) => usedMib > before.usedMib + MOST_GROWTH_MIB);
  expect(states.at(-1)?.dropped).toBe(0);
  expect(states.at(-1)?.mostKeptBytes).toBeGreaterThan((UNREAD_KIB + PART_KIB) * KIB);
});

it(`closes ${CLIENTS} connections whose headers drip in, while a request is answered`, async () => {
  const host = await startHost(1, 1_000);
  const { port } = new URL(host.url);
  let closed = 0;
  let bytes = 0;
  for (let index = 0; index < CLIENTS; index += 1) {
    const socket = net.connect({ port: Number(port), host: "127.0.0.1" });
    sockets.push(socket);
    socket.on("error", () => undefined);
    socket.on("close", () => {
      closed += 1;
    });
    socket.resume();
    socket.write("GET /livez HTTP/1.1\r\nHost: localhost\r\nX-Slow: ");
  }
  const drip = setInterval(() => {
    for (const socket of sockets) if (!socket.destroyed && socket.write("x")) bytes += 1;
  }, 100);
  try {
    expect((await fetch(`${host.url}/livez`)).status).toBe(200);
    await expect.poll(() => closed, { timeout: 30_000 }).toBe(CLIENTS);
    // They dripped, so it was not silence that closed them.
    expect(bytes).toBeGreaterThan(CLIENTS * 3);
  } finally {
    clearInterval(drip);
  }
});
