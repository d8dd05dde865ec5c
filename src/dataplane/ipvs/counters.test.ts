import { afterEach, beforeEach, expect, it } from "vitest";
import { CounterReader } from "./counters.ts";
import {
  FIRST,
  OTHER_UID,
  openProgrammerWorld,
  type ProgrammerWorld,
  poolOf,
  UID,
} from "./programmer.fixture.ts";

let world: ProgrammerWorld;
beforeEach(async () => {
  world = await openProgrammerWorld();
  const addresses = [{ ip: "*", port: 30002, protocol: "TCP" as const }];
  await world.program(poolOf(), poolOf({ uid: OTHER_UID, addresses }, 1));
  count(FIRST, 7);
});
afterEach(() => world[Symbol.dispose]());

it("adds up what the services of a pool count for each of its members, and all flows", () => {
  const { members, flowEntryCount } = reader().read();
  expect(members.map(({ poolUid, ip, activeConnections }) => [poolUid, ip, activeConnections])).toEqual([
    [UID, "10.0.0.1", 7],
    [UID, "10.0.0.2", 7],
    [OTHER_UID, "10.0.0.1", 0],
  ]);
  expect(flowEntryCount).toBe(14);
});

it("reads the services of the named pools alone while the number of flows is young enough", () => {
  const counters = reader();
  // Reading the whole table takes 100 ms.
  slowDown(100);
  const all = counters.read().members;
  expect([counters.read([UID]).members, asked(() => counters.read([UID]))]).toEqual([
    all.filter(({ poolUid }) => poolUid === UID),
    2,
  ]);
  expect(asked(() => counters.read([]))).toBe(0);
  expect(counters.read(["unknown"]).members).toEqual([]);
  count(FIRST, 9);
  expect(counters.read([]).flowEntryCount).toBe(14);
  world.nowMs += 1_899;
  expect(counters.read([]).flowEntryCount).toBe(14);
  world.nowMs += 101;
  expect(counters.read([]).flowEntryCount).toBe(18);
});

function reader(): CounterReader {
  return new CounterReader(world.programmer.programme, world.table, () => world.nowMs);
}

/** How often the kernel was asked for something meanwhile. */
function asked(run: () => unknown): number {
  const before = world.table.askCount;
  run();
  return world.table.askCount - before;
}

function slowDown(ms: number): void {
  const read = world.table.read.bind(world.table);
  world.table.read = () => {
    world.nowMs += ms;
    return read();
  };
}

/** Every member has so many open connections at a service. */
function count(place: string, activeConnections: number): void {
  const service = world.table.services.get(place);
  if (!service) throw new Error(`there is no service ${place}`);
  const destinations = [...service.destinations].map(
    ([key, each]) => [key, { ...each, activeConnections }] as const,
  );
  world.table.services.set(place, { ...service, destinations: new Map(destinations) });
}
