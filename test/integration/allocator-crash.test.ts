import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { soleAuthority, startControllers } from "../../src/controllers/index.ts";
import { ParasausError, silentLogger, systemClock } from "../../src/foundation/index.ts";
import { addressPoolDefinition, type Pool, poolDefinition } from "../../src/model/index.ts";
import type { Resources } from "../../src/resources/index.ts";
import { createLocalResources, ensureBuiltins } from "../../src/resources/local/index.ts";
import { openEmbeddedStore } from "../../src/store/embedded/index.ts";

const ALICE = { operator: "alice" } as const;
const POOLS = ["a", "b", "c", "d"] as const;
const PORTS = 6;

/** Resources that die with their process: after `writes` writes of a controller nothing is answered any more. */
function dyingAfter(resources: Resources, writes: number): { resources: Resources; died: Promise<void> } {
  let left = writes;
  let die = (): void => undefined;
  const died = new Promise<void>((resolve) => {
    die = resolve;
  });
  const update: Resources["update"] = async (reference, object, options) => {
    left -= 1;
    if (left < 0) {
      die();
      throw new ParasausError("Unavailable", "Cannot write: the process is dead");
    }
    return resources.update(reference, object, options);
  };
  return {
    resources: new Proxy(resources, {
      get: (target, name) => (name === "update" ? update : method(target, name)),
    }),
    died,
  };
}

function method(target: Resources, name: string | symbol): unknown {
  const value: unknown = Reflect.get(target, name);
  return typeof value === "function" ? value.bind(target) : value;
}

function runControllers(resources: Resources): AsyncDisposable {
  const stop = new AbortController();
  const controllers = startControllers({
    authority: soleAuthority(resources),
    clock: systemClock,
    logger: silentLogger,
    signal: stop.signal,
    probes: {},
  });
  return controllers;
}

async function pools(resources: Resources): Promise<Pool[]> {
  return (await resources.list(poolDefinition)).items as unknown as Pool[];
}

async function until(resources: Resources, wanted: (found: readonly Pool[]) => boolean): Promise<Pool[]> {
  for (let attempt = 0; attempt < 500; attempt += 1) {
    const found = await pools(resources);
    if (wanted(found)) return found;
    await systemClock.sleep(10);
  }
  throw new Error(`pools stay ${JSON.stringify(await pools(resources))}`);
}

const portsOf = (found: readonly Pool[]): (number | undefined)[] =>
  found.map(({ status }) => status?.connectAddresses?.[0]?.port);
const isComplete = (found: readonly Pool[]): boolean => portsOf(found).every((port) => port !== undefined);

/** Creates four pools, lets the allocator die after some writes, restarts it, deletes two, lets it die again. */
async function survive(writesBeforeDeath: number): Promise<void> {
  const directory = mkdtempSync(path.join(tmpdir(), "parasaus-crash-"));
  const store = await openEmbeddedStore({ directory, clock: systemClock, logger: silentLogger });
  try {
    const resources = createLocalResources({
      store,
      clock: systemClock,
      autoCreateNamespaces: true,
    });
    await ensureBuiltins(resources);
    const spec = { addresses: ["10.9.0.1"], ports: [`1000-${999 + PORTS}`], quarantineSeconds: 0 };
    await resources.create(addressPoolDefinition, { metadata: { name: "few" }, spec }, ALICE);
    for (const name of POOLS) {
      const metadata = { name, namespace: "default" };
      await resources.create(
        poolDefinition,
        { metadata, spec: { addressPool: "few", drainSeconds: 0 } },
        ALICE,
      );
    }
    await dieAndRestart(resources, writesBeforeDeath);
    const before = await restarted(resources, (found) => found.length === POOLS.length && isComplete(found));
    expect(new Set(portsOf(before)).size).toBe(POOLS.length);
    for (const name of ["b", "c"]) {
      await resources.delete({ definition: poolDefinition, namespace: "default", name }, ALICE);
    }
    await dieAndRestart(resources, writesBeforeDeath);
    const left = await restarted(resources, (found) => found.length === 2);
    expect(portsOf(left)).toEqual([portsOf(before)[0], portsOf(before)[3]]);
    await fillUp(resources);
  } finally {
    await store[Symbol.asyncDispose]();
    rmSync(directory, { recursive: true, force: true });
  }
}

async function dieAndRestart(resources: Resources, writes: number): Promise<void> {
  const dying = dyingAfter(resources, writes);
  const controllers = runControllers(dying.resources);
  const survived = systemClock.sleep(400);
  await Promise.race([dying.died, survived]);
  await controllers[Symbol.asyncDispose]();
}

async function restarted(resources: Resources, wanted: (found: readonly Pool[]) => boolean): Promise<Pool[]> {
  await using _controllers = runControllers(resources);
  return await until(resources, wanted);
}

/** Nothing has leaked: the ports that nobody holds can all be had. */
async function fillUp(resources: Resources): Promise<void> {
  await using _controllers = runControllers(resources);
  for (let at = 0; at < PORTS - 2; at += 1) {
    const metadata = { name: `more${at}`, namespace: "default" };
    await resources.create(
      poolDefinition,
      { metadata, spec: { addressPool: "few", drainSeconds: 0 } },
      ALICE,
    );
  }
  const all = await until(resources, isComplete);
  expect(new Set(portsOf(all)).size).toBe(PORTS);
}

describe("allocator that dies", () => {
  it.each([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10])(
    "after %i writes neither hands an address out twice nor loses one, when pools come and when they go",
    async (writes) => {
      await survive(writes);
    },
  );
});
