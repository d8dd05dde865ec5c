import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { FakeClock, hasCode, silentLogger } from "../../src/foundation/index.ts";
import {
  DEFINITIONS,
  type KubeObject,
  namespaceDefinition,
  poolDefinition,
  type ResourceDefinition,
  serviceDefinition,
} from "../../src/model/index.ts";
import type { Resources } from "../../src/resources/index.ts";
import { startGarbageCollector } from "../../src/resources/local/index.ts";
import { openTestResources, type TestResources } from "./local-resources.ts";

const options = { operator: "alice" };

let stop: AbortController;
let test: TestResources;
beforeEach(async () => {
  stop = new AbortController();
  test = await openTestResources({ autoCreateNamespaces: true });
});
afterEach(async () => {
  stop.abort();
  await test[Symbol.asyncDispose]();
});

const collect = (resources: Resources, clock = new FakeClock()) =>
  startGarbageCollector({
    resources,
    definitions: DEFINITIONS,
    clock,
    logger: silentLogger,
    signal: stop.signal,
  });

function createService(name: string): Promise<KubeObject> {
  const input = { metadata: { name, namespace: "shop" }, spec: { ports: [{ port: 80 }] } };
  return test.resources.create(serviceDefinition, input, options);
}

function createPool(name: string, owners: readonly KubeObject[], metadata: object = {}): Promise<KubeObject> {
  const ownerReferences = owners.map((owner) => ({
    apiVersion: owner.apiVersion,
    kind: owner.kind,
    name: owner.metadata.name,
    uid: owner.metadata.uid,
  }));
  const input = { metadata: { name, namespace: "shop", ownerReferences, ...metadata }, spec: {} };
  return test.resources.create(poolDefinition, input, options);
}

/** Waits until the objects of a kind are exactly these. */
async function untilOnly(definition: ResourceDefinition, names: readonly string[]): Promise<void> {
  const { items, resourceVersion } = await test.resources.list(definition);
  const present = new Set(items.map((item) => item.metadata.name));
  const isReached = () => [...present].sort().join() === names.join();
  if (isReached()) return;
  for await (const event of test.resources.watch(definition, { resourceVersion, signal: stop.signal })) {
    if (event.type === "DELETED") present.delete(event.object.metadata.name);
    else if (event.type === "ADDED") present.add(event.object.metadata.name);
    if (isReached()) return;
  }
}

describe("startGarbageCollector", () => {
  it("deletes an object when its owner goes, and no other", async () => {
    const [web, db] = [await createService("web"), await createService("db")];
    await createPool("web", [web]);
    await createPool("db", [db]);
    await createPool("own", []);
    void collect(test.resources);
    await test.resources.delete({ definition: serviceDefinition, namespace: "shop", name: "web" }, options);
    await untilOnly(poolDefinition, ["db", "own"]);
  });

  it("deletes what lost its owner while nobody looked", async () => {
    const web = await createService("web");
    await createPool("web", [web]);
    await createPool("own", []);
    await test.resources.delete({ definition: serviceDefinition, namespace: "shop", name: "web" }, options);
    await test.reopen();
    void collect(test.resources);
    await untilOnly(poolDefinition, ["own"]);
  });

  it("deletes what belongs to an owner of the same name that was made anew", async () => {
    const web = await createService("web");
    await createPool("web", [web]);
    await test.resources.delete({ definition: serviceDefinition, namespace: "shop", name: "web" }, options);
    await createService("web");
    void collect(test.resources);
    await untilOnly(poolDefinition, []);
  });

  it("keeps an object while one of its owners is there, or is of a kind that is not ours", async () => {
    const [web, db] = [await createService("web"), await createService("db")];
    await createPool("both", [web, db]);
    await createPool("foreign", [
      { apiVersion: "apps/v1", kind: "Deployment", metadata: { name: "x", uid: "y" } },
    ]);
    await createPool("garbage", [web]);
    void collect(test.resources);
    await test.resources.delete({ definition: serviceDefinition, namespace: "shop", name: "web" }, options);
    await untilOnly(poolDefinition, ["both", "foreign"]);
    await test.resources.delete({ definition: serviceDefinition, namespace: "shop", name: "db" }, options);
    await untilOnly(poolDefinition, ["foreign"]);
  });

  it("empties a namespace that is deleted, then lets it go", async () => {
    await createService("web");
    for (const name of ["a", "b", "c"]) await createPool(name, []);
    await test.resources.create(
      poolDefinition,
      { metadata: { name: "other", namespace: "lab" }, spec: {} },
      options,
    );
    void collect(test.resources);
    await test.resources.delete({ definition: namespaceDefinition, name: "shop" }, options);
    await untilOnly(namespaceDefinition, ["lab"]);
    await untilOnly(poolDefinition, ["other"]);
    await untilOnly(serviceDefinition, []);
    await createPool("again", []);
  });

  it("waits for the finalizers of what lies in a namespace", async () => {
    const pool = await createPool("held", [], { finalizers: ["parasaus.io/address"] });
    const clock = new FakeClock();
    void collect(test.resources, clock);
    await test.resources.delete({ definition: namespaceDefinition, name: "shop" }, options);
    const reference = { definition: poolDefinition, namespace: "shop", name: "held" };
    const watch = test.resources.watch(poolDefinition, { signal: stop.signal });
    for await (const event of watch) {
      if (event.type !== "BOOKMARK" && event.object.metadata.deletionTimestamp) break;
    }
    expect(await test.resources.get({ definition: namespaceDefinition, name: "shop" })).toBeDefined();
    const current = await test.resources.get(reference);
    const metadata = { ...current.metadata, finalizers: [] };
    await test.resources.update(reference, { ...current, metadata }, { operator: "system:test" });
    const gone = untilOnly(namespaceDefinition, []);
    const ticking = new AbortController();
    void gone.finally(() => ticking.abort());
    while (!ticking.signal.aborted) await clock.advance(5_000);
    await gone;
    expect(pool.metadata.finalizers).toEqual(["parasaus.io/address"]);
  });

  it("deletes other namespaces while one waits for a finalizer", async () => {
    await createPool("held", [], { finalizers: ["parasaus.io/address"] });
    const other = { metadata: { name: "other", namespace: "lab" }, spec: {} };
    await test.resources.create(poolDefinition, other, options);
    void collect(test.resources);
    await test.resources.delete({ definition: namespaceDefinition, name: "shop" }, options);
    await test.resources.delete({ definition: namespaceDefinition, name: "lab" }, options);
    await untilOnly(namespaceDefinition, ["shop"]);
  });

  it("never lets the namespace `default` be deleted", async () => {
    const reference = { definition: namespaceDefinition, name: "default" };
    await test.resources.create(namespaceDefinition, { metadata: { name: "default" } }, options);
    const failure = await test.resources.delete(reference, options).catch((error: unknown) => error);
    expect(hasCode(failure, "Forbidden")).toBe(true);
  });
});
