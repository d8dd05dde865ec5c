import { describe, expect, it } from "vitest";
import { operationDefinition, type Pool, poolDefinition } from "../../src/model/index.ts";

import {
  alice,
  controller,
  incrementDrainSeconds,
  member,
  poolInput,
  type ResourcesUnderTest,
  refused,
  web,
  withFinalizers,
  withLabels,
} from "./resources-world.ts";

/** Creating, updating and deleting. */
export function describeWriting(open: () => Promise<ResourcesUnderTest>): void {
  describe("creating", () => {
    it("returns the stored object, with defaults and what the server keeps", async () => {
      const { resources } = await open();
      const pool = await resources.create(poolDefinition, poolInput("web"), alice);
      expect(pool).toMatchObject({
        apiVersion: "parasaus.io/v1",
        kind: "Pool",
        metadata: { name: "web", namespace: "shop", generation: 1 },
        spec: {
          scheduler: "rr",
          forwarding: "fullnat",
          members: [{ ip: "10.0.0.1", port: 80 }],
        },
      });
      expect(pool.metadata.uid).toMatch(/^[0-9a-f-]{36}$/);
      expect(pool.metadata.creationTimestamp).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
      expect(Number(pool.metadata.resourceVersion)).toBeGreaterThan(0);
      expect(await resources.get(web)).toEqual(pool);
    });

    it("refuses a name that is taken, and leaves what has it alone", async () => {
      const { resources } = await open();
      const first = await resources.create(poolDefinition, poolInput("web"), alice);
      const failure = await refused(
        resources.create(poolDefinition, poolInput("web", { members: [] }), alice),
        "AlreadyExists",
      );
      expect(failure.message).toBe('pools.parasaus.io "web" already exists');
      expect(await resources.get(web)).toEqual(first);
    });

    it("makes up a name from generateName", async () => {
      const { resources } = await open();
      const input = { metadata: { generateName: "web-", namespace: "shop" }, spec: {} };
      const names = await Promise.all(
        Array.from(
          { length: 50 },
          async () => (await resources.create(poolDefinition, input, alice)).metadata.name,
        ),
      );
      expect(new Set(names).size).toBe(50);
      for (const each of names) expect(each).toMatch(/^web-[a-z0-9]{5}$/);
    });

    it("names the wrong field and stores nothing", async () => {
      const { resources } = await open();
      const input = poolInput("web", { members: [member(80), member(0)] });
      const failure = await refused(resources.create(poolDefinition, input, alice), "Invalid");
      expect(failure.message).toMatch(
        /^Pool\.parasaus\.io "web" is invalid: spec\.members\[1\]\.port: Invalid value: 0: must be between 1 and 65535/,
      );
      expect(failure.fields.map(({ field }) => field)).toEqual(["spec.members[1].port"]);
      await refused(resources.get(web), "NotFound");
    });

    it("refuses an unknown field under Strict, drops it with a warning under Warn, drops it under Ignore", async () => {
      const { resources } = await open();
      const input = (name: string) => poolInput(name, { colour: "red" });
      await refused(resources.create(poolDefinition, input("strict"), alice), "BadRequest");
      const warnings: string[] = [];
      const onWarning = (message: string) => void warnings.push(message);
      const warned = await resources.create(poolDefinition, input("warn"), {
        ...alice,
        fieldValidation: "Warn",
        onWarning,
      });
      const ignored = await resources.create(poolDefinition, input("ignore"), {
        ...alice,
        fieldValidation: "Ignore",
        onWarning,
      });
      expect(warnings).toEqual(['unknown field "spec.colour"']);
      for (const each of [warned, ignored]) expect((each as Pool).spec).not.toHaveProperty("colour");
    });

    it("answers a dry run like the real one, and stores nothing", async () => {
      const { resources } = await open();
      const dry = await resources.create(poolDefinition, poolInput("web"), { ...alice, dryRun: true });
      expect(dry).toMatchObject({ metadata: { name: "web" }, spec: { scheduler: "rr" } });
      await refused(resources.get(web), "NotFound");
      await refused(
        resources.create(poolDefinition, poolInput("web", { port: 0 }), { ...alice, dryRun: true }),
        "Invalid",
      );
    });

    it("keeps the status for whoever writes the status", async () => {
      const { resources } = await open();
      const input = { ...poolInput("web"), status: { conditions: [] } };
      expect(await resources.create(poolDefinition, input, alice)).not.toHaveProperty("status");
    });

    it("creates 1,000 objects at once, each with its own revision", async () => {
      const { resources } = await open();
      const created = await Promise.all(
        Array.from({ length: 1_000 }, (_, index) =>
          resources.create(poolDefinition, poolInput(`web-${index}`), controller),
        ),
      );
      expect(new Set(created.map((pool) => pool.metadata.resourceVersion)).size).toBe(1_000);
      expect((await resources.list(poolDefinition)).items).toHaveLength(1_000);
    });
  });

  describe("updating", () => {
    it("raises the generation with the spec, and with nothing else", async () => {
      const { resources } = await open();
      const pool = (await resources.create(poolDefinition, poolInput("web"), alice)) as Pool;
      const labelled = await resources.update(web, withLabels(pool, { tier: "front" }), alice);
      expect(labelled.metadata.generation).toBe(1);
      const changed = await resources.update(web, poolInput("web", { scheduler: "wrr" }), alice);
      expect(changed.metadata.generation).toBe(2);
      const status = { connectAddresses: [{ ip: "*", port: 30_000, protocol: "TCP" }] };
      const told = await resources.update(
        web,
        { ...changed, status },
        { ...controller, subresource: "status" },
      );
      expect(told.metadata.generation).toBe(2);
      expect(told).toMatchObject({ status, spec: { scheduler: "wrr" } });
    });

    it("leaves the status alone in an ordinary write, and everything else in a status write", async () => {
      const { resources } = await open();
      const pool = await resources.create(poolDefinition, poolInput("web"), alice);
      const status = { connectAddresses: [{ ip: "*", port: 30_000, protocol: "TCP" }] };
      const other = {
        ...pool,
        spec: { members: [] },
        metadata: { ...pool.metadata, labels: { a: "b" } },
        status,
      };
      const told = await resources.update(web, other, { ...controller, subresource: "status" });
      expect(told).toMatchObject({ status, spec: (pool as Pool).spec });
      expect(told.metadata.labels).toBeUndefined();
      const { status: _, ...withoutStatus } = told as Pool;
      const changed = await resources.update(web, { ...withoutStatus, spec: { members: [] } }, alice);
      expect(changed).toMatchObject({ status, spec: { members: [] } });
    });

    it("refuses a stale resourceVersion, and takes none as unconditional", async () => {
      const { resources } = await open();
      const old = await resources.create(poolDefinition, poolInput("web"), alice);
      await resources.update(web, poolInput("web", { scheduler: "wrr" }), alice);
      const failure = await refused(resources.update(web, withLabels(old, { a: "b" }), alice), "Conflict");
      expect(failure.message).toMatch(/the object has been modified/);
      expect(await resources.get(web)).toMatchObject({ spec: { scheduler: "wrr" } });
    });

    it("refuses the update of an object that was deleted and made again", async () => {
      const { resources } = await open();
      const old = await resources.create(poolDefinition, poolInput("web"), alice);
      await resources.delete(web, alice);
      await resources.create(poolDefinition, poolInput("web"), alice);
      const { resourceVersion, ...metadata } = old.metadata;
      await refused(resources.update(web, { ...old, metadata }, alice), "Conflict");
    });

    it("loses no update when many write with what they read", async () => {
      const { resources } = await open();
      await resources.create(poolDefinition, poolInput("web", { drainSeconds: 0 }), controller);
      const increments = Array.from({ length: 40 }, () => incrementDrainSeconds(resources));
      const conflicts = (await Promise.all(increments)).reduce((sum, each) => sum + each, 0);
      expect(await resources.get(web)).toMatchObject({ spec: { drainSeconds: 40 } });
      expect(conflicts).toBeGreaterThan(0);
    });

    it("loses no unconditional patch of different fields", async () => {
      const { resources } = await open();
      await resources.create(poolDefinition, poolInput("web"), controller);
      const patches = Array.from({ length: 100 }, (_, index) =>
        resources.patch(
          web,
          { type: "merge", body: { metadata: { labels: { [`key-${index}`]: "x" } } } },
          controller,
        ),
      );
      await Promise.all(patches);
      expect(Object.keys((await resources.get(web)).metadata.labels ?? {})).toHaveLength(100);
    });

    it("writes nothing when nothing changes", async () => {
      const { resources } = await open();
      const pool = await resources.create(poolDefinition, poolInput("web"), alice);
      const again = await resources.update(web, poolInput("web"), alice);
      const patched = await resources.patch(
        web,
        { type: "merge", body: { spec: { scheduler: "rr" } } },
        alice,
      );
      for (const each of [again, patched]) expect(each).toEqual(pool);
    });

    it("refuses what does not exist, another name, and read-only kinds", async () => {
      const { resources } = await open();
      const missing = await refused(resources.update(web, poolInput("web"), alice), "NotFound");
      expect(missing.message).toBe('pools.parasaus.io "web" not found');
      await resources.create(poolDefinition, poolInput("web"), alice);
      await refused(resources.update(web, poolInput("other"), alice), "BadRequest");
      const [operation] = (await resources.list(operationDefinition)).items;
      const reference = { definition: operationDefinition, name: operation?.metadata.name ?? "" };
      await refused(resources.update(reference, operation, alice), "MethodNotAllowed");
      await refused(resources.delete(reference, alice), "MethodNotAllowed");
      await refused(resources.create(operationDefinition, operation, alice), "MethodNotAllowed");
    });
  });

  describe("deleting", () => {
    it("returns the object as it was last, and it is gone", async () => {
      const { resources } = await open();
      const pool = await resources.create(poolDefinition, poolInput("web"), alice);
      expect((await resources.delete(web, alice)).metadata.uid).toBe(pool.metadata.uid);
      await refused(resources.get(web), "NotFound");
      await refused(resources.delete(web, alice), "NotFound");
    });

    it("refuses when a precondition does not hold", async () => {
      const { resources } = await open();
      const pool = await resources.create(poolDefinition, poolInput("web"), alice);
      await resources.update(web, poolInput("web", { scheduler: "wrr" }), alice);
      await refused(resources.delete(web, { ...alice, preconditions: { uid: "other" } }), "Conflict");
      const { resourceVersion = "" } = pool.metadata;
      await refused(resources.delete(web, { ...alice, preconditions: { resourceVersion } }), "Conflict");
      await resources.delete(web, { ...alice, preconditions: { uid: pool.metadata.uid ?? "" } });
    });

    it("waits for every finalizer, then the object goes", async () => {
      const { resources } = await open();
      const finalizers = ["parasaus.io/one", "parasaus.io/two"];
      await resources.create(poolDefinition, poolInput("web", {}, { finalizers }), alice);
      const deleted = await resources.delete(web, alice);
      expect(deleted.metadata.deletionTimestamp).toBeDefined();
      expect(await resources.get(web)).toEqual(deleted);
      expect(await resources.delete(web, alice)).toEqual(deleted);
      const one = await resources.update(web, withFinalizers(deleted, ["parasaus.io/two"]), controller);
      expect(one.metadata.deletionTimestamp).toBe(deleted.metadata.deletionTimestamp);
      await refused(resources.update(web, withFinalizers(one, ["parasaus.io/new"]), controller), "Invalid");
      await resources.update(web, withFinalizers(one, []), controller);
      await refused(resources.get(web), "NotFound");
    });
  });
}
