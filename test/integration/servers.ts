import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { type Controllers, startControllers } from "../../src/controllers/index.ts";
import { silentLogger, systemClock } from "../../src/foundation/index.ts";
import type { ProbeRegistry } from "../../src/health/index.ts";
import { type Pool, poolDefinition } from "../../src/model/index.ts";
import type { Resources } from "../../src/resources/index.ts";
import {
  createLocalResources,
  type Epoch,
  ensureBuiltins,
  ORIGINAL_EPOCH,
} from "../../src/resources/local/index.ts";
import { startCoordinator } from "../../src/server/coordination/coordinator.ts";
import { openEmbeddedStore } from "../../src/store/embedded/index.ts";
import { holderOf, type Store, type StoreEvent } from "../../src/store/index.ts";
import { type Interruption, interruptible } from "../contract/interruption.ts";

/** The controllers of one server, which can be interrupted. Disposing it ends it in order. */
export interface Server extends AsyncDisposable {
  readonly id: string;
  readonly interruption: Interruption;
  readonly controllers: Controllers;
}

/** Servers on one store. */
export interface SharedWorld extends AsyncDisposable {
  readonly store: Store;
  readonly resources: Resources;
  /** Starts another server; it ends with the world, unless it ended before. */
  start(id: string, options?: ServerOptions): Server;
  /** Who holds a key. */
  holder(key: string): Promise<string | undefined>;
}

/** How a server differs. */
export interface ServerOptions {
  readonly probes?: ProbeRegistry;
  readonly leaseSeconds?: number;
  /** Puts something between the server and the store. */
  readonly throughStore?: (store: Store) => Store;
}

/**
 * Opens a store in a directory of its own, for servers that are started later.
 *
 * @param epoch How its revisions become resourceVersions.
 */
export async function openSharedWorld(epoch: Epoch = ORIGINAL_EPOCH): Promise<SharedWorld> {
  const directory = mkdtempSync(path.join(tmpdir(), "parasaus-servers-"));
  const store = await openEmbeddedStore({ directory, clock: systemClock, logger: silentLogger });
  const resources = createLocalResources({ store, epoch, clock: systemClock, autoCreateNamespaces: true });
  await ensureBuiltins(resources);
  const servers: Server[] = [];
  return {
    store,
    resources,
    start: (id, options = {}) => {
      const server = startServer(store, epoch, id, options);
      servers.push(server);
      return server;
    },
    holder: async (key) => holderOf((await store.get(key))?.value ?? ""),
    [Symbol.asyncDispose]: async () => {
      for (const server of servers) await server[Symbol.asyncDispose]();
      await store[Symbol.asyncDispose]();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

function startServer(shared: Store, epoch: Epoch, id: string, options: ServerOptions): Server {
  const { probes = {}, leaseSeconds = 30, throughStore = (store: Store) => store } = options;
  const interruption = interruptible();
  const { clock } = interruption;
  const store = interruption.store(throughStore(shared));
  const coordinator = startCoordinator({
    ...{ store, clock, leaseSeconds, logger: silentLogger, random: Math.random },
    resources: createLocalResources({ store, epoch, clock, autoCreateNamespaces: true }),
    metrics: { gauge: () => () => undefined },
    serverId: id,
  });
  const { signal } = new AbortController();
  const controllers = startControllers({
    authority: coordinator,
    clock,
    signal,
    logger: silentLogger,
    probes,
  });
  return {
    ...{ id, interruption, controllers },
    [Symbol.asyncDispose]: async () => {
      interruption.resume();
      await controllers[Symbol.asyncDispose]();
      await coordinator[Symbol.asyncDispose]();
    },
  };
}

const POOLS = "/parasaus/registry/parasaus.io/pools/";

/** How the verdicts of each member changed, in order, since a revision: `default/web 10.0.0.1:80` to `up down up`. */
export async function verdictChanges(store: Store, from: number): Promise<Map<string, string>> {
  const changes = new Map<string, string>();
  for (const { entry, previous } of await poolWrites(store, from)) {
    const before = verdictsOf(previous?.value);
    for (const [member, verdict] of verdictsOf(entry.value)) {
      const key = `${entry.key.slice(POOLS.length)} ${member}`;
      if (before.get(member) !== verdict) changes.set(key, `${changes.get(key) ?? ""} ${verdict}`.trim());
    }
  }
  return changes;
}

type Put = Extract<StoreEvent, { readonly kind: "put" }>;

async function poolWrites(store: Store, from: number): Promise<Put[]> {
  const until = await store.revision();
  const writes: Put[] = [];
  if (until < from) return writes;
  for await (const message of store.watch("/parasaus/", from, new AbortController().signal)) {
    const events = message.kind === "events" ? message.events : [];
    writes.push(...events.filter((event): event is Put => event.kind === "put"));
    if (message.revision >= until) break;
  }
  return writes.filter(({ entry }) => entry.key.startsWith(POOLS));
}

function verdictsOf(json = "{}"): Map<string, string> {
  const { status } = JSON.parse(json) as Partial<Pool>;
  return new Map((status?.members ?? []).map(({ ip, port, verdict }) => [`${ip}:${port}`, verdict]));
}

/** All pools. */
export async function poolsOf(resources: Resources): Promise<Pool[]> {
  return (await resources.list(poolDefinition)).items as unknown as Pool[];
}
