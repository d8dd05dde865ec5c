import { afterEach, describe, expect, it } from "vitest";
import { type Clock, hasCode, silentLogger } from "../../src/foundation/index.ts";
import { addressPoolDefinition } from "../../src/model/index.ts";
import type { Resources } from "../../src/resources/index.ts";
import { createLocalResources } from "../../src/resources/local/index.ts";
import { type Coordinator, startCoordinator } from "../../src/server/coordination/coordinator.ts";
import { holderOf, type Store, type StoreCondition, type StoreEvent } from "../../src/store/index.ts";
import { type Interruption, interruptible } from "./interruption.ts";

/** A store, its clock, and time that passes for both. */
export interface LeadersWorld {
  readonly store: Store;
  readonly clock: Clock;
  readonly pass: (ms: number) => Promise<void>;
  /** Shortest time to live of a lease that the store can do, seconds. */
  readonly leaseSeconds: number;
  /** How much later than its time the store may end a lease, ms. */
  readonly slackMs: number;
  /** Leader changes that a long test makes, a count. */
  readonly changes: number;
}

const KEY = "/parasaus/leaders/work";
/** Written when nothing more comes. */
const LAST_KEY = "/parasaus/last";
const isFence = ({ key, modRevision }: StoreCondition) => key === KEY && modRevision > 0;

interface Server {
  readonly id: string;
  readonly interruption: Interruption;
  readonly coordinator: Coordinator;
  readonly gauges: Map<string, number>;
}

/** What leading in something promises when servers come, go, die and stand still. */
export function describeLeaders(name: string, open: () => Promise<LeadersWorld>): void {
  describe(`Leaders: ${name}`, () => {
    let stop = new AbortController();
    const ending: Promise<unknown>[] = [];
    const servers: Server[] = [];
    afterEach(async () => {
      stop.abort();
      for (const { interruption } of servers) interruption.resume();
      await Promise.allSettled(ending.splice(0));
      for (const { coordinator } of servers.splice(0)) await coordinator[Symbol.asyncDispose]();
      stop = new AbortController();
    });

    const start = (world: LeadersWorld, id: string): Server => {
      const interruption = interruptible(world.clock);
      const store = interruption.store(world.store);
      const { clock } = interruption;
      const gauges = new Map<string, number>();
      const coordinator = startCoordinator({
        ...{ store, clock, logger: silentLogger, random: Math.random },
        resources: createLocalResources({ store, clock }),
        metrics: {
          gauge: (metric) => (labels, value) =>
            void gauges.set(`${metric} ${Object.values(labels).join()}`, value),
        },
        serverId: id,
        leaseSeconds: world.leaseSeconds,
      });
      const server = { id, interruption, coordinator, gauges };
      servers.push(server);
      return server;
    };
    const lead = (server: Server, work: Parameters<Coordinator["lead"]>[1], signal = stop.signal) => {
      const ended = server.coordinator.lead("work", work, signal);
      ending.push(ended);
      return ended;
    };
    const holder = async ({ store }: LeadersWorld) => holderOf((await store.get(KEY))?.value ?? "");
    const untilHeldBy = async (world: LeadersWorld, wanted: string, stepMs = 50) => {
      const startMs = world.clock.monotonicMs();
      for (let step = 0; step < 400; step += 1) {
        if ((await holder(world)) === wanted) return world.clock.monotonicMs() - startMs;
        await world.pass(stepMs);
      }
      throw new Error(`${wanted} does not lead: ${await holder(world)} does`);
    };

    it("lets one server work at a time, and the next at once when it ends in order", async () => {
      const world = await open();
      let working = 0;
      let most = 0;
      const work = ({ signal }: { signal: AbortSignal }) => {
        working += 1;
        most = Math.max(most, working);
        return untilAborted(signal).then(() => {
          working -= 1;
        });
      };
      const names = ["a", "b", "c"];
      const stops = names.map((id) => {
        const own = new AbortController();
        const server = start(world, id);
        return { id, own, server, ended: lead(server, work, own.signal) };
      });
      await expect.poll(() => working, PATIENCE).toBe(1);
      const order: string[] = [];
      while (stops.length > 0) {
        const id = (await holder(world)) ?? "";
        order.push(id);
        const [leader] = stops.splice(
          stops.findIndex((each) => each.id === id),
          1,
        );
        expect(leader?.server.gauges.get("parasaus_leader work")).toBe(1);
        leader?.own.abort();
        await leader?.ended;
        expect(leader?.server.gauges.get("parasaus_leader work")).toBe(0);
        if (stops.length > 0) await expect.poll(() => working, PATIENCE).toBe(1);
      }
      expect(order.sort()).toEqual(names);
      expect(most).toBe(1);
    });

    it("hands over within one lease time when the leader dies without a word", async () => {
      const world = await open();
      const [a, b] = [start(world, "a"), start(world, "b")];
      void lead(a, ({ signal }) => untilAborted(signal));
      await untilHeldBy(world, "a");
      void lead(b, ({ signal }) => untilAborted(signal));
      a.interruption.pause();
      const tookMs = await untilHeldBy(world, "b");
      expect(tookMs).toBeLessThanOrEqual(world.leaseSeconds * 1_000 + world.slackMs);
      // The control: it did take the time of a lease, nobody was told.
      expect(tookMs).toBeGreaterThan(world.leaseSeconds * 500);
    });

    it("ends the work when somebody takes the key away, and leads again", async () => {
      const world = await open();
      const a = start(world, "a");
      let begun = 0;
      let ended = 0;
      void lead(a, async ({ signal }) => {
        begun += 1;
        await untilAborted(signal);
        ended += 1;
      });
      await expect.poll(() => begun, PATIENCE).toBe(1);
      await world.store.transact([], [{ kind: "delete", key: KEY }]);
      await expect.poll(() => `${begun} ${ended}`, PATIENCE).toBe("2 1");
    });

    it("tells the failure of the work, and lets others try", async () => {
      const world = await open();
      const [a, b] = [start(world, "a"), start(world, "b")];
      await expect(lead(a, () => Promise.reject(new Error("broken")))).rejects.toThrow("broken");
      await expect(lead(a, () => Promise.resolve())).rejects.toThrow("ended by itself");
      void lead(b, ({ signal }) => untilAborted(signal));
      await untilHeldBy(world, "b");
    });

    const depose = async (world: LeadersWorld, leader: Server, successor: Server) => {
      const lateBefore = leader.interruption.lateCount;
      await leader.interruption.pauseBefore(isFence);
      await untilHeldBy(world, successor.id, 500);
      await untilWritten(world.store);
      leader.interruption.resume();
      await expect.poll(() => leader.interruption.lateCount, PATIENCE).toBeGreaterThan(lateBefore);
    };
    const race = async (world: LeadersWorld, changes: number, isFenced: boolean) => {
      let [leader, other] = [start(world, "a"), start(world, "b")];
      const pair = [leader, other];
      const judged = judgeFrom(world.store, (await world.store.revision()) + 1);
      let refused = 0;
      for (const server of pair) {
        if (!isFenced) server.interruption.dropConditions(isFence);
        void lead(server, (tenure) =>
          writeOn(world.store, tenure, () => {
            refused += 1;
          }),
        );
        await untilHeldBy(world, "a");
      }
      for (let change = 0; change < changes; change += 1) {
        await depose(world, leader, other);
        [leader, other] = [other, leader];
      }
      stop.abort();
      await Promise.allSettled(ending);
      const late = pair.reduce((sum, { interruption }) => sum + interruption.lateCount, 0);
      return { changes, late, refused, ...(await judged()) };
    };

    it("accepts nothing that a leader sends after it stood still and was deposed", async () => {
      const world = await open();
      const counts = await race(world, world.changes, true);
      process.stdout.write(`${name}: ${JSON.stringify(counts)}\n`);
      expect(counts.changes).toBe(world.changes);
      expect(counts.late).toBeGreaterThanOrEqual(counts.changes);
      expect(counts.refused).toBeGreaterThanOrEqual(counts.changes);
      expect(counts.acceptedOfDeposed).toBe(0);
    });

    it("would accept it without the fence: the control", async () => {
      const world = await open();
      const changes = Math.min(10, world.changes);
      const counts = await race(world, changes, false);
      process.stdout.write(`${name}, without the fence: ${JSON.stringify(counts)}\n`);
      expect(counts.acceptedOfDeposed).toBeGreaterThanOrEqual(changes);
    });
  });
}

const PATIENCE = { timeout: 20_000, interval: 5 };

function untilAborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
}

/** Makes one object after the other, each named after the fence under which it is made. */
async function writeOn(
  store: Store,
  { resources, signal }: { readonly resources: Resources; readonly signal: AbortSignal },
  onRefused: () => void,
): Promise<void> {
  const fence = (await store.get(KEY))?.modRevision ?? 0;
  for (let index = 0; !signal.aborted; index += 1) {
    try {
      const metadata = { name: `n-${fence}-${index}` };
      const spec = { addresses: ["10.9.0.1"], ports: ["80"] };
      await resources.create(addressPoolDefinition, { metadata, spec }, { operator: "system:test" });
    } catch (failure) {
      if (!hasCode(failure, "FenceLost")) throw failure;
      onRefused();
    }
  }
}

/** Waits until two more objects were made. */
async function untilWritten(store: Store): Promise<void> {
  const count = async () => (await store.range("/parasaus/registry/", { limit: 1 })).count;
  const before = await count();
  await expect.poll(count, PATIENCE).toBeGreaterThan(before + 1);
}

/**
 * Follows the store's history, which the store does not keep for ever: was the writer of each object the leader at that
 * revision?
 *
 * @returns ends it with everything written until then, and tells
 */
function judgeFrom(store: Store, from: number) {
  const counts = { accepted: 0, acceptedOfDeposed: 0 };
  let leader = 0;
  const judge = (event: StoreEvent) => {
    const key = event.kind === "put" ? event.entry.key : event.key;
    if (key === KEY) leader = event.kind === "put" ? event.entry.modRevision : 0;
    else if (key.includes(`/n-${leader}-`)) counts.accepted += 1;
    else if (key.includes("/n-")) counts.acceptedOfDeposed += 1;
    return key === LAST_KEY;
  };
  const read = async () => {
    for await (const message of store.watch("/", from, new AbortController().signal)) {
      if (message.kind === "events" && message.events.map(judge).includes(true)) return;
    }
  };
  const reading = read();
  // Told when it is awaited.
  reading.catch(() => undefined);
  return async () => {
    await store.transact([], [{ kind: "put", key: LAST_KEY, value: "" }]);
    await reading;
    return counts;
  };
}
