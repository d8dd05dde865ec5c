/**
 * An agent over the memory driver that prints, as one line of JSON each time a line arrives on standard input, how it
 * is doing and how much memory it has and had at most.
 *
 *     measured-agent SERVER_URL SNAPSHOT_DIRECTORY
 */
import { createInterface } from "node:readline";
import { runAgent } from "../../../src/agent/index.ts";
import { MemoryKernel, openMemoryDriver } from "../../../src/dataplane/memory/index.ts";
import { silentLogger, systemClock } from "../../../src/foundation/index.ts";
import type { AgentStatus } from "../../../src/model/index.ts";
import { createRemoteResources } from "../../../src/resources/remote/index.ts";
import { createNodeTransport } from "../../../src/resources/remote/node-transport.ts";

const [server = "", snapshotDirectory = ""] = process.argv.slice(2);
const stop = new AbortController();
let read: (() => AgentStatus) | undefined;
const transport = createNodeTransport({ servers: [server] });
const kernel = new MemoryKernel({ clock: systemClock });
const running = runAgent({
  resources: createRemoteResources({ transport, clock: systemClock }),
  driver: openMemoryDriver(kernel),
  nodeName: "n1",
  addresses: ["192.0.2.1"],
  snapshotDirectory,
  version: "0.0.0",
  onStatus: (status) => {
    read = status;
  },
  clock: systemClock,
  logger: silentLogger,
  signal: stop.signal,
});
for await (const _line of createInterface({ input: process.stdin })) {
  const { maxRSS } = process.resourceUsage();
  const memory = { peakMib: maxRSS / 1024, rssMib: process.memoryUsage.rss() / 1024 ** 2 };
  const answer = { ...read?.(), ...memory, writeCount: kernel.writeCount, uptimeMs: process.uptime() * 1000 };
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}
stop.abort();
await running;
process.exit(0);
