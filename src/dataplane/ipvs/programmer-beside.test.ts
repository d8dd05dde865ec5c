import { afterEach, beforeEach, expect, it } from "vitest";
import type { DesiredPool } from "../driver.ts";
import { planOperations } from "../plan.ts";
import {
  EMPTY,
  FIRST,
  OTHER_UID,
  openProgrammerWorld,
  type ProgrammerWorld,
  poolOf,
  SECOND,
  UID,
} from "./programmer.fixture.ts";
import { markOf } from "./ranges.ts";

// What services need beside IPVS itself: routes, masquerading, marks.

let world: ProgrammerWorld;
beforeEach(async () => {
  world = await openProgrammerWorld();
});
afterEach(() => world[Symbol.dispose]());

it("makes the address of a pool that is not the node's own local while it is served, and repairs that", async () => {
  const pool = poolOf({ addresses: [{ ip: "198.51.100.7", port: 80, protocol: "TCP" }] });
  await world.program(pool, { ...poolOf(), uid: OTHER_UID });
  expect([...world.routed]).toEqual(["198.51.100.7"]);
  world.routed.clear();
  world.routed.add("198.51.100.9");
  await world.programmer.observe();
  expect([...world.routed]).toEqual(["198.51.100.7"]);
  await world.program();
  expect([...world.routed]).toEqual(["198.51.100.7"]);
  world.nowMs += 30_001;
  await world.program();
  expect([...world.routed]).toEqual([]);
});

it("masquerades the services of fullnat pools, before they serve, and of no others", async () => {
  world.table.onCommand = ({ kind }) => {
    if (kind === "add-service") expect(world.masqueraded[4]).toEqual([FIRST, SECOND]);
  };
  await world.program(poolOf({ forwarding: "fullnat" }));
  world.table.onCommand = () => undefined;
  const nat = poolOf({ uid: OTHER_UID, addresses: [{ ip: "192.0.2.10", port: 30002, protocol: "TCP" }] });
  await world.program(poolOf({ forwarding: "fullnat" }), nat);
  expect(world.masqueraded[4]).toEqual([FIRST, SECOND]);
  await world.program(poolOf(), { ...nat, forwarding: "fullnat" });
  expect(world.masqueraded[4]).toEqual(["TCP 192.0.2.10:30002"]);
});

it("masquerades IPv6 in a table of its own", async () => {
  const address = { ip: "2001:db8::80", port: 80, protocol: "TCP" as const };
  const members = poolOf().members.map((member, index) => ({ ...member, ip: `2001:db8:1::${index + 1}` }));
  const pool = poolOf({ addresses: [address], members, forwarding: "fullnat" });
  await world.program(pool);
  expect(world.masqueraded).toEqual({ 4: undefined, 6: ["TCP [2001:db8::80]:80"] });
  await world.program(pool, poolOf({ uid: OTHER_UID, forwarding: "fullnat" }));
  expect(world.masqueraded[4]).toEqual([FIRST, SECOND]);
  world.masqueraded[6] = undefined;
  await world.programmer.observe();
  expect(world.masqueraded[6]).toEqual(["TCP [2001:db8::80]:80"]);
  await world.program({ ...pool, forwarding: "nat" }, poolOf({ uid: OTHER_UID }));
  expect(world.masqueraded).toEqual({ 4: [], 6: [] });
});

it("repairs the table of masqueraded services when it reads the kernel", async () => {
  await world.program(poolOf({ forwarding: "fullnat" }));
  world.masqueraded[4] = [FIRST, "TCP 192.0.2.77:1"];
  await world.programmer.observe();
  expect(world.masqueraded[4]).toEqual([FIRST, SECOND]);
  world.masqueraded[4] = undefined;
  await world.programmer.observe();
  expect(world.masqueraded[4]).toEqual([FIRST, SECOND]);
});

const RANGE = { ip: "192.0.2.20", port: 30000, lastPort: 30009, protocol: "TCP" as const };
const WIDER = { ...RANGE, lastPort: 30019 };

function rangePool(address: typeof RANGE = RANGE): DesiredPool {
  const members = poolOf().members.map((member) => ({ ...member, port: address.port }));
  return poolOf({ addresses: [address], members });
}

it("has one service for a range of ports, and marks packets once it is there", async () => {
  world.table.onCommand = () => expect(world.marked).toBeUndefined();
  expect(await world.program(rangePool())).toEqual([]);
  const place = "TCP 192.0.2.20:30000-30009";
  expect(world.table.describe()).toEqual([place, "  10.0.0.1:30000 1", "  10.0.0.2:30000 1"]);
  expect(world.marked).toEqual([{ ...RANGE, mark: markOf(RANGE) }]);
  expect([...world.routed]).toEqual(["192.0.2.20"]);
  world.table.onCommand = () => undefined;
  world.open();
  world.markWrites.length = 0;
  expect(planOperations([rangePool()], await world.programmer.observe(), world.nowMs)).toEqual([]);
  expect([world.table.commands.length, world.markWrites]).toEqual([3, []]);
});

it("exchanges a range for a wider one at once, and keeps the old one's flows until their deadline", async () => {
  await world.program(rangePool());
  world.markWrites.length = 0;
  expect(await world.program(rangePool(WIDER))).toEqual([]);
  expect(world.markWrites).toEqual(["-TCP 192.0.2.20:30000-30009 +TCP 192.0.2.20:30000-30019"]);
  expect([...world.table.services.keys()]).toEqual([
    "TCP 192.0.2.20:30000-30009",
    "TCP 192.0.2.20:30000-30019",
  ]);
  world.open();
  world.markWrites.length = 0;
  await world.program(rangePool(WIDER));
  expect([world.table.commands, world.markWrites], "a restart writes nothing").toEqual([[], []]);
  world.nowMs += 30_001;
  await world.programmer.endDue();
  expect([...world.table.services.keys()]).toEqual(["TCP 192.0.2.20:30000-30019"]);
});

it("repairs marks and the service of a range that somebody took away", async () => {
  await world.program(rangePool());
  world.marked = undefined;
  await world.programmer.observe();
  expect(world.marked).toEqual([{ ...RANGE, mark: markOf(RANGE) }]);
  world.marked = [];
  await world.programmer.observe();
  expect(world.marked).toHaveLength(1);
  world.table.services.clear();
  await world.program(rangePool());
  expect(world.table.describe()).toHaveLength(3);
  expect(world.marked).toHaveLength(1);
});

it("marks nothing while somebody else's service has the mark, and refuses the pool by name", async () => {
  const [place] = ["TCP 192.0.2.20:30000-30009"];
  world.table.services.set(place, { ...EMPTY, address: RANGE, destinations: new Map() });
  expect(await world.program(rangePool(), poolOf({ uid: OTHER_UID }))).toMatchObject([
    {
      uid: UID,
      message: expect.stringContaining(`a service at mark ${markOf(RANGE)}, which is that of ${place}, that`),
    },
  ]);
  expect(world.marked).toBeUndefined();
  expect([...world.table.services.keys()]).toEqual([place, FIRST, SECOND]);
});

it("marks a range that another pool still has only after that one let it go", async () => {
  const other = { ...rangePool(WIDER), uid: OTHER_UID };
  await world.program(rangePool());
  await world.program(rangePool(), other);
  expect(world.marked).toEqual([{ ...RANGE, mark: markOf(RANGE) }]);
  await world.program(other);
  expect(world.marked).toEqual([{ ...WIDER, mark: markOf(WIDER) }]);
});
