/**
 * The API over an embedded store in a process of its own, so that its memory is its own. Prints its URL; then answers each
 * line on standard input with a line of JSON.
 *
 *     api-host POOL_COUNT SLOW_CLIENT_MS HEADERS_TIMEOUT_MS
 *
 * `write COUNT CHARACTERS`: changes one pool so often, with so much text. `memory`: what is in use when everything that nobody
 * needs any more is collected (run it with --expose-gc), and how many clients were dropped. `/naive` answers with as much as
 * the list of pools, without caring whether it is read.
 */
import { subscribe } from "node:diagnostics_channel";
import { mkdtempSync, rmSync } from "node:fs";
import type { ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import path from "node:path";
import { createInterface } from "node:readline";
import { setTimeout } from "node:timers/promises";
import { createHttpServer, createKubeApi } from "../../../src/api/index.ts";
import { silentLogger, systemClock } from "../../../src/foundation/index.ts";
import { DEFINITIONS, poolDefinition } from "../../../src/model/index.ts";
import { createLocalResources } from "../../../src/resources/local/index.ts";
import { openEmbeddedStore } from "../../../src/store/embedded/index.ts";

/** The most that any response has kept since its client read last, bytes. */
let mostKeptBytes = 0;
subscribe("http.server.request.start", (message) => {
  const { response } = message as { readonly response: ServerResponse };
  const write = response.write.bind(response);
  response.write = ((...words: Parameters<typeof write>) => {
    const isRoom = write(...words);
    mostKeptBytes = Math.max(mostKeptBytes, response.writableLength);
    return isRoom;
  }) as ServerResponse["write"];
});

const poolCount = Number(process.argv[2] ?? 0);
const slowClientMs = Number(process.argv[3] ?? 15_000);
const headersTimeoutMs = Number(process.argv[4] ?? 60_000);
const directory = mkdtempSync(path.join(tmpdir(), "paratest-api-"));
const common = { clock: systemClock, logger: silentLogger };
const store = await openEmbeddedStore({ directory, ...common });
const resources = createLocalResources({ store, clock: systemClock, autoCreateNamespaces: true });
const operator = { operator: "system:test" };
const note = "x".repeat(1_000);
const create = (number: number) =>
  resources.create(
    poolDefinition,
    { metadata: { name: `pool-${number}`, namespace: "shop", annotations: { note } }, spec: { members: [] } },
    operator,
  );
await Promise.all(Array.from({ length: poolCount }, (_, number) => create(number)));

let dropped = 0;
const server = await createHttpServer(
  {
    logger: silentLogger,
    version: "0.0.0",
    health: { live: [], ready: [] },
    metrics: async () => ({ contentType: "text/plain", body: "" }),
    headersTimeoutMs,
    requestTimeoutMs: 2 * headersTimeoutMs,
    routes: [
      createKubeApi({
        resources,
        definitions: DEFINITIONS,
        clock: systemClock,
        version: "0.0.0",
        slowClientMs,
        onSlowClient: () => {
          dropped += 1;
        },
      }),
      (app) => {
        app.get("/naive", (_request, reply) => {
          reply.hijack();
          reply.raw.write(Buffer.alloc(poolCount * 1_500, "x"));
          reply.raw.end();
        });
      },
    ],
  },
  { host: "127.0.0.1", port: 0 },
);
process.stdout.write(`${server.url}\n`);

async function write(count: number, characters: number): Promise<void> {
  const reference = { definition: poolDefinition, namespace: "shop", name: "pool-0" };
  for (let index = 0; index < count; index += 1) {
    const annotations = { note: `${index}${"y".repeat(characters)}` };
    await resources.patch(reference, { type: "merge", body: { metadata: { annotations } } }, operator);
  }
}

for await (const line of createInterface({ input: process.stdin })) {
  const [verb, count, characters] = line.split(" ");
  if (verb === "write") await write(Number(count), Number(characters));
  globalThis.gc?.();
  // Buffers that nobody holds are given back beside the program, on a busy machine a moment later.
  await setTimeout(50);
  globalThis.gc?.();
  const { heapUsed, external } = process.memoryUsage();
  const usedMib = Math.round((heapUsed + external) / 2 ** 20);
  process.stdout.write(`${JSON.stringify({ usedMib, mostKeptBytes, dropped })}\n`);
}
await server[Symbol.asyncDispose]();
await store[Symbol.asyncDispose]();
rmSync(directory, { recursive: true, force: true });
