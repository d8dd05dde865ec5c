/**
 * An agent over the memory driver, or the eBPF driver without local clients, that prints, as one line of JSON each time a line arrives on standard input, how it
 * is doing and how much memory it has and had at most.
 *
 *     measured-agent SERVER_URL SNAPSHOT_DIRECTORY [OBJECT_FILE PIN_ROOT]
 */
import { createInterface } from "node:readline";
import { runAgent } from "../../../src/agent/index.ts";
import { openEbpfDriver } from "../../../src/dataplane/ebpf/index.ts";
import { MemoryKernel, openMemoryDriver } from "../../../src/dataplane/memory/index.ts";
import { silentLogger, systemClock } from "../../../src/foundation/index.ts";
import type { AgentStatus } from "../../../src/model/index.ts";
import { createNodeTransport, createRemoteResources } from "../../../src/resources/remote/index.ts";

const [server = "", snapshotDirectory = "", objectFile, pinRoot = ""] = process.argv.slice(2);
const stop = new AbortController();
let read: (() => AgentStatus) | undefined;
const transport = createNodeTransport({ servers: [server] });
const kernel = new MemoryKernel({ clock: systemClock });
const common = { clock: systemClock, logger: silentLogger };
const driver =
  objectFile === undefined
    ? openMemoryDriver(kernel)
    : await openEbpfDriver({ ...common, node: "n1", objectFile, pinRoot, localClients: "off" });
const running = runAgent({
  resources: createRemoteResources({ transport, clock: systemClock }),
  driver,
  nodeName: "n1",
  addresses: ["192.0.2.1"],
  snapshotDirectory,
  version: "0.0.0",
  onStatus: (status) => {
    read = status;
  },
  ...common,
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
await driver[Symbol.asyncDispose]();
process.exit(0);
