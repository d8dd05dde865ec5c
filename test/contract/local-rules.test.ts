import { afterEach, expect, it } from "vitest";
import { hasCode, ParasausError, silentLogger } from "../../src/foundation/index.ts";
import {
  addressPoolDefinition,
  namespaceDefinition,
  operationDefinition,
  poolDefinition,
} from "../../src/model/index.ts";
import {
  type AdmissionRequest,
  ensureBuiltins,
  type LocalResourcesOptions,
  startOperationTrimmer,
} from "../../src/resources/local/index.ts";
import { openTestResources, type TestResources } from "./local-resources.ts";

const options = { operator: "alice" };
const web = { definition: poolDefinition, namespace: "shop", name: "web" };
const input = { metadata: { name: "web", namespace: "shop" }, spec: {} };

let test: TestResources | undefined;
afterEach(() => test?.[Symbol.asyncDispose]());

async function open(more: Partial<LocalResourcesOptions> = {}) {
  test = await openTestResources(more);
  return test;
}

it("names the namespace that is missing where namespaces are not made on first use", async () => {
  const { resources } = await open({ autoCreateNamespaces: false });
  const failure = await resources.create(poolDefinition, input, options).catch((error: unknown) => error);
  expect(hasCode(failure, "NotFound") && failure.message).toBe('namespaces "shop" not found');
  await resources.create(namespaceDefinition, { metadata: { name: "shop" } }, options);
  await resources.create(poolDefinition, input, options);
});

it("makes what every installation starts with, once", async () => {
  const { resources } = await open();
  await ensureBuiltins(resources);
  await ensureBuiltins(resources);
  expect((await resources.list(namespaceDefinition)).items.map((each) => each.metadata.name)).toEqual([
    "default",
  ]);
  expect((await resources.list(addressPoolDefinition)).items).toMatchObject([
    { metadata: { name: "node-ports" }, spec: { addresses: ["node"], ports: ["30000-64999"] } },
  ]);
  expect((await resources.list(operationDefinition)).items).toEqual([]);
});

it("asks the admission rules before every write, dry runs too, with what was and what would be", async () => {
  const asked: string[] = [];
  const admission = ({ verb, previous, next, options: { operator } }: AdmissionRequest) => {
    asked.push(
      `${operator} ${verb} ${previous?.metadata.generation ?? "-"} > ${next?.metadata.generation ?? "-"}`,
    );
    if (operator === "mallory")
      throw new ParasausError("Invalid", "spec.members belongs to Service shop/web");
  };
  const { resources } = await open({ admission: [admission] });
  await resources.create(poolDefinition, input, options);
  await resources.update(web, { ...input, spec: { scheduler: "lc" } }, options);
  const dry = { operator: "mallory", dryRun: true };
  for (const write of [
    () => resources.update(web, { ...input, spec: { scheduler: "wlc" } }, dry),
    () => resources.delete(web, { operator: "mallory" }),
  ]) {
    expect(hasCode(await write().catch((error: unknown) => error), "Invalid")).toBe(true);
  }
  expect(asked).toEqual([
    "alice create - > 1",
    "alice update 1 > 2",
    "mallory update 2 > 3",
    "mallory delete 2 > -",
  ]);
  expect(await resources.get(web)).toMatchObject({ spec: { scheduler: "lc" } });
});

it("keeps the newest operations and deletes older ones, as long as it may", async () => {
  const { resources, store, clock } = await open();
  await resources.create(poolDefinition, input, options);
  const addOperations = async (first: number, end: number) => {
    for (let drainSeconds = first; drainSeconds < end; drainSeconds += 1) {
      await resources.update(web, { ...input, spec: { drainSeconds } }, options);
    }
  };
  await addOperations(1_001, 1_300);
  const stop = new AbortController();
  const ended = startOperationTrimmer({
    store,
    clock,
    logger: silentLogger,
    signal: stop.signal,
    keptCount: 50,
  });
  const kept = async () => (await resources.list(operationDefinition)).items;
  await expect.poll(async () => (await kept()).length).toBe(50);
  expect((await kept()).at(-1)).toMatchObject({ spec: { after: { spec: { drainSeconds: 1_299 } } } });
  await addOperations(1_300, 1_310);
  await clock.advance(10_000);
  await expect.poll(async () => (await kept()).length).toBe(50);
  expect((await kept()).at(-1)).toMatchObject({ spec: { after: { spec: { drainSeconds: 1_309 } } } });
  stop.abort();
  await ended;
  await addOperations(1_310, 1_320);
  await clock.advance(60_000);
  expect(await kept()).toHaveLength(60);
});

it("deletes operations that are older than they are kept, however few there are", async () => {
  const { resources, store, clock } = await open();
  await resources.create(poolDefinition, input, options);
  const count = async () => (await resources.list(operationDefinition)).items.length;
  const stop = new AbortController();
  const trimming = { store, clock, logger: silentLogger, signal: stop.signal, keptMs: 3_600_000 };
  const ended = startOperationTrimmer(trimming);
  await clock.advance(3_590_000);
  await resources.patch(web, { type: "merge", body: { spec: { drainSeconds: 1 } } }, options);
  expect(await count()).toBe(2);
  await clock.advance(20_000);
  await expect.poll(count).toBe(1);
  stop.abort();
  await ended;
});

it("shares one frozen object among all who read the same version", async () => {
  const { resources } = await open();
  await resources.create(poolDefinition, input, options);
  const [one, two] = [await resources.get(web), (await resources.list(poolDefinition)).items[0]];
  expect(one).toBe(two);
  expect(Object.isFrozen(one.metadata)).toBe(true);
});
