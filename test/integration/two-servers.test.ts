import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { loadConfiguration } from "../../src/configuration/index.ts";
import { silentLogger, systemClock } from "../../src/foundation/index.ts";
import type { ProbeRegistry, ReasonCode } from "../../src/health/index.ts";
import { endpointsDefinition, type Pool, poolDefinition, serviceDefinition } from "../../src/model/index.ts";
import type { Resources } from "../../src/resources/index.ts";
import { ORIGINAL_EPOCH } from "../../src/resources/local/index.ts";
import { preferredServer, SHARD_COUNT } from "../../src/server/coordination/shards.ts";
import { createProcessMetrics } from "../../src/server/metrics/registry.ts";
import type { Parts } from "../../src/server/parts.ts";
import { startParts } from "../../src/server/start-parts.ts";
import { openEmbeddedStore } from "../../src/store/embedded/index.ts";
import { holderOf, type Store, type StoreWatchMessage } from "../../src/store/index.ts";
import { type Interruption, interruptible } from "../contract/interruption.ts";
import { openSharedWorld, poolsOf, type SharedWorld, verdictChanges } from "./servers.ts";

const ALICE = { operator: "alice" } as const;
const PATIENCE = { timeout: 20_000, interval: 10 };
const SHARDS = "/parasaus/shards/healthcheck/";

/** Members whose health the test decides; answers come at once. */
function fleet() {
  const codes = new Map<string, ReasonCode>();
  const registry: ProbeRegistry = {
    tcp: (target, report) => {
      report(codes.get(target.ip) ?? "L4OK", "as the test says");
      return { timeoutCode: () => "L4TOUT", abandon: () => undefined };
    },
  };
  return { registry, set: (ip: string, code: ReasonCode) => void codes.set(ip, code) };
}

function createPool(resources: Resources, name: string, members: readonly object[], check: object) {
  const healthCheck = { type: "tcp", rise: 2, fall: 2, ...check };
  return resources.create(
    poolDefinition,
    { metadata: { name, namespace: "default" }, spec: { healthCheck, members } },
    ALICE,
  );
}

const verdictsOf = ({ status }: Pool) => (status?.members ?? []).map(({ verdict }) => verdict).join(" ");

async function allAre(resources: Resources, verdicts: string): Promise<boolean> {
  return (await poolsOf(resources)).every((pool) => verdictsOf(pool) === verdicts);
}

/** Pools whose second member is not up, a count. */
async function changedCount(resources: Resources): Promise<number> {
  return (await poolsOf(resources)).filter(({ status }) => status?.members?.[1]?.verdict !== "up").length;
}

async function shardCounts(store: Store): Promise<Record<string, number>> {
  const { entries } = await store.range(SHARDS);
  const counts: Record<string, number> = {};
  for (const { value } of entries) counts[holderOf(value) ?? ""] = (counts[holderOf(value) ?? ""] ?? 0) + 1;
  return counts;
}

/** A second server comes and goes again. @returns how many shards it had */
async function visit(world: SharedWorld, id: string, probes: ProbeRegistry, stayMs: number): Promise<number> {
  await using _visitor = world.start(id, { probes });
  const shards = Array.from({ length: SHARD_COUNT }, (_, shard) => preferredServer(shard, ["a", id]));
  const share = shards.filter((preferred) => preferred === id).length;
  await expect.poll(async () => (await shardCounts(world.store))[id], PATIENCE).toBe(share);
  await systemClock.sleep(stayMs);
  return share;
}

describe("verdicts of a pool whose shard moves", () => {
  const QUICK = { interval: "100ms", timeout: "50ms" };
  const NAMES = Array.from({ length: 40 }, (_, index) => `p${index}`);

  it("stay as they are, neither flapping nor beginning anew, while servers come and go and members do, too", async () => {
    await using world = await openSharedWorld();
    const { registry, set } = fleet();
    world.start("a", { probes: registry });
    for (const [index, name] of NAMES.entries()) {
      const members = [`10.0.0.${index + 1}`, `10.0.1.${index + 1}`].map((ip) => ({ ip, port: 80 }));
      await createPool(world.resources, name, members, QUICK);
    }
    await expect.poll(() => allAre(world.resources, "up up"), PATIENCE).toBe(true);
    const from = (await world.store.revision()) + 1;
    const rounds = 6;
    const moved: number[] = [];
    for (let round = 0; round < rounds; round += 1) {
      const code = round % 2 === 0 ? "L4CON" : "L4OK";
      // Some members of every pool change, beside the others that stay.
      NAMES.forEach((_, index) => void (index % 4 > 0 && set(`10.0.1.${index + 1}`, code)));
      moved.push(await visit(world, `b${round}`, registry, 100 * round));
      await expect.poll(() => changedCount(world.resources), PATIENCE).toBe(code === "L4OK" ? 0 : 30);
      await expect.poll(async () => (await shardCounts(world.store))["a"], PATIENCE).toBe(64);
    }
    expect(Math.min(...moved)).toBeGreaterThan(10);
    const changes = await verdictChanges(world.store, from);
    process.stdout.write(`shards moved there and back in ${rounds} rounds: ${moved.join(", ")}\n`);
    expect(changes.size).toBe(30);
    expect(new Set(changes.values())).toEqual(new Set(["down up down up down up"]));
  });

  it.each([
    ["", 0],
    [", in a store into which a backup was restored", 1_700_000_000_000_000],
  ])(
    "are the last ones that the former server wrote, though the next one's watch has not told of them yet%s",
    async (_, offset) => {
      await using world = await openSharedWorld({ ...ORIGINAL_EPOCH, offset });
      const { registry, set } = fleet();
      const a = world.start("a", { probes: registry });
      await createPool(
        world.resources,
        "web",
        ["10.0.0.1", "10.0.0.2"].map((ip) => ({ ip, port: 80 })),
        { ...QUICK, interval: "1s", fastInterval: "300ms" },
      );
      await expect.poll(() => allAre(world.resources, "up up"), PATIENCE).toBe(true);
      using lag = laggingWatches("/parasaus/registry/");
      world.start("b", { probes: registry, throughStore: lag.through });
      await expect.poll(async () => Object.keys(await shardCounts(world.store)).length, PATIENCE).toBe(2);
      lag.hold();
      set("10.0.0.1", "L4CON");
      await expect.poll(() => allAre(world.resources, "down up"), PATIENCE).toBe(true);
      const [before] = await poolsOf(world.resources);
      set("10.0.0.2", "L4CON");
      await a[Symbol.asyncDispose]();
      await expect.poll(() => allAre(world.resources, "down down"), PATIENCE).toBe(true);
      const [after] = await poolsOf(world.resources);
      expect(after?.status?.members?.[0]).toEqual(before?.status?.members?.[0]);
      expect(lag.heldCount()).toBeGreaterThan(0);
    },
  );
});

/** Watches under a prefix that stop to tell anything for a while. */
function laggingWatches(prefix: string) {
  let isHeld = false;
  let heldCount = 0;
  const waiting: (() => void)[] = [];
  async function* lagging(messages: AsyncIterable<StoreWatchMessage>): AsyncGenerator<StoreWatchMessage> {
    for await (const message of messages) {
      if (isHeld) heldCount += 1;
      if (isHeld) await new Promise<void>((resolve) => waiting.push(resolve));
      yield message;
    }
  }
  return {
    hold: () => {
      isHeld = true;
    },
    [Symbol.dispose]: () => {
      isHeld = false;
      for (const go of waiting.splice(0)) go();
    },
    heldCount: () => heldCount,
    through: (store: Store): Store =>
      new Proxy(store, {
        get: (target, name) => {
          const value: unknown = Reflect.get(target, name);
          if (typeof value !== "function") return value;
          if (name !== "watch") return value.bind(target);
          const watch: Store["watch"] = (under, from, signal) => {
            const messages = target.watch(under, from, signal);
            return under.startsWith(prefix) ? lagging(messages) : messages;
          };
          return watch;
        },
      }),
  };
}

interface Plane {
  readonly interruption: Interruption;
  readonly parts: Parts;
  readonly stop: AbortController;
}

async function startPlane(store: Store, directory: string, probes: ProbeRegistry): Promise<Plane> {
  const interruption = interruptible();
  const { values } = loadConfiguration({
    flags: { dataDir: directory, autoCreateNamespaces: "true" },
    environment: {},
    around: { program: "server", isRoot: false, homeDirectory: directory, hostname: "test" },
  });
  const configuration = { ...values, leaseSeconds: LEASE_SECONDS };
  const { clock } = interruption;
  const process = createProcessMetrics();
  const options = { configuration, log: silentLogger, clock, random: Math.random, probes, process };
  const stop = new AbortController();
  const parts = await startParts(
    options,
    { store: interruption.store(store), epoch: ORIGINAL_EPOCH },
    stop.signal,
  );
  return { interruption, parts, stop };
}

async function leaderCounts({ parts }: Plane): Promise<string> {
  const lines = (await parts.process.render()).split("\n");
  return lines
    .filter((line) => line.startsWith("parasaus_leader{"))
    .map((line) => line.replace(/.*controller="([^"]+)"\} /, "$1 "))
    .sort()
    .join(", ");
}

const LEASE_SECONDS = 2;
const POOL_COUNT = 40;
const ALL_LED =
  "allocator 1, circle-watch 1, confirmations 1, garbage-collector 1, node-silence 1, operation-trimmer 1";

describe("two control planes on one store", () => {
  it("go on as one within a lease time when the other dies, and as two when it comes back to itself", async () => {
    const directory = mkdtempSync(path.join(tmpdir(), "parasaus-two-"));
    const store = await openEmbeddedStore({ directory, clock: systemClock, logger: silentLogger });
    const { registry, set } = fleet();
    set("10.0.0.2", "L4CON");
    const first = await startPlane(store, directory, registry);
    await expect.poll(() => leaderCounts(first), PATIENCE).toBe(ALL_LED);
    const second = await startPlane(store, directory, registry);
    try {
      const { resources } = second.parts;
      const members = ["10.0.0.1", "10.0.0.2"].map((ip) => ({ ip, port: 80 }));
      const check = { interval: "500ms", timeout: "100ms", fastInterval: "200ms" };
      for (let index = 0; index < POOL_COUNT; index += 1)
        await createPool(resources, `p${index}`, members, check);
      await expect.poll(() => allAre(resources, "up down"), PATIENCE).toBe(true);
      await expect.poll(async () => Object.keys(await shardCounts(store)).length, PATIENCE).toBe(2);
      const from = (await store.revision()) + 1;

      first.interruption.pause();
      const diedMs = performance.now();
      set("10.0.0.1", "L4CON");
      const { metadata } = await createPool(resources, "new", [], {});
      const service = { name: "svc", namespace: "default" };
      const port = { name: "http", port: 80 };
      await resources.create(
        serviceDefinition,
        { metadata: service, spec: { type: "NodePort", ports: [port] } },
        ALICE,
      );
      const subsets = [{ addresses: [{ ip: "10.0.0.3" }], ports: [{ name: "http", port: 80 }] }];
      await resources.create(endpointsDefinition, { metadata: service, subsets }, ALICE);
      const named = async (name: string) =>
        (await poolsOf(resources)).find((pool) => pool.metadata.name === name);
      const has = async (name: string) => (await named(name))?.status?.connectAddresses?.length;
      await expect.poll(() => has(metadata.name), PATIENCE).toBe(1);
      await expect.poll(() => has("svc"), PATIENCE).toBe(1);
      const ledMs = performance.now() - diedMs;
      const areDown = async () =>
        (await poolsOf(resources)).filter((pool) => verdictsOf(pool) === "down down").length;
      await expect.poll(areDown, PATIENCE).toBe(POOL_COUNT);
      const judgedMs = performance.now() - diedMs;
      process.stdout.write(
        `died: others lead after ${Math.round(ledMs)} ms, all verdicts after ${Math.round(judgedMs)} ms, lease ${LEASE_SECONDS} s\n`,
      );
      expect(ledMs).toBeLessThan(LEASE_SECONDS * 1_000 + 1_500);
      expect(judgedMs).toBeLessThan(LEASE_SECONDS * 1_000 + 3_000);
      expect(await leaderCounts(second)).toBe(ALL_LED);
      const changes = await verdictChanges(store, from);
      const ofThose = [...changes].filter(([key]) => key.startsWith("default/p"));
      expect(ofThose).toHaveLength(POOL_COUNT);
      expect(new Set(ofThose.map(([, verdicts]) => verdicts))).toEqual(new Set(["down"]));

      first.interruption.resume();
      await expect.poll(async () => Object.keys(await shardCounts(store)).length, PATIENCE).toBe(2);
      expect(await leaderCounts(second)).toBe(ALL_LED);
      expect(await leaderCounts(first)).toBe(ALL_LED.replaceAll("1", "0"));
    } finally {
      for (const { interruption, stop } of [first, second]) {
        interruption.resume();
        stop.abort();
      }
      await Promise.all([first.parts.ended, second.parts.ended]);
      await store[Symbol.asyncDispose]();
      rmSync(directory, { recursive: true });
    }
  });
});
