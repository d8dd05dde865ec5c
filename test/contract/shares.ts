import { afterEach, describe, expect, it } from "vitest";
import type { ShardTenure, ShardWorker } from "../../src/controllers/index.ts";
import { hasCode, silentLogger } from "../../src/foundation/index.ts";
import { nodeDefinition } from "../../src/model/index.ts";
import { createLocalResources } from "../../src/resources/local/index.ts";
import { type Coordinator, startCoordinator } from "../../src/server/coordination/coordinator.ts";
import { preferredServer, SHARD_COUNT } from "../../src/server/coordination/shards.ts";
import { type Interruption, interruptible } from "./interruption.ts";
import type { LeadersWorld } from "./leaders.ts";

const PATIENCE = { timeout: 20_000, interval: 5 };
const ALL = Array.from({ length: SHARD_COUNT }, (_, shard) => shard);

interface Server {
  readonly id: string;
  readonly interruption: Interruption;
  readonly coordinator: Coordinator;
  readonly worker: RecordingWorker;
  /** Ends its share in order. */
  leave(): Promise<void>;
}

/** Notes who works on what at any time. */
class RecordingWorker implements ShardWorker {
  readonly tenures = new Map<number, ShardTenure>();
  readonly moves: string[] = [];
  readonly #id: string;
  readonly #onBegin: (shard: number) => void;

  constructor(id: string, onBegin: (shard: number) => void) {
    this.#id = id;
    this.#onBegin = onBegin;
  }

  begin(tenure: ShardTenure): void {
    expect(this.tenures.has(tenure.shard), `shard ${tenure.shard} begins twice`).toBe(false);
    this.tenures.set(tenure.shard, tenure);
    this.moves.push(`${this.#id} begins ${tenure.shard}`);
    this.#onBegin(tenure.shard);
  }

  async end(shard: number, isLost: boolean): Promise<void> {
    // Writing what is left takes a moment; it is still this server's then.
    await new Promise((resolve) => setImmediate(resolve));
    this.tenures.delete(shard);
    this.moves.push(`${this.#id} ${isLost ? "loses" : "ends"} ${shard}`);
  }
}

/** What spreading work over servers promises when servers come, go, die and stand still. */
export function describeShares(name: string, open: () => Promise<LeadersWorld>): void {
  describe(`Shares: ${name}`, () => {
    const servers: Server[] = [];
    afterEach(async () => {
      for (const { interruption } of servers) interruption.resume();
      for (const server of servers.splice(0)) {
        await server.leave();
        await server.coordinator[Symbol.asyncDispose]();
      }
    });

    const doubles: number[] = [];
    const start = (world: LeadersWorld, id: string): Server => {
      const interruption = interruptible(world.clock);
      const store = interruption.store(world.store);
      const { clock } = interruption;
      const coordinator = startCoordinator({
        ...{ store, clock, logger: silentLogger, random: Math.random },
        resources: createLocalResources({ store, clock }),
        metrics: { gauge: () => () => undefined },
        serverId: id,
        leaseSeconds: world.leaseSeconds,
      });
      const worker = new RecordingWorker(id, (shard) => {
        if (servers.some((other) => other.worker !== worker && other.worker.tenures.has(shard)))
          doubles.push(shard);
      });
      const stop = new AbortController();
      const ended = coordinator.share("healthcheck", worker, stop.signal);
      const leave = () => {
        stop.abort();
        return ended;
      };
      const server = { id, interruption, coordinator, worker, leave };
      servers.push(server);
      return server;
    };
    const shardsOf = ({ worker }: Server) => [...worker.tenures.keys()].sort((a, b) => a - b);
    const wanted = (id: string, ...ids: string[]) =>
      ALL.filter((shard) => preferredServer(shard, ids) === id);
    /** Lets time pass until it is so. @returns how long it took, ms of the world's clock */
    const until = async (world: LeadersWorld, isSo: () => boolean) => {
      const startMs = world.clock.monotonicMs();
      for (let step = 0; step < 400 && !isSo(); step += 1) await world.pass(50);
      expect(isSo()).toBe(true);
      return world.clock.monotonicMs() - startMs;
    };
    const isSpread = (...some: Server[]) =>
      some.every((server) => {
        const ids = some.map(({ id }) => id);
        return String(shardsOf(server)) === String(wanted(server.id, ...ids));
      });

    it("gives everything to one server, and a share to each that comes, without a shard having two", async () => {
      const world = await open();
      doubles.length = 0;
      const a = start(world, "a");
      await until(world, () => isSpread(a));
      const b = start(world, "b");
      await until(world, () => isSpread(a, b));
      const c = start(world, "c");
      await until(world, () => isSpread(a, b, c));
      const moved = a.worker.moves.filter((move) => move.startsWith("a ends")).length;
      expect(moved).toBe(SHARD_COUNT - shardsOf(a).length);
      const between = b.worker.moves.filter((move) => move.startsWith("b begins")).length;
      expect(between).toBe(wanted("b", "a", "b").length);
      expect(doubles).toEqual([]);
    });

    it("moves the shards of a server that ends in order at once, and no others", async () => {
      const world = await open();
      doubles.length = 0;
      const [a, b, c] = [start(world, "a"), start(world, "b"), start(world, "c")];
      await until(world, () => isSpread(a, b, c));
      const movesBefore = [a, c].map(({ worker }) => worker.moves.length);
      await b.leave();
      const tookMs = await until(world, () => isSpread(a, c));
      expect(tookMs).toBeLessThan(world.leaseSeconds * 500);
      const moves = [a, c].flatMap(({ worker }, index) => worker.moves.slice(movesBefore[index]));
      expect(moves.filter((move) => !move.includes("begins"))).toEqual([]);
      expect(moves).toHaveLength(wanted("b", "a", "b", "c").length);
      expect(doubles).toEqual([]);
    });

    it("moves the shards of a dead server within one lease time", async () => {
      const world = await open();
      const [a, b] = [start(world, "a"), start(world, "b")];
      await until(world, () => isSpread(a, b));
      b.interruption.pause();
      const tookMs = await until(world, () => shardsOf(a).length === SHARD_COUNT);
      expect(tookMs).toBeLessThanOrEqual(world.leaseSeconds * 1_000 + world.slackMs);
      // The control: nobody was told, it took the time of a lease.
      expect(tookMs).toBeGreaterThan(world.leaseSeconds * 500);
    });

    it("refuses what a server writes about a shard that has moved, and takes it back in when it goes on", async () => {
      const world = await open();
      const [a, b] = [start(world, "a"), start(world, "b")];
      await until(world, () => isSpread(a, b));
      const [shard = 0] = shardsOf(b);
      const tenure = b.worker.tenures.get(shard);
      const isFence = ({ key }: { readonly key: string }) => key.startsWith("/parasaus/shards/");
      const create = (name: string) =>
        tenure?.resources.create(nodeDefinition, { metadata: { name }, spec: {} }, { operator: "system:x" });
      await create("in-time");
      const stands = b.interruption.pauseBefore(isFence);
      const late = create("late")?.catch((failure: unknown) => failure);
      await stands;
      await until(world, () => shardsOf(a).length === SHARD_COUNT);
      b.interruption.resume();
      expect(hasCode(await late, "FenceLost")).toBe(true);
      const { items } = await createLocalResources(world).list(nodeDefinition);
      expect(items.map(({ metadata }) => metadata.name)).toEqual(["in-time"]);
      await until(world, () => isSpread(a, b));
      expect(b.worker.moves).toContain(`b loses ${shard}`);
    });

    it("works again on a shard, and sits again among the servers, when somebody deletes the keys", async () => {
      const world = await open();
      const a = start(world, "a");
      await until(world, () => isSpread(a));
      await world.store.transact([], [{ kind: "delete", key: "/parasaus/shards/healthcheck/7" }]);
      await until(world, () => a.worker.moves.includes("a loses 7") && isSpread(a));
      await world.store.transact([], [{ kind: "delete", key: "/parasaus/servers/a" }]);
      await expect.poll(() => world.store.get("/parasaus/servers/a"), PATIENCE).toBeDefined();
      await until(world, () => isSpread(a));
    });
  });
}
