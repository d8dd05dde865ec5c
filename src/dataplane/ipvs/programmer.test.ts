import { rmSync } from "node:fs";
import path from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import type { DesiredPool } from "../driver.ts";
import { planOperations } from "../plan.ts";
import { parsePlace } from "./programme.ts";
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
import { FakeTable } from "./service-table.fixture.ts";

const FOREIGN = "TCP 192.0.2.10:80";
const MEMBER = { ip: "10.0.0.1", port: 8080, weight: 1, method: "masq" as const };

let world: ProgrammerWorld;
beforeEach(async () => {
  world = await openProgrammerWorld();
});
afterEach(() => world[Symbol.dispose]());

it("has one service for each address of the node, and writes nothing the second time", async () => {
  expect(await world.program(poolOf())).toEqual([]);
  const members = ["  10.0.0.1:8080 1", "  10.0.0.2:8080 1"];
  expect(world.table.describe()).toEqual([FIRST, ...members, SECOND, ...members]);
  expect(planOperations([poolOf()], await world.programmer.observe(), world.nowMs)).toEqual([]);
  world.open();
  await world.programmer.setNodeAddresses(["192.0.2.10", "192.0.2.11"]);
  await world.program(poolOf());
  expect(world.table.commands).toEqual([]);
});

it("knows an IPv6 service again by its place, and routes its address to the machine", async () => {
  const addresses = [{ ip: "2001:db8::80", port: 80, protocol: "TCP" as const }];
  const members = poolOf().members.map((member, index) => ({ ...member, ip: `2001:db8:1::${index + 1}` }));
  expect(await world.program(poolOf({ addresses, members }))).toEqual([]);
  expect(world.table.describe()).toEqual([
    "TCP [2001:db8::80]:80",
    "  [2001:db8:1::1]:8080 1",
    "  [2001:db8:1::2]:8080 1",
  ]);
  expect([...world.routed]).toEqual(["2001:db8::80"]);
  world.open();
  await world.program(poolOf({ addresses, members }));
  expect(world.table.commands).toEqual([]);
});

it("follows the node's addresses", async () => {
  await world.program(poolOf());
  await world.programmer.setNodeAddresses(["192.0.2.11", "192.0.2.12"]);
  expect([...world.table.services.keys()]).toEqual([SECOND, "TCP 192.0.2.12:30001"]);
  expect(planOperations([poolOf()], await world.programmer.observe(), world.nowMs)).toEqual([]);
});

it("keeps a draining member at weight 0 until its deadline, and edits the weight when it is wanted again", async () => {
  await world.program(poolOf());
  await world.program(poolOf({}, 1));
  expect(world.table.describe()).toContain("  10.0.0.2:8080 0");
  await world.program(poolOf());
  expect(world.table.commands.map(({ kind }) => kind)).toEqual(["edit-destination", "edit-destination"]);
  await world.program(poolOf({}, 1));
  world.nowMs += 30_001;
  await world.programmer.endDue();
  expect(world.table.describe()).toEqual([FIRST, "  10.0.0.1:8080 1", SECOND, "  10.0.0.1:8080 1"]);
  await world.program(poolOf({}, 1));
  expect(planOperations([poolOf({}, 1)], await world.programmer.observe(), world.nowMs)).toEqual([]);
});

it("counts the connections that a deadline cuts", async () => {
  await world.program(poolOf());
  await world.program(poolOf({}, 1));
  const service = world.table.services.get(FIRST);
  const destination = service?.destinations.get("10.0.0.2:8080");
  if (!service || !destination) throw new Error("no such destination");
  const busy = new Map(service.destinations).set("10.0.0.2:8080", { ...destination, activeConnections: 3 });
  world.table.services.set(FIRST, { ...service, destinations: busy });
  expect(await world.programmer.endDue()).toBe(0);
  world.nowMs += 30_001;
  expect(await world.programmer.endDue()).toBe(3);
  expect(await world.programmer.endDue()).toBe(0);
});

it("closes an address with weight 0 until the deadline, then removes the service", async () => {
  await world.program(poolOf());
  await world.program();
  expect(world.table.describe()).toContain("  10.0.0.1:8080 0");
  world.nowMs += 30_001;
  await world.program();
  expect(world.table.describe()).toEqual([]);
  expect(await world.programmer.observe()).toEqual([]);
});

it("keeps the flows of the first pool at an address that a second one takes over", async () => {
  await world.program(poolOf({}, 1));
  const members = [{ ...poolOf().members[0], ip: "10.0.0.9" }] as DesiredPool["members"];
  const second = poolOf({ uid: OTHER_UID, members });
  await world.program(second);
  expect(world.table.commands.some(({ kind }) => kind.startsWith("delete"))).toBe(false);
  expect(world.table.describe().slice(0, 3)).toEqual([FIRST, "  10.0.0.1:8080 0", "  10.0.0.9:8080 1"]);
  world.open();
  expect(planOperations([second], await world.programmer.observe(), world.nowMs)).toEqual([]);
  world.nowMs += 30_001;
  await world.programmer.endDue();
  expect(world.table.describe()).toEqual([FIRST, "  10.0.0.9:8080 1", SECOND, "  10.0.0.9:8080 1"]);
});

it("does not touch a service that somebody else made, refuses the pool, and says which it is", async () => {
  const address = { ip: "192.0.2.11", port: 30001, protocol: "TCP" as const };
  world.table.services.set(SECOND, { address, scheduler: "rr", affinitySeconds: 0, destinations: new Map() });
  const foreign = world.table.services.get(SECOND);
  const failures = await world.program(poolOf());
  expect(failures).toMatchObject([{ uid: UID, message: expect.stringContaining(SECOND) }]);
  expect([...world.table.services]).toEqual([[SECOND, foreign]]);
  expect(world.programmer.foreignServices).toEqual([SECOND]);
  expect(await world.programmer.observe()).toEqual([]);
  world.table.services.clear();
  expect(await world.program(poolOf())).toEqual([]);
  expect([...world.table.services.keys()]).toEqual([FIRST, SECOND]);
});

it("does not touch a service that appeared since it last looked", async () => {
  await world.program();
  const address = { ip: "192.0.2.11", port: 30001, protocol: "TCP" as const };
  world.table.services.set(SECOND, { address, scheduler: "rr", affinitySeconds: 0, destinations: new Map() });
  const foreign = world.table.services.get(SECOND);
  const failures = await world.programmer.apply(planOperations([poolOf()], [], world.nowMs));
  expect(failures).toMatchObject([{ uid: UID, message: expect.stringContaining(SECOND) }]);
  expect([...world.table.services]).toEqual([[SECOND, foreign]]);
});

it("leaves a pool as it was when the kernel refuses a part of its change", async () => {
  await world.program(poolOf());
  const before = world.table.describe();
  world.table.missingSchedulers.add("mh");
  const failures = await world.program(poolOf({ scheduler: "mh" }, 1), {
    ...poolOf(),
    uid: OTHER_UID,
    addresses: [{ ip: "192.0.2.10", port: 30002, protocol: "TCP" }],
  });
  expect(failures).toMatchObject([{ uid: UID, message: expect.stringContaining("mh") }]);
  expect(world.table.describe().slice(0, before.length)).toEqual(before);
  expect(world.table.services.has("TCP 192.0.2.10:30002")).toBe(true);
});

it("repairs what somebody else changed, and what a flush took away", async () => {
  await world.program(poolOf());
  const [service] = world.table.services.values();
  if (!service) throw new Error("no service");
  world.table.services.set(FIRST, { ...service, destinations: new Map(), scheduler: "other" });
  expect(planOperations([poolOf()], await world.programmer.observe(), world.nowMs)).toHaveLength(1);
  await world.program(poolOf());
  expect(world.table.services.get(FIRST)?.scheduler).toBe("rr");
  world.table.services.clear();
  await world.program(poolOf());
  expect([...world.table.services.keys()]).toEqual([FIRST, SECOND]);
  expect(planOperations([poolOf()], await world.programmer.observe(), world.nowMs)).toEqual([]);
});

it("drains and removes a member that somebody else added", async () => {
  await world.program(poolOf({}, 1));
  const service = world.table.services.get(FIRST);
  const [destination] = service?.destinations.values() ?? [];
  if (!service || !destination) throw new Error("no destination");
  const more = new Map(service.destinations).set("10.9.9.9:80", { ...destination, ip: "10.9.9.9", port: 80 });
  world.table.services.set(FIRST, { ...service, destinations: more });
  await world.program(poolOf({}, 1));
  expect(world.table.describe()).toContain("  10.9.9.9:80 0");
  world.nowMs += 30_001;
  await world.programmer.endDue();
  expect(world.table.describe()).not.toContain("  10.9.9.9:80 0");
});

it("owns every service whichever command it was killed at, and comes to the same end", async () => {
  const steps = [
    [poolOf()],
    [poolOf({ scheduler: "wlc" }, 3)],
    [poolOf({ addresses: [{ ip: "192.0.2.10", port: 30007, protocol: "UDP" }] }, 1)],
  ];
  let killed = 0;
  for (let at = 0; at < 60; at += 1) {
    rmSync(path.join(world.folder, "node.jsonl"), { force: true });
    world.table = new FakeTable();
    world.open();
    await world.programmer.setNodeAddresses(["192.0.2.10", "192.0.2.11"]);
    let count = 0;
    world.table.onCommand = () => {
      if (count === at) throw new Error("killed");
      count += 1;
    };
    for (const pools of steps) {
      try {
        await world.program(...pools);
      } catch {
        killed += 1;
        world.table.onCommand = () => undefined;
        world.open();
        expect(await world.programmer.observe().then(() => world.programmer.foreignServices)).toEqual([]);
        await world.program(...pools);
      }
    }
    world.table.onCommand = () => undefined;
    world.nowMs += 30_001;
    await world.program(...(steps.at(-1) ?? []));
    await world.programmer.endDue();
    expect(world.table.describe()).toEqual(["UDP 192.0.2.10:30007", "  10.0.0.1:8080 1"]);
  }
  expect(killed).toBeGreaterThan(10);
});

it("asks the kernel nothing while nothing has changed, and then for what has", async () => {
  await world.program(
    poolOf(),
    poolOf({ uid: OTHER_UID, addresses: [{ ip: "*", port: 30002, protocol: "TCP" }] }),
  );
  const before = await world.programmer.observe();
  world.table.askCount = 0;
  expect(await world.programmer.observe()).toBe(before);
  expect(world.table.askCount).toBe(0);
  world.table.execute([{ kind: "delete-destination", address: parsePlace(FIRST), destination: MEMBER }]);
  world.table.execute([{ kind: "delete-service", address: parsePlace(SECOND) }]);
  world.table.execute([{ kind: "add-service", address: parsePlace(FOREIGN), service: EMPTY }]);
  const [changed, same] = await world.programmer.observe();
  expect(world.table.askCount).toBe(3);
  expect(changed?.members.map(({ ip }) => ip)).toEqual(["10.0.0.2"]);
  expect(changed?.addresses).toEqual([]);
  expect(same).toBe(before[1]);
  expect(world.programmer.foreignServices).toEqual([FOREIGN]);
  world.table.execute([{ kind: "delete-service", address: parsePlace(FOREIGN) }]);
  await world.programmer.observe();
  expect(world.programmer.foreignServices).toEqual([]);
});

it("reads the whole table once in an hour, for the listing does not tell everything", async () => {
  await world.program(poolOf());
  await world.programmer.observe();
  world.table.askCount = 0;
  world.nowMs += 3_600_001;
  await world.programmer.observe();
  expect(world.table.askCount).toBe(3);
  await world.programmer.observe();
  expect(world.table.askCount).toBe(3);
});

it("takes over somebody else's service that the operator allowed and that is as the pool wants it, without a write", async () => {
  for (const place of [FIRST, SECOND])
    world.table.execute([
      { kind: "add-service", address: parsePlace(place), service: { ...EMPTY, address: parsePlace(place) } },
      { kind: "add-destination", address: parsePlace(place), destination: MEMBER },
    ]);
  await world.programmer.observe();
  expect(await world.program(poolOf({}, 1))).toMatchObject([
    { message: expect.stringMatching(/did not make$/) },
  ]);
  world.allowed.add(FIRST).add(SECOND);
  expect(await world.program(poolOf({}, 2))).toMatchObject([
    { message: expect.stringContaining("it may be taken over, but it lacks 10.0.0.2:8080") },
  ]);
  expect(world.table.commands).toEqual([]);
  expect(await world.program(poolOf({}, 1))).toEqual([]);
  expect(world.table.commands).toEqual([]);
  expect(world.programmer.foreignServices).toEqual([]);
  world.open();
  expect(await world.program(poolOf({}, 2))).toEqual([]);
  expect(world.table.commands.map(({ kind }) => kind)).toEqual(["add-destination", "add-destination"]);
});
