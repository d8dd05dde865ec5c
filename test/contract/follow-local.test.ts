import { setTimeout as delay } from "node:timers/promises";
import { afterEach, expect, it } from "vitest";
import { silentLogger, systemClock } from "../../src/foundation/index.ts";
import { poolDefinition } from "../../src/model/index.ts";
import { followObjects } from "../../src/resources/index.ts";
import { openTestResources, type TestResources } from "./local-resources.ts";

const options = { operator: "system:test" };
const WRITES = 600;

let test: TestResources;
afterEach(() => test[Symbol.asyncDispose]());

/** Follows all pools like an agent does, and says when it has seen a revision. */
function follow(signal: AbortSignal, pauseAt: (changes: number) => Promise<unknown> | undefined) {
  const view = new Map<string, string | undefined>();
  const reached = { revision: 0, snapshots: 0, changes: 0 };
  const following = followObjects(test.resources, poolDefinition, {
    clock: systemClock,
    logger: silentLogger,
    random: () => 0,
    signal,
    onSnapshot: (objects, revision) => {
      view.clear();
      for (const { metadata } of objects) view.set(metadata.name, metadata.resourceVersion);
      reached.revision = Number(revision);
      reached.snapshots += 1;
    },
    onChange: async ({ type, object: { metadata } }) => {
      if (type === "DELETED") view.delete(metadata.name);
      else view.set(metadata.name, metadata.resourceVersion);
      reached.revision = Number(metadata.resourceVersion);
      reached.changes += 1;
      await pauseAt(reached.changes);
    },
  });
  return { view, reached, following };
}

async function writeAtRandom(count: number): Promise<void> {
  for (let index = 0; index < count; index += 1) {
    const name = `pool-${(index * 7_919) % 40}`;
    const reference = { definition: poolDefinition, namespace: "shop", name };
    const spec = { drainSeconds: index };
    const exists = await test.resources.get(reference).catch(() => undefined);
    if (!exists)
      await test.resources.create(poolDefinition, { metadata: { name, namespace: "shop" }, spec }, options);
    else if (index % 5 === 0) await test.resources.delete(reference, options);
    else await test.resources.patch(reference, { type: "merge", body: { spec } }, options);
    if (index % 50 === 49) await test.store.compact(await test.store.revision());
  }
}

it.each([
  ["", false],
  [", over a watch cache", true],
])(
  "leaves every follower with what is stored, fast or slow, while history is forgotten behind it%s",
  async (_, isCached) => {
    test = await openTestResources({}, isCached);
    const stop = new AbortController();
    const written = new Promise<void>((resolve) => {
      test.clock.sleep(1).then(resolve, resolve);
    });
    const followers = [
      follow(stop.signal, () => undefined),
      follow(stop.signal, (changes) => (changes % 20 === 0 ? delay(5) : undefined)),
      // Stands still until everything is written, and most of it forgotten.
      follow(stop.signal, (changes) => (changes === 10 ? written : undefined)),
    ];
    await writeAtRandom(WRITES);
    await test.clock.advance(1);
    const { items, resourceVersion } = await test.resources.list(poolDefinition);
    const last = Math.max(...items.map(({ metadata }) => Number(metadata.resourceVersion)));
    const expected = new Map(items.map(({ metadata }) => [metadata.name, metadata.resourceVersion]));
    for (const { view, reached } of followers) {
      await expect.poll(() => reached.revision, { timeout: 20_000 }).toBeGreaterThanOrEqual(last);
      await expect
        .poll(() => new Map([...view].sort()), { timeout: 20_000 })
        .toEqual(new Map([...expected].sort()));
      expect(reached.revision).toBeLessThanOrEqual(Number(resourceVersion));
    }
    // The slowest one must have met 410, or this proves nothing about it.
    expect(followers.at(-1)?.reached.snapshots).toBeGreaterThan(1);
    expect(followers[0]?.reached.changes).toBeGreaterThan(WRITES / 2);
    stop.abort();
    await Promise.all(followers.map(({ following }) => following));
  },
);
