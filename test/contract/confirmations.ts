import { afterEach, describe, expect, it } from "vitest";
import { FakeClock, hasCode, silentLogger } from "../../src/foundation/index.ts";
import {
  endpointsDefinition,
  type Operation,
  operationDefinition,
  type Pool,
  poolDefinition,
  serviceDefinition,
} from "../../src/model/index.ts";
import { createLocalResources, type LocalResources } from "../../src/resources/local/index.ts";
import { applyTogether } from "../../src/server/confirmations/apply-together.ts";
import { keepChange } from "../../src/server/confirmations/keep-change.ts";
import { listConfirmations } from "../../src/server/confirmations/stored-confirmation.ts";
import { takeBack } from "../../src/server/confirmations/take-back.ts";
import { watchConfirmations } from "../../src/server/confirmations/watch-confirmations.ts";
import type { AppliedDocument } from "../../src/server/documents.ts";
import type { Store } from "../../src/store/index.ts";

/** A store, empty at first. */
export interface ConfirmationsWorld {
  readonly store: () => Store;
  /** As after a restart of everything. */
  readonly reopen: () => Promise<void>;
}

const WITHIN_SECONDS = 300;
const RACES = 20;
const OLGA = { operator: "olga" };
const PATIENCE = { timeout: 10_000, interval: 10 };

/** What a change that waits for a word promises, over any Store. */
export function describeConfirmations(name: string, open: () => Promise<ConfirmationsWorld>): void {
  describe(`Confirmations: ${name}`, () => {
    let stop = new AbortController();
    let ended: Promise<unknown>[] = [];
    afterEach(async () => {
      stop.abort();
      await Promise.all(ended);
      ended = [];
      stop = new AbortController();
    });

    async function begin() {
      const world = await open();
      const clock = new FakeClock();
      const over = (store: Store) => createLocalResources({ store, clock, autoCreateNamespaces: true });
      let resources = over(world.store());
      let count = 0;
      const source = () => ({
        ...{ store: world.store(), resources, clock, logger: silentLogger, epoch: 1 },
        pools: new Map<string, Pool>(),
      });
      return {
        clock,
        source,
        resources: () => resources,
        async reopen() {
          await world.reopen();
          resources = over(world.store());
        },
        /** A server that takes back what nobody confirms. */
        serve() {
          const own = new AbortController();
          const signal = AbortSignal.any([own.signal, stop.signal]);
          const running = watchConfirmations({ ...source(), signal });
          ended.push(running);
          return async () => {
            own.abort();
            await running;
          };
        },
        async apply(...documents: readonly AppliedDocument[]) {
          count += 1;
          const makeId = () => `id${count}`;
          const { confirmation } = await applyTogether(
            { resources, clock, epoch: 1, makeId },
            {
              ...{ documents, ...OLGA, source: "192.0.2.9", confirmWithinSeconds: WITHIN_SECONDS },
              onWarning: () => undefined,
            },
          );
          return confirmation?.id;
        },
        states: async () => (await listConfirmations(world.store())).items.map(({ state }) => state),
      };
    }

    it("takes back what nobody confirms: what was changed is as before, what was made is gone, as one operation", async () => {
      const world = await begin();
      await world.resources().create(poolDefinition, poolOf("old", { drainSeconds: 9 }).file, OLGA);
      await world.apply(poolOf("old", { drainSeconds: 1 }), poolOf("new"));
      expect(await specs(world.resources())).toMatchObject({ old: { drainSeconds: 1 }, new: {} });
      world.serve();
      await world.clock.advance((WITHIN_SECONDS - 1) * 1_000);
      expect(await world.states()).toEqual(["pending"]);
      await world.clock.advance(2_000);
      await expect.poll(world.states, PATIENCE).toEqual(["reverted"]);
      const left = await specs(world.resources());
      expect([Object.keys(left), left["old"]?.drainSeconds]).toEqual([["old"], 9]);
      const done = (await operations(world.resources())).slice(2);
      expect(done.map(({ spec }) => [spec.operator, spec.verb, spec.object.name])).toEqual([
        ["system:confirmations", "rollback", "old"],
      ]);
      expect(done[0]?.spec.also?.map(({ object }) => object.name)).toEqual(["new"]);
      expect(done[0]?.spec.reason).toBe("not confirmed by olga within 5m (id1)");
    });

    it("keeps what is confirmed in time, and takes no confirmation after that", async () => {
      const world = await begin();
      world.serve();
      const id = (await world.apply(poolOf("web"))) ?? "";
      await world.clock.advance((WITHIN_SECONDS - 1) * 1_000);
      expect(await keepChange(world.source(), id, "olga")).toMatchObject({ confirmedBy: "olga" });
      await world.clock.advance(WITHIN_SECONDS * 1_000);
      expect([await world.states(), Object.keys(await specs(world.resources()))]).toEqual([
        ["confirmed"],
        ["web"],
      ]);
      // The control: the same change without the word goes.
      const late = (await world.apply(poolOf("late"))) ?? "";
      await expect.poll(world.states, PATIENCE).toEqual(["confirmed", "pending"]);
      await world.clock.advance((WITHIN_SECONDS + 1) * 1_000);
      await expect.poll(world.states, PATIENCE).toEqual(["confirmed", "reverted"]);
      expect(Object.keys(await specs(world.resources()))).toEqual(["web"]);
      const refusal = await keepChange(world.source(), late, "olga").catch((failure: unknown) => failure);
      expect(hasCode(refusal, "Conflict")).toBe(true);
    });

    it("takes back after a restart, also when the time was up while nobody ran", async () => {
      const world = await begin();
      const end = world.serve();
      await world.apply(poolOf("web"));
      await end();
      await world.reopen();
      await world.clock.advance(WITHIN_SECONDS * 2_000);
      expect(Object.keys(await specs(world.resources()))).toEqual(["web"]);
      world.serve();
      await expect.poll(world.states, PATIENCE).toEqual(["reverted"]);
      expect(await specs(world.resources())).toEqual({});
    });

    it(`is taken back once by two servers, ${RACES} times`, async () => {
      const world = await begin();
      for (let race = 0; race < RACES; race += 1) {
        const id = (await world.apply(poolOf(`web-${race}`))) ?? "";
        const servers = together(world.source().store);
        await Promise.all(servers.map((store) => takeBack({ ...world.source(), store }, id)));
      }
      const rollbacks = (await operations(world.resources())).filter(({ spec }) => spec.verb === "rollback");
      process.stdout.write(`${name}: ${RACES} races, ${rollbacks.length} rollbacks\n`);
      expect(rollbacks.map(({ spec }) => spec.object.name)).toEqual(
        Array.from({ length: RACES }, (_, race) => `web-${race}`),
      );
      expect(await specs(world.resources())).toEqual({});
    });

    it("leaves alone what somebody has changed since, says so in the record, and takes back the rest", async () => {
      const world = await begin();
      await world.apply(poolOf("mine"), poolOf("theirs"), poolOf("gone"));
      const reference = { definition: poolDefinition, namespace: "shop", name: "theirs" };
      const patch = { type: "merge", body: { spec: { drainSeconds: 7 } } } as const;
      await world.resources().patch(reference, patch, { operator: "paul" });
      await world.resources().delete({ ...reference, name: "gone" }, { operator: "paul" });
      await takeBack(world.source(), "id1");
      const left = await specs(world.resources());
      expect([Object.keys(left), left["theirs"]?.drainSeconds]).toEqual([["theirs"], 7]);
      const [confirmation] = (await listConfirmations(world.source().store)).items;
      expect(confirmation?.leftAlone).toMatchObject([
        { name: "theirs", why: expect.stringMatching(/^paul changed it since \(patch, \d+\)$/) },
        { name: "gone", why: expect.stringMatching(/^paul changed it since \(delete, \d+\)$/) },
      ]);
      const told = (await operations(world.resources())).filter(({ spec }) => spec.verb === "refuse");
      expect(told.map(({ spec }) => `${spec.object.name}: ${spec.message}`)).toEqual([
        expect.stringContaining('theirs: Cannot take the change of Pool "theirs" back: paul changed it'),
        expect.stringContaining('gone: Cannot take the change of Pool "gone" back: paul changed it'),
      ]);
    });

    it("ends also when there is nothing left to take back", async () => {
      const world = await begin();
      await world.apply(poolOf("web"));
      const reference = { definition: poolDefinition, namespace: "shop", name: "web" };
      await world.resources().delete(reference, { operator: "paul" });
      await takeBack(world.source(), "id1");
      expect(await world.states()).toEqual(["reverted"]);
      expect(await world.apply(poolOf("web"))).toBe("id2");
      // What changes nothing waits for nothing.
      expect(await world.apply(poolOf("web"))).toBeUndefined();
    });

    it("takes Service and Endpoints back together", async () => {
      const world = await begin();
      await world.apply(...serviceOf("192.0.2.1"));
      await keepChange(world.source(), "id1", "olga");
      await world.apply(...serviceOf("192.0.2.2"));
      await takeBack(world.source(), "id2");
      const reference = { definition: endpointsDefinition, namespace: "shop", name: "svc" };
      expect(await world.resources().get(reference)).toMatchObject({
        subsets: [{ addresses: [{ ip: "192.0.2.1" }] }],
      });
    });

    it("makes all of a change or none, and refuses a time that cannot be", async () => {
      const world = await begin();
      const bad = poolOf("bad", { drainSeconds: -1 });
      await expect(world.apply(poolOf("good"), bad)).rejects.toThrow(/drainSeconds/);
      await expect(world.apply(poolOf("good"), poolOf("good"))).rejects.toThrow(/twice/);
      expect([await specs(world.resources()), await world.states()]).toEqual([{}, []]);
      const never = applyTogether(
        { resources: world.resources(), clock: world.clock, epoch: 1, makeId: () => "x" },
        {
          ...{ documents: [poolOf("good")], ...OLGA, source: "192.0.2.9", confirmWithinSeconds: 0 },
          onWarning: () => undefined,
        },
      );
      await expect(never).rejects.toThrow(/5 s to 86400 s/);
    });
  });
}

function poolOf(name: string, spec: object = {}): AppliedDocument {
  const reference = { definition: poolDefinition, namespace: "shop", name };
  const metadata = { name, namespace: "shop" };
  const file = { apiVersion: "parasaus.io/v1", kind: "Pool", metadata, spec: { members: [], ...spec } };
  return { reference, file };
}

function serviceOf(ip: string): readonly AppliedDocument[] {
  const metadata = { name: "svc", namespace: "shop" };
  const service = { apiVersion: "v1", kind: "Service", metadata, spec: { ports: [{ port: 80 }] } };
  const subsets = [{ addresses: [{ ip }], ports: [{ port: 80 }] }];
  const endpoints = { apiVersion: "v1", kind: "Endpoints", metadata, subsets };
  return [
    { reference: { definition: serviceDefinition, namespace: "shop", name: "svc" }, file: service },
    { reference: { definition: endpointsDefinition, namespace: "shop", name: "svc" }, file: endpoints },
  ];
}

async function specs(resources: LocalResources): Promise<Readonly<Record<string, Pool["spec"]>>> {
  const { items } = await resources.list(poolDefinition);
  return Object.fromEntries(items.map((pool) => [pool.metadata.name, (pool as Pool).spec]));
}

async function operations(resources: LocalResources): Promise<readonly Operation[]> {
  return (await resources.list(operationDefinition)).items as readonly Operation[];
}

/** Two views of a store: both have read before either goes on. */
function together(store: Store): readonly Store[] {
  let arrived = 0;
  let open: () => void = () => undefined;
  const both = new Promise<void>((resolve) => {
    open = resolve;
  });
  const view = {
    get: async (key: string) => {
      const entry = await store.get(key);
      arrived += 1;
      if (arrived === 2) open();
      await both;
      return entry;
    },
    transact: store.transact.bind(store),
  };
  // What waiting for each other takes; keeping and taking back ask a store for nothing else.
  return [view, view] as unknown as readonly Store[];
}
