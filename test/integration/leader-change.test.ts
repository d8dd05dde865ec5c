import { afterAll, describe, expect, it } from "vitest";
import { systemClock } from "../../src/foundation/index.ts";
import {
  addressPoolDefinition,
  endpointsDefinition,
  type Pool,
  poolDefinition,
  type Service,
  serviceDefinition,
} from "../../src/model/index.ts";
import type { Resources } from "../../src/resources/index.ts";
import { openSharedWorld, poolsOf, type Server, type SharedWorld } from "./servers.ts";

const ALICE = { operator: "alice" } as const;
const LEADERS = "/parasaus/leaders/";
const PATIENCE = { timeout: 10_000, interval: 5 };
const CONTROLLERS = ["allocator", "circle-watch"];

/** Two servers on one store; the first leads in everything. */
async function openWorld(): Promise<World> {
  const world = await openSharedWorld();
  const first = world.start("a");
  await expect.poll(async () => (await world.store.range(LEADERS)).count, PATIENCE).toBe(CONTROLLERS.length);
  return { ...world, servers: [first, world.start("b")] };
}

interface World extends SharedWorld {
  readonly servers: readonly Server[];
}

let changeCount = 0;

/**
 * Acts while the leader of a controller stands still before its `write`th write; it is deposed, the other server finishes
 * the work, and only then does the former leader send what it had begun. It writes less often: nothing happens to it.
 */
async function deposeBefore(world: World, controller: string, write: number, act: () => Promise<void>) {
  const key = LEADERS + controller;
  const id = await world.holder(key);
  const leader = world.servers.find((server) => server.id === id);
  if (!leader) throw new Error(`nobody leads in ${controller}`);
  const { interruption } = leader;
  const stands = interruption.pauseBefore((each) => each.key === key && each.modRevision > 0, write);
  await act();
  if (!(await Promise.race([stands.then(() => true), systemClock.sleep(300).then(() => false)]))) {
    interruption.resume();
    return;
  }
  const { entries } = await world.store.range(LEADERS);
  await world.store.transact(
    [],
    entries.map((entry) => ({ kind: "delete", key: entry.key })),
  );
  changeCount += 1;
  const lateBefore = interruption.lateCount;
  return async () => {
    interruption.resume();
    await expect.poll(() => interruption.lateCount, PATIENCE).toBeGreaterThan(lateBefore);
  };
}

const portsOf = (pools: readonly Pool[]) => pools.map(({ status }) => status?.connectAddresses?.[0]?.port);

async function untilPorts(resources: Resources, count: number): Promise<(number | undefined)[]> {
  const ports = async () => portsOf(await poolsOf(resources));
  await expect
    .poll(async () => (await ports()).filter((port) => port !== undefined).length, PATIENCE)
    .toBe(count);
  expect(await ports()).toHaveLength(count);
  expect(new Set(await ports()).size).toBe(count);
  return ports();
}

async function createPools(resources: Resources, names: readonly string[]): Promise<void> {
  for (const name of names) {
    const metadata = { name, namespace: "default" };
    await resources.create(
      poolDefinition,
      { metadata, spec: { addressPool: "few", drainSeconds: 0 } },
      ALICE,
    );
  }
}

const WRITES = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11];

describe("allocator that is deposed", () => {
  it.each(WRITES)(
    "before write %i neither hands an address out twice nor loses one, when pools come and when they go",
    async (write) => {
      await using world = await openWorld();
      const { resources } = world;
      const spec = { addresses: ["10.9.0.1"], ports: ["1000-1005"], quarantineSeconds: 0 };
      await resources.create(addressPoolDefinition, { metadata: { name: "few" }, spec }, ALICE);
      const sendLate = await deposeBefore(world, "allocator", write, () =>
        createPools(resources, ["a", "b", "c", "d"]),
      );
      const before = await untilPorts(resources, 4);
      await sendLate?.();
      expect(await untilPorts(resources, 4)).toEqual(before);
      const sendLateAgain = await deposeBefore(world, "allocator", write, async () => {
        for (const name of ["b", "c"]) {
          await resources.delete({ definition: poolDefinition, namespace: "default", name }, ALICE);
        }
      });
      expect(await untilPorts(resources, 2)).toEqual([before[0], before[3]]);
      await sendLateAgain?.();
      await createPools(resources, ["e", "f", "g", "h"]);
      await untilPorts(resources, 6);
    },
  );
});

const NAME = { name: "shop", namespace: "default" };
const HTTP = { name: "http", port: 80, protocol: "TCP" };
const ADMIN = { name: "admin", port: 81, protocol: "TCP" };
const SERVICE = { definition: serviceDefinition, ...NAME };

async function putService(resources: Resources): Promise<void> {
  const spec = { type: "NodePort", ports: [HTTP, ADMIN] };
  await resources.create(serviceDefinition, { metadata: NAME, spec }, ALICE);
  const subsets = [
    {
      addresses: [{ ip: "10.0.0.1" }, { ip: "10.0.0.2" }],
      ports: [
        { name: "http", port: 8080 },
        { name: "admin", port: 8081 },
      ],
    },
  ];
  await resources.create(endpointsDefinition, { metadata: NAME, subsets }, ALICE);
}

/** One port and one address less. */
async function shrinkService(resources: Resources): Promise<void> {
  const service = (await resources.get(SERVICE)) as Service;
  const ports = (service.spec.ports ?? []).filter(({ name }) => name === "http");
  await resources.patch(SERVICE, { type: "merge", body: { spec: { ports } } }, ALICE);
  const subsets = [{ addresses: [{ ip: "10.0.0.2" }], ports: [{ name: "http", port: 8080 }] }];
  const metadata = NAME;
  await resources.update(
    { definition: endpointsDefinition, ...NAME },
    { apiVersion: "v1", kind: "Endpoints", metadata, subsets },
    ALICE,
  );
}

/** Everything that circle-watch has to do with, without what differs from run to run. */
async function outcome(resources: Resources): Promise<string[]> {
  const service = (await resources.get(SERVICE)) as Service;
  const pools = await poolsOf(resources);
  const portOf = new Map(pools.map((pool) => [pool.metadata.name, portsOf([pool])[0]]));
  const written = (service.spec.ports ?? []).map(
    ({ name, nodePort }) =>
      `${name}: ${nodePort !== undefined && [...portOf.values()].includes(nodePort) ? "written back" : nodePort}`,
  );
  const described = pools.map(({ metadata, spec }) => {
    const members = spec.members.map(({ ip, port }) => `${ip}:${port}`).join(" ");
    const owner = metadata.ownerReferences?.[0]?.uid === service.metadata.uid;
    return `${metadata.name}: ${members}, owned ${owner}, listens ${portOf.get(metadata.name) !== undefined}`;
  });
  return [...written, ...described];
}

describe("circle-watch that is deposed", () => {
  it.each(WRITES)(
    "before write %i leaves nothing half done, when a Service comes and when it shrinks",
    async (write) => {
      await using world = await openWorld();
      const { resources } = world;
      const sendLate = await deposeBefore(world, "circle-watch", write, () => putService(resources));
      const whole = [
        "http: written back",
        "admin: written back",
        "shop: 10.0.0.1:8080 10.0.0.2:8080, owned true, listens true",
        "shop-admin: 10.0.0.1:8081 10.0.0.2:8081, owned true, listens true",
      ];
      await expect.poll(() => outcome(resources), PATIENCE).toEqual(whole);
      await sendLate?.();
      expect(await outcome(resources)).toEqual(whole);
      const sendLateAgain = await deposeBefore(world, "circle-watch", write, () => shrinkService(resources));
      const shrunk = ["http: written back", "shop: 10.0.0.2:8080, owned true, listens true"];
      await expect.poll(() => outcome(resources), PATIENCE).toEqual(shrunk);
      await sendLateAgain?.();
      expect(await outcome(resources)).toEqual(shrunk);
    },
  );
});

afterAll(() => {
  process.stdout.write(`leaders deposed between two writes: ${changeCount}\n`);
  expect(changeCount).toBeGreaterThanOrEqual(16);
});
