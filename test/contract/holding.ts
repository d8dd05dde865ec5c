import { afterEach, describe, expect, it } from "vitest";
import { type Clock, hasCode, silentLogger } from "../../src/foundation/index.ts";
import {
  type Fence,
  fenceStore,
  type HeldLease,
  holderOf,
  holdLease,
  type Store,
  type StoreEvent,
} from "../../src/store/index.ts";

/** A store, its clock, and time that passes for both. */
export interface HoldingWorld {
  readonly store: Store;
  readonly clock: Clock;
  readonly pass: (ms: number) => Promise<void>;
}

const TTL_SECONDS = 5;
const KEY = "/parasaus/leaders/allocator";

/** What holding a key and writing in its name promises, over any Store. */
export function describeHolding(name: string, open: () => Promise<HoldingWorld>): void {
  describe(`Holding keys: ${name}`, () => {
    const leases: HeldLease[] = [];
    afterEach(async () => {
      for (const lease of leases.splice(0)) await lease[Symbol.asyncDispose]();
    });
    const hold = async ({ clock }: HoldingWorld, store: Store, holder: string): Promise<HeldLease> => {
      const lease = await holdLease({ store, clock, logger: silentLogger, holder, ttlSeconds: TTL_SECONDS });
      leases.push(lease);
      return lease;
    };

    it("gives a key to one of many who want it, and says who has it", async () => {
      const world = await open();
      const all = await Promise.all(
        Array.from({ length: 20 }, (_, index) => hold(world, world.store, `server-${index}`)),
      );
      const fences = await Promise.all(all.map((lease) => lease.take(KEY)));
      const winner = fences.findIndex((fence) => fence !== undefined);
      expect(fences.filter((fence) => fence !== undefined)).toHaveLength(1);
      const entry = await world.store.get(KEY);
      expect(entry).toMatchObject(fences[winner] ?? {});
      expect(entry?.createRevision).toBe(entry?.modRevision);
      expect(holderOf(entry?.value ?? "")).toBe(`server-${winner}`);
    });

    it("keeps the key while the lease is renewed, and gives it back at once when it is disposed", async () => {
      const world = await open();
      const a = await hold(world, world.store, "a");
      const b = await hold(world, world.store, "b");
      const fence = await a.take(KEY);
      await world.pass(3 * TTL_SECONDS * 1_000);
      expect(a.lost.aborted).toBe(false);
      expect(await b.take(KEY)).toBeUndefined();
      await a[Symbol.asyncDispose]();
      expect(a.lost.aborted).toBe(true);
      const next = await b.take(KEY);
      expect(next?.modRevision).toBeGreaterThan(fence?.modRevision ?? Number.POSITIVE_INFINITY);
    });

    it("lets single keys go while it keeps the others", async () => {
      const world = await open();
      const a = await hold(world, world.store, "a");
      const b = await hold(world, world.store, "b");
      const [one, two] = await Promise.all([a.take("/k/1"), a.take("/k/2")]);
      await a.release(one as Fence);
      expect(await b.take("/k/1")).toBeDefined();
      expect(await b.take("/k/2")).toBeUndefined();
      // A second release, e.g. one whose answer was lost, takes nothing from the new holder.
      await a.release(one as Fence);
      expect(holderOf((await world.store.get("/k/1"))?.value ?? "")).toBe("b");
      // Several at once, one of which has gone already.
      await a.release(one as Fence, two as Fence);
      expect(await b.take("/k/2")).toBeDefined();
      expect(holderOf((await world.store.get("/k/1"))?.value ?? "")).toBe("b");
    });

    it("stops before others can begin when nothing it sends is answered, though nobody tells it", async () => {
      const world = await open();
      const deaf = deafStore(world.store);
      const a = await hold(world, deaf.store, "a");
      await a.take(KEY);
      const b = await hold(world, world.store, "b");
      deaf.isDeaf = true;
      const lostAt = world.clock.monotonicMs();
      let lostMs = Number.POSITIVE_INFINITY;
      a.lost.addEventListener("abort", () => {
        lostMs = world.clock.monotonicMs() - lostAt;
      });
      let takenMs = Number.POSITIVE_INFINITY;
      for (let step = 0; step < 40 && takenMs > 1e9; step += 1) {
        await world.pass(250);
        if (await b.take(KEY)) takenMs = world.clock.monotonicMs() - lostAt;
      }
      expect(deaf.unansweredCount).toBeGreaterThan(1);
      // Other work of a busy machine may keep a timer waiting, but never for as long as the margin.
      expect(lostMs).toBeLessThanOrEqual(TTL_SECONDS * 1_000 * 0.8 + 250);
      expect(takenMs - lostMs).toBeGreaterThan(500);
      expect(takenMs).toBeLessThan(TTL_SECONDS * 1_000 + 2_000);
    });

    it("outlives renewals that fail for less than the time to live", async () => {
      const world = await open();
      const deaf = deafStore(world.store);
      const a = await hold(world, deaf.store, "a");
      await a.take(KEY);
      deaf.isDeaf = true;
      await world.pass(2_500);
      deaf.isDeaf = false;
      await world.pass(2 * TTL_SECONDS * 1_000);
      expect(deaf.unansweredCount).toBeGreaterThan(1);
      expect(a.lost.aborted).toBe(false);
    });

    it("knows that the store ended the lease, and takes nothing more", async () => {
      const world = await open();
      let leaseId = "";
      const store = overridden(world.store, {
        grantLease: async (ttl) => {
          leaseId = await world.store.grantLease(ttl);
          return leaseId;
        },
      });
      const a = await hold(world, store, "a");
      await world.store.revokeLease(leaseId);
      expect(hasCode(await failureOf(a.take(KEY)), "FenceLost")).toBe(true);
      expect(a.lost.aborted).toBe(true);
      expect(await world.store.get(KEY)).toBeUndefined();
    });

    it("finds its own key again when the answer to taking it was lost", async () => {
      const world = await open();
      let losesAnswers = true;
      const store = overridden(world.store, {
        transact: async (...parameters) => {
          const result = await world.store.transact(...parameters);
          if (losesAnswers) throw new Error("the answer was lost");
          return result;
        },
      });
      const a = await hold(world, store, "a");
      expect(await failureOf(a.take(KEY))).toMatchObject({ message: "the answer was lost" });
      losesAnswers = false;
      const fence = await a.take(KEY);
      expect(await world.store.get(KEY)).toMatchObject(fence ?? { key: "none" });
      // Held, and known to be held: nobody gets it twice.
      expect(await a.take(KEY)).toBeUndefined();
    });

    describe("writing in the name of a key", () => {
      const put = { kind: "put", key: "/x", value: "1" } as const;

      it("writes as the store does while the key is held", async () => {
        const world = await open();
        const a = await hold(world, world.store, "a");
        const fenced = fenceStore(world.store, (await a.take(KEY)) as Fence);
        const { succeeded, revision } = await fenced.transact([{ key: "/x", modRevision: 0 }], [put]);
        expect(succeeded).toBe(true);
        expect(await fenced.get("/x")).toMatchObject({ value: "1", modRevision: revision });
      });

      it("answers that the writer's own condition failed, not that the fence is lost", async () => {
        const world = await open();
        const a = await hold(world, world.store, "a");
        const fenced = fenceStore(world.store, (await a.take(KEY)) as Fence);
        await world.store.transact([], [put]);
        const again = await fenced.transact([{ key: "/x", modRevision: 0 }], [{ ...put, value: "2" }]);
        expect(again.succeeded).toBe(false);
        expect((await world.store.get("/x"))?.value).toBe("1");
      });

      it("refuses a former holder and applies nothing, while the same write without the fence would pass", async () => {
        const world = await open();
        const a = await hold(world, world.store, "a");
        const fence = (await a.take(KEY)) as Fence;
        const fenced = fenceStore(world.store, fence);
        await a.release(fence);
        const nobody = await failureOf(fenced.transact([], [put]));
        expect(hasCode(nobody, "FenceLost") && nobody.message).toBe(
          `Cannot write in the name of "${KEY}": nobody holds it, not ${fence.modRevision}`,
        );
        const b = await hold(world, world.store, "b");
        await b.take(KEY);
        expect(hasCode(await failureOf(fenced.transact([], [put])), "FenceLost")).toBe(true);
        expect(await world.store.get("/x")).toBeUndefined();
        expect((await world.store.transact([], [put])).succeeded).toBe(true);
      });

      it("lets nothing of a former holder through in 200 changes of the holder, writing all the time", async () => {
        const world = await open();
        const counts = await changeHolders(world.store, (holder) => hold(world, world.store, holder), 200);
        expect(counts.acceptedOfDeposed).toBe(0);
        expect(counts.refused).toBeGreaterThanOrEqual(counts.changes);
        expect(counts.changes).toBe(200);
        // The control: the same race without the fence.
        expect(counts.acceptedWithoutFence).toBeGreaterThanOrEqual(counts.changes);
        process.stdout.write(`${name}: ${JSON.stringify(counts)}\n`);
      });
    });
  });
}

interface ChangeCounts {
  readonly changes: number;
  readonly accepted: number;
  readonly acceptedOfDeposed: number;
  readonly refused: number;
  readonly acceptedWithoutFence: number;
}

/**
 * Two take turns in holding the key; whoever held it goes on writing, unaware, until it is refused. Each write names the
 * fence of its writer, and what the store took is judged by its own history.
 */
async function changeHolders(
  store: Store,
  hold: (holder: string) => Promise<HeldLease>,
  changes: number,
): Promise<ChangeCounts> {
  const stop = new AbortController();
  const from = (await store.revision()) + 1;
  const leases = [await hold("a"), await hold("b")];
  let refused = 0;
  let fence = (await leases[0]?.take(KEY)) as Fence;
  let writing = writeUntilRefused(store, fence);
  for (let change = 1; change <= changes; change += 1) {
    const [former, next] = [leases[(change + 1) % 2], leases[change % 2]];
    await Promise.race([writing.begun, writing.ended]);
    await former?.release(fence);
    const successor = (await next?.take(KEY)) as Fence;
    const unfenced = { kind: "put", key: "/unfenced", value: String(fence.modRevision) } as const;
    await store.transact([], [unfenced]);
    refused += await writing.ended;
    fence = successor;
    writing = writeUntilRefused(store, fence);
  }
  await writing.begun;
  await leases[changes % 2]?.release(fence);
  refused += await writing.ended;
  const judged = await judge(store, from, await store.revision(), stop.signal);
  stop.abort();
  return { changes, refused, ...judged };
}

function writeUntilRefused(store: Store, fence: Fence) {
  const fenced = fenceStore(store, fence);
  const put = { kind: "put", key: "/fenced", value: String(fence.modRevision) } as const;
  let announce = (): void => undefined;
  const begun = new Promise<void>((resolve) => {
    announce = resolve;
  });
  const write = async (): Promise<number> => {
    for (;;) {
      const failure = await failureOf(fenced.transact([], [put]));
      if (failure !== undefined && !hasCode(failure, "FenceLost")) throw failure;
      if (failure !== undefined) return 1;
      announce();
    }
  };
  return { begun, ended: write() };
}

/** Goes through the store's history: was the writer of each value the holder at that revision? */
async function judge(store: Store, from: number, until: number, signal: AbortSignal) {
  const counts = { accepted: 0, acceptedOfDeposed: 0, acceptedWithoutFence: 0 };
  let holder = 0;
  for (const event of await readHistory(store, from, until, signal)) {
    if (event.kind === "delete") holder = 0;
    else if (event.entry.key === KEY) holder = event.entry.modRevision;
    else if (event.entry.value === String(holder)) counts.accepted += 1;
    else counts[event.entry.key === "/fenced" ? "acceptedOfDeposed" : "acceptedWithoutFence"] += 1;
  }
  return counts;
}

async function readHistory(store: Store, from: number, until: number, signal: AbortSignal) {
  const events: StoreEvent[] = [];
  for await (const message of store.watch("/", from, signal)) {
    if (message.kind === "events") events.push(...message.events);
    if (message.revision >= until) break;
  }
  return events;
}

function failureOf(work: Promise<unknown>): Promise<unknown> {
  return work.then(
    () => undefined,
    (failure: unknown) => failure,
  );
}

/** The same store with some of its methods replaced. */
function overridden(store: Store, methods: Partial<Store>): Store {
  return new Proxy(store, {
    get: (target, name) => {
      if (name in methods) return Reflect.get(methods, name);
      const value: unknown = Reflect.get(target, name);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}

/** A store that can stop to answer, as one behind a cut line does. */
function deafStore(store: Store) {
  const deaf = { isDeaf: false, unansweredCount: 0, store };
  deaf.store = overridden(store, {
    keepLeaseAlive: (leaseId) => {
      if (!deaf.isDeaf) return store.keepLeaseAlive(leaseId);
      deaf.unansweredCount += 1;
      return new Promise(() => undefined);
    },
  });
  return deaf;
}
