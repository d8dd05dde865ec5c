/**
 * Many agents in one process, each the real one over a kernel in memory. It prints `ready` when it has loaded; every line on
 * standard input is answered by one line of JSON: `start`, `report`, `warnings`, `applied`, `applied-pools`, `reset` (see `cluster.ts`).
 *
 *     agent-host FIRST COUNT FOLDER SERVER_URL[,SERVER_URL]
 */
import { setMaxListeners } from "node:events";
import path from "node:path";
import { createInterface } from "node:readline";
import { httpNodeRequests, runAgent } from "../../../src/agent/index.ts";
import type { Driver } from "../../../src/dataplane/index.ts";
import { MemoryKernel, openMemoryDriver } from "../../../src/dataplane/memory/index.ts";
import { type Logger, silentLogger, systemClock } from "../../../src/foundation/index.ts";
import { type AgentStatus, poolDefinition } from "../../../src/model/index.ts";
import type { Resources } from "../../../src/resources/index.ts";
import { createNodeTransport, createRemoteResources } from "../../../src/resources/remote/index.ts";

/** What one agent did since the last `reset`; times are milliseconds since 1970. */
interface Record {
  readonly name: string;
  listCount: number;
  pageCount: number;
  watchCount: number;
  /** When its last watch of the pools was answered. */
  watchMs: number;
  /** When each of its changes was in the kernel. */
  appliedMs: number[];
  /** When each pool was last put into the kernel, by uid. */
  poolMs: Map<string, number>;
  status?: () => AgentStatus;
}

const [first = "1", count = "1", folder = "", servers = ""] = process.argv.slice(2);
const stop = new AbortController();
setMaxListeners(0, stop.signal);
const running: Promise<void>[] = [];
const records: Record[] = Array.from({ length: Number(count) }, (_, index) => ({
  ...{ name: `n${Number(first) + index}`, listCount: 0, pageCount: 0, watchCount: 0, watchMs: 0 },
  appliedMs: [],
  poolMs: new Map(),
}));
/** What agents warned of, and how often. */
const warnings: { [message: string]: number } = {};
const logger: Logger = {
  ...silentLogger,
  child: () => logger,
  warn: (message, facts) => {
    const reason = (facts?.["error"] as Error | undefined)?.message ?? "";
    const key = `${message}: ${reason.replace(/\d+/g, "N")}`;
    warnings[key] = (warnings[key] ?? 0) + 1;
  },
};
const nowMs = () => performance.timeOrigin + performance.now();

/** The same objects; what is asked of the pools is noted. */
function noted(resources: Resources, record: Record): Resources {
  return {
    get: (reference) => resources.get(reference),
    list: (definition, options) => {
      if (definition === poolDefinition) {
        record.pageCount += 1;
        if (options?.continue === undefined) record.listCount += 1;
      }
      return resources.list(definition, options);
    },
    watch: (definition, options) => {
      if (definition !== poolDefinition) return resources.watch(definition, options);
      const onEpoch = (epoch: number) => {
        record.watchCount += 1;
        record.watchMs = nowMs();
        options.onEpoch?.(epoch);
      };
      return resources.watch(definition, { ...options, onEpoch });
    },
    create: (definition, object, options) => resources.create(definition, object, options),
    update: (reference, object, options) => resources.update(reference, object, options),
    patch: (reference, patch, options) => resources.patch(reference, patch, options),
    delete: (reference, options) => resources.delete(reference, options),
  };
}

function notedDriver(driver: Driver, record: Record): Driver {
  const apply: Driver["apply"] = async (operations) => {
    const result = await driver.apply(operations);
    const atMs = nowMs();
    record.appliedMs.push(atMs);
    for (const operation of operations) {
      if (operation.kind === "install") record.poolMs.set(operation.pool.uid, atMs);
    }
    return result;
  };
  return { ...driver, apply };
}

function startAgent(record: Record, index: number): void {
  const urls = servers.split(",");
  // Half of the agents begin with the second server, as an operator would have it.
  const order = urls.map((_, offset) => urls[(index + offset) % urls.length] ?? "");
  const transport = createNodeTransport({ servers: order });
  const userAgent = `parasaus-agent/0.0.0 (${record.name})`;
  running.push(
    runAgent({
      resources: noted(createRemoteResources({ transport, clock: systemClock, userAgent }), record),
      driver: notedDriver(openMemoryDriver(new MemoryKernel({ clock: systemClock })), record),
      nodeName: record.name,
      addresses: [`10.200.${Math.floor(index / 250)}.${1 + (index % 250)}`],
      snapshotDirectory: path.join(folder, record.name),
      version: "0.0.0",
      server: order[0] ?? "",
      leaveServer: transport.leaveServer,
      requests: httpNodeRequests({ servers: order }),
      listListeners: async () => [],
      onStatus: (read) => {
        record.status = read;
      },
      ...{ clock: systemClock, logger, signal: stop.signal },
    }).finally(() => transport[Symbol.dispose]()),
  );
}

const COMMANDS: Readonly<{ [name: string]: () => unknown }> = {
  start: () => {
    records.forEach(startAgent);
    return { startedMs: nowMs() };
  },
  report: () =>
    records.map(({ status, appliedMs, poolMs: _, ...record }) => {
      const { poolCount = 0, source = "none", appliedRevision = "0", tableHash = "" } = status?.() ?? {};
      return {
        ...record,
        poolCount,
        source,
        appliedRevision,
        tableHash,
        lastAppliedMs: appliedMs.at(-1) ?? 0,
      };
    }),
  warnings: () => warnings,
  applied: () => records.map(({ appliedMs }) => appliedMs),
  "applied-pools": () => records.map(({ poolMs }) => Object.fromEntries(poolMs)),
  reset: () => {
    for (const record of records) {
      Object.assign(record, {
        listCount: 0,
        pageCount: 0,
        watchCount: 0,
        watchMs: 0,
        appliedMs: [],
        poolMs: new Map(),
      });
    }
    return {};
  },
};

process.stdout.write("ready\n");
for await (const line of createInterface({ input: process.stdin })) {
  process.stdout.write(`${JSON.stringify(COMMANDS[line]?.())}\n`);
}
stop.abort();
await Promise.all(running);
process.exit(0);
