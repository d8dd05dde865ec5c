import { afterEach } from "vitest";
import { createHttpServer, createKubeApi } from "../../src/api/index.ts";
import { silentLogger, systemClock } from "../../src/foundation/index.ts";
import { DEFINITIONS } from "../../src/model/index.ts";
import type { Resources } from "../../src/resources/index.ts";
import { createNodeTransport, createRemoteResources } from "../../src/resources/remote/index.ts";
import { openTestResources, type TestResources } from "./local-resources.ts";
import { describeResources } from "./resources.ts";
import type { ResourcesUnderTest } from "./resources-world.ts";

const opened: AsyncDisposable[] = [];
afterEach(async () => {
  for (const each of opened.splice(0).reverse()) await each[Symbol.asyncDispose]();
});

/** Local resources behind the API, and the remote ones that reach them over HTTP. */
async function open(isCached: boolean): Promise<ResourcesUnderTest> {
  const test = await openTestResources({}, isCached);
  const server = await createHttpServer(
    {
      logger: silentLogger,
      version: "0.0.0",
      health: { live: [], ready: [] },
      metrics: async () => ({ contentType: "text/plain", body: "" }),
      routes: [
        createKubeApi({
          resources: currentOf(test),
          definitions: DEFINITIONS,
          clock: systemClock,
          version: "0.0.0",
        }),
      ],
    },
    { host: "127.0.0.1", port: 0 },
  );
  opened.push(test, server);
  const transport = createNodeTransport({ servers: [server.url] });
  const resources = createRemoteResources({ transport, clock: systemClock });
  return {
    resources,
    pass: (ms) => test.clock.advance(ms),
    forgetHistory: async () => test.store.compact(await test.store.revision()),
    reopen: async () => {
      await test.reopen();
      return resources;
    },
  };
}

/** The server keeps running when the store underneath is opened anew. */
function currentOf(test: TestResources): Resources {
  return {
    get: (...call) => test.resources.get(...call),
    list: (...call) => test.resources.list(...call),
    create: (...call) => test.resources.create(...call),
    update: (...call) => test.resources.update(...call),
    patch: (...call) => test.resources.patch(...call),
    delete: (...call) => test.resources.delete(...call),
    watch: (...call) => test.resources.watch(...call),
  };
}

describeResources("remote", () => open(false));
describeResources("remote, over a watch cache", () => open(true));
