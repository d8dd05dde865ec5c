import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { silentLogger } from "../../foundation/index.ts";
import type { LocalRoutes, Masquerade, PortMark, PortMarks } from "../../linux/index.ts";
import type { DesiredPool } from "../driver.ts";
import { placeKey } from "../order.ts";
import { planOperations } from "../plan.ts";
import { parsePlace } from "./programme.ts";
import { Programmer } from "./programmer.ts";
import { markOf } from "./ranges.ts";
import { openRecord } from "./record.ts";
import { FakeTable } from "./service-table.fixture.ts";
import type { Service } from "./services.ts";

const UID = "0b0e7a4c-0000-4000-8000-000000000001";
const OTHER_UID = "0b0e7a4c-0000-4000-8000-000000000002";
const FIRST = "TCP 192.0.2.10:30001";
const SECOND = "TCP 192.0.2.11:30001";

const FOREIGN = "TCP 192.0.2.10:80";
const MEMBER = { ip: "10.0.0.1", port: 8080, weight: 1, method: "masq" as const };
const EMPTY: Service = {
  address: { ip: "192.0.2.10", port: 80, protocol: "TCP" },
  scheduler: "rr",
  affinitySeconds: 0,
  destinations: new Map(),
};

let folder: string;
const routed = new Set<string>();
let masqueraded: string[] | undefined;
const masquerade: Masquerade = {
  list: () => masqueraded?.map(parsePlace),
  hasChanged: () => true,
  install: (services) => {
    masqueraded = services.map(placeKey);
  },
  add: (services) => {
    masqueraded = [...(masqueraded ?? []), ...services.map(placeKey)];
  },
  remove: (services) => {
    const gone = new Set(services.map(placeKey));
    masqueraded = masqueraded?.filter((place) => !gone.has(place));
  },
  whyNot: () => undefined,
  writeCount: 0,
  uninstall: () => {
    masqueraded = undefined;
  },
  [Symbol.dispose]: () => undefined,
};
let marked: PortMark[] | undefined;
/** What was written to the table of marks, in order. */
const markWrites: string[] = [];
const marks: PortMarks = {
  list: () => marked,
  hasChanged: () => true,
  install: (fresh) => {
    markWrites.push("install");
    marked = [...fresh];
  },
  change: (gone, fresh) => {
    markWrites.push(`-${gone.map(placeKey)} +${fresh.map(placeKey)}`);
    const places = new Set(gone.map(placeKey));
    marked = [...(marked ?? []).filter((each) => !places.has(placeKey(each))), ...fresh];
  },
  whyNot: () => undefined,
  writeCount: 0,
  uninstall: () => {
    marked = undefined;
  },
  [Symbol.dispose]: () => undefined,
};
const routes: LocalRoutes = {
  list: () => [...routed],
  hasChanged: () => true,
  add: (ip) => void routed.add(ip),
  remove: (ip) => void routed.delete(ip),
  [Symbol.dispose]: () => routed.clear(),
};
let table: FakeTable;
let programmer: Programmer;
let nowMs: number;
const allowed = new Set<string>();

beforeEach(async () => {
  folder = mkdtempSync(path.join(tmpdir(), "parasaus-ipvs-"));
  table = new FakeTable();
  routed.clear();
  allowed.clear();
  masqueraded = undefined;
  marked = undefined;
  markWrites.length = 0;
  nowMs = 1000;
  open();
  await programmer.setNodeAddresses(["192.0.2.10", "192.0.2.11"]);
});
afterEach(() => rmSync(folder, { recursive: true }));

/** As after a crash: nothing but the kernel and the record is left. */
function open(): void {
  const record = openRecord(path.join(folder, "node.jsonl"), "kernel");
  programmer = new Programmer({
    table,
    record,
    routes,
    masquerade,
    marks,
    logger: silentLogger,
    nowMs: () => nowMs,
    mayTakeOver: () => allowed,
  });
}

function poolOf(change: Partial<DesiredPool> = {}, memberCount = 2): DesiredPool {
  return {
    uid: UID,
    addresses: [{ ip: "*", port: 30001, protocol: "TCP" }],
    scheduler: "rr",
    forwarding: "nat",
    affinitySeconds: 0,
    drainSeconds: 30,
    members: Array.from({ length: memberCount }, (_, index) => ({
      ip: `10.0.0.${index + 1}`,
      port: 8080,
      weight: 1,
      disposition: "active" as const,
      drainSeconds: 30,
    })),
    ...change,
  };
}

async function program(...pools: readonly DesiredPool[]) {
  table.commands.length = 0;
  return programmer.apply(planOperations(pools, await programmer.observe(), nowMs));
}

it("has one service for each address of the node, and writes nothing the second time", async () => {
  expect(await program(poolOf())).toEqual([]);
  const members = ["  10.0.0.1:8080 1", "  10.0.0.2:8080 1"];
  expect(table.describe()).toEqual([FIRST, ...members, SECOND, ...members]);
  expect(planOperations([poolOf()], await programmer.observe(), nowMs)).toEqual([]);
  open();
  await programmer.setNodeAddresses(["192.0.2.10", "192.0.2.11"]);
  await program(poolOf());
  expect(table.commands).toEqual([]);
});

it("knows an IPv6 service again by its place, and routes its address to the machine", async () => {
  const addresses = [{ ip: "2001:db8::80", port: 80, protocol: "TCP" as const }];
  const members = poolOf().members.map((member, index) => ({ ...member, ip: `2001:db8:1::${index + 1}` }));
  expect(await program(poolOf({ addresses, members }))).toEqual([]);
  expect(table.describe()).toEqual([
    "TCP [2001:db8::80]:80",
    "  [2001:db8:1::1]:8080 1",
    "  [2001:db8:1::2]:8080 1",
  ]);
  expect([...routed]).toEqual(["2001:db8::80"]);
  open();
  await program(poolOf({ addresses, members }));
  expect(table.commands).toEqual([]);
});

it("follows the node's addresses", async () => {
  await program(poolOf());
  await programmer.setNodeAddresses(["192.0.2.11", "192.0.2.12"]);
  expect([...table.services.keys()]).toEqual([SECOND, "TCP 192.0.2.12:30001"]);
  expect(planOperations([poolOf()], await programmer.observe(), nowMs)).toEqual([]);
});

it("keeps a draining member at weight 0 until its deadline, and edits the weight when it is wanted again", async () => {
  await program(poolOf());
  await program(poolOf({}, 1));
  expect(table.describe()).toContain("  10.0.0.2:8080 0");
  await program(poolOf());
  expect(table.commands.map(({ kind }) => kind)).toEqual(["edit-destination", "edit-destination"]);
  await program(poolOf({}, 1));
  nowMs += 30_001;
  await programmer.endDue();
  expect(table.describe()).toEqual([FIRST, "  10.0.0.1:8080 1", SECOND, "  10.0.0.1:8080 1"]);
  await program(poolOf({}, 1));
  expect(planOperations([poolOf({}, 1)], await programmer.observe(), nowMs)).toEqual([]);
});

it("counts the connections that a deadline cuts", async () => {
  await program(poolOf());
  await program(poolOf({}, 1));
  const service = table.services.get(FIRST);
  const destination = service?.destinations.get("10.0.0.2:8080");
  if (!service || !destination) throw new Error("no such destination");
  const busy = new Map(service.destinations).set("10.0.0.2:8080", { ...destination, activeConnections: 3 });
  table.services.set(FIRST, { ...service, destinations: busy });
  expect(await programmer.endDue()).toBe(0);
  nowMs += 30_001;
  expect(await programmer.endDue()).toBe(3);
  expect(await programmer.endDue()).toBe(0);
});

it("closes an address with weight 0 until the deadline, then removes the service", async () => {
  await program(poolOf());
  await program();
  expect(table.describe()).toContain("  10.0.0.1:8080 0");
  nowMs += 30_001;
  await program();
  expect(table.describe()).toEqual([]);
  expect(await programmer.observe()).toEqual([]);
});

it("keeps the flows of the first pool at an address that a second one takes over", async () => {
  await program(poolOf({}, 1));
  const members = [{ ...poolOf().members[0], ip: "10.0.0.9" }] as DesiredPool["members"];
  const second = poolOf({ uid: OTHER_UID, members });
  await program(second);
  expect(table.commands.some(({ kind }) => kind.startsWith("delete"))).toBe(false);
  expect(table.describe().slice(0, 3)).toEqual([FIRST, "  10.0.0.1:8080 0", "  10.0.0.9:8080 1"]);
  open();
  expect(planOperations([second], await programmer.observe(), nowMs)).toEqual([]);
  nowMs += 30_001;
  await programmer.endDue();
  expect(table.describe()).toEqual([FIRST, "  10.0.0.9:8080 1", SECOND, "  10.0.0.9:8080 1"]);
});

it("does not touch a service that somebody else made, refuses the pool, and says which it is", async () => {
  const address = { ip: "192.0.2.11", port: 30001, protocol: "TCP" as const };
  table.services.set(SECOND, { address, scheduler: "rr", affinitySeconds: 0, destinations: new Map() });
  const foreign = table.services.get(SECOND);
  const failures = await program(poolOf());
  expect(failures).toMatchObject([{ uid: UID, message: expect.stringContaining(SECOND) }]);
  expect([...table.services]).toEqual([[SECOND, foreign]]);
  expect(programmer.foreignServices).toEqual([SECOND]);
  expect(await programmer.observe()).toEqual([]);
  table.services.clear();
  expect(await program(poolOf())).toEqual([]);
  expect([...table.services.keys()]).toEqual([FIRST, SECOND]);
});

it("does not touch a service that appeared since it last looked", async () => {
  await program();
  const address = { ip: "192.0.2.11", port: 30001, protocol: "TCP" as const };
  table.services.set(SECOND, { address, scheduler: "rr", affinitySeconds: 0, destinations: new Map() });
  const foreign = table.services.get(SECOND);
  const failures = await programmer.apply(planOperations([poolOf()], [], nowMs));
  expect(failures).toMatchObject([{ uid: UID, message: expect.stringContaining(SECOND) }]);
  expect([...table.services]).toEqual([[SECOND, foreign]]);
});

it("leaves a pool as it was when the kernel refuses a part of its change", async () => {
  await program(poolOf());
  const before = table.describe();
  table.missingSchedulers.add("mh");
  const failures = await program(poolOf({ scheduler: "mh" }, 1), {
    ...poolOf(),
    uid: OTHER_UID,
    addresses: [{ ip: "192.0.2.10", port: 30002, protocol: "TCP" }],
  });
  expect(failures).toMatchObject([{ uid: UID, message: expect.stringContaining("mh") }]);
  expect(table.describe().slice(0, before.length)).toEqual(before);
  expect(table.services.has("TCP 192.0.2.10:30002")).toBe(true);
});

it("repairs what somebody else changed, and what a flush took away", async () => {
  await program(poolOf());
  const [service] = table.services.values();
  if (!service) throw new Error("no service");
  table.services.set(FIRST, { ...service, destinations: new Map(), scheduler: "other" });
  expect(planOperations([poolOf()], await programmer.observe(), nowMs)).toHaveLength(1);
  await program(poolOf());
  expect(table.services.get(FIRST)?.scheduler).toBe("rr");
  table.services.clear();
  await program(poolOf());
  expect([...table.services.keys()]).toEqual([FIRST, SECOND]);
  expect(planOperations([poolOf()], await programmer.observe(), nowMs)).toEqual([]);
});

it("drains and removes a member that somebody else added", async () => {
  await program(poolOf({}, 1));
  const service = table.services.get(FIRST);
  const [destination] = service?.destinations.values() ?? [];
  if (!service || !destination) throw new Error("no destination");
  const more = new Map(service.destinations).set("10.9.9.9:80", { ...destination, ip: "10.9.9.9", port: 80 });
  table.services.set(FIRST, { ...service, destinations: more });
  await program(poolOf({}, 1));
  expect(table.describe()).toContain("  10.9.9.9:80 0");
  nowMs += 30_001;
  await programmer.endDue();
  expect(table.describe()).not.toContain("  10.9.9.9:80 0");
});

it("owns every service whichever command it was killed at, and comes to the same end", async () => {
  const steps = [
    [poolOf()],
    [poolOf({ scheduler: "wlc" }, 3)],
    [poolOf({ addresses: [{ ip: "192.0.2.10", port: 30007, protocol: "UDP" }] }, 1)],
  ];
  let killed = 0;
  for (let at = 0; at < 60; at += 1) {
    rmSync(path.join(folder, "node.jsonl"), { force: true });
    table = new FakeTable();
    open();
    await programmer.setNodeAddresses(["192.0.2.10", "192.0.2.11"]);
    let count = 0;
    table.onCommand = () => {
      if (count === at) throw new Error("killed");
      count += 1;
    };
    for (const pools of steps) {
      try {
        await program(...pools);
      } catch {
        killed += 1;
        table.onCommand = () => undefined;
        open();
        expect(await programmer.observe().then(() => programmer.foreignServices)).toEqual([]);
        await program(...pools);
      }
    }
    table.onCommand = () => undefined;
    nowMs += 30_001;
    await program(...(steps.at(-1) ?? []));
    await programmer.endDue();
    expect(table.describe()).toEqual(["UDP 192.0.2.10:30007", "  10.0.0.1:8080 1"]);
  }
  expect(killed).toBeGreaterThan(10);
});

it("makes the address of a pool that is not the node's own local while it is served, and repairs that", async () => {
  const pool = poolOf({ addresses: [{ ip: "198.51.100.7", port: 80, protocol: "TCP" }] });
  await program(pool, { ...poolOf(), uid: OTHER_UID });
  expect([...routed]).toEqual(["198.51.100.7"]);
  routed.clear();
  routed.add("198.51.100.9");
  await programmer.observe();
  expect([...routed]).toEqual(["198.51.100.7"]);
  await program();
  expect([...routed]).toEqual(["198.51.100.7"]);
  nowMs += 30_001;
  await program();
  expect([...routed]).toEqual([]);
});

it("asks the kernel nothing while nothing has changed, and then for what has", async () => {
  await program(poolOf(), poolOf({ uid: OTHER_UID, addresses: [{ ip: "*", port: 30002, protocol: "TCP" }] }));
  const before = await programmer.observe();
  table.askCount = 0;
  expect(await programmer.observe()).toBe(before);
  expect(table.askCount).toBe(0);
  table.execute([{ kind: "delete-destination", address: parsePlace(FIRST), destination: MEMBER }]);
  table.execute([{ kind: "delete-service", address: parsePlace(SECOND) }]);
  table.execute([{ kind: "add-service", address: parsePlace(FOREIGN), service: EMPTY }]);
  const [changed, same] = await programmer.observe();
  expect(table.askCount).toBe(3);
  expect(changed?.members.map(({ ip }) => ip)).toEqual(["10.0.0.2"]);
  expect(changed?.addresses).toEqual([]);
  expect(same).toBe(before[1]);
  expect(programmer.foreignServices).toEqual([FOREIGN]);
  table.execute([{ kind: "delete-service", address: parsePlace(FOREIGN) }]);
  await programmer.observe();
  expect(programmer.foreignServices).toEqual([]);
});

it("reads the whole table once in an hour, for the listing does not tell everything", async () => {
  await program(poolOf());
  await programmer.observe();
  table.askCount = 0;
  nowMs += 3_600_001;
  await programmer.observe();
  expect(table.askCount).toBe(3);
  await programmer.observe();
  expect(table.askCount).toBe(3);
});

it("takes over somebody else's service that the operator allowed and that is as the pool wants it, without a write", async () => {
  for (const place of [FIRST, SECOND])
    table.execute([
      { kind: "add-service", address: parsePlace(place), service: { ...EMPTY, address: parsePlace(place) } },
      { kind: "add-destination", address: parsePlace(place), destination: MEMBER },
    ]);
  await programmer.observe();
  expect(await program(poolOf({}, 1))).toMatchObject([{ message: expect.stringMatching(/did not make$/) }]);
  allowed.add(FIRST).add(SECOND);
  expect(await program(poolOf({}, 2))).toMatchObject([
    { message: expect.stringContaining("it may be taken over, but it lacks 10.0.0.2:8080") },
  ]);
  expect(table.commands).toEqual([]);
  expect(await program(poolOf({}, 1))).toEqual([]);
  expect(table.commands).toEqual([]);
  expect(programmer.foreignServices).toEqual([]);
  open();
  expect(await program(poolOf({}, 2))).toEqual([]);
  expect(table.commands.map(({ kind }) => kind)).toEqual(["add-destination", "add-destination"]);
});

it("masquerades the services of fullnat pools, before they serve, and of no others", async () => {
  table.onCommand = ({ kind }) => {
    if (kind === "add-service") expect(masqueraded).toEqual([FIRST, SECOND]);
  };
  await program(poolOf({ forwarding: "fullnat" }));
  table.onCommand = () => undefined;
  const nat = poolOf({ uid: OTHER_UID, addresses: [{ ip: "192.0.2.10", port: 30002, protocol: "TCP" }] });
  await program(poolOf({ forwarding: "fullnat" }), nat);
  expect(masqueraded).toEqual([FIRST, SECOND]);
  await program(poolOf(), { ...nat, forwarding: "fullnat" });
  expect(masqueraded).toEqual(["TCP 192.0.2.10:30002"]);
});

it("repairs the table of masqueraded services when it reads the kernel", async () => {
  await program(poolOf({ forwarding: "fullnat" }));
  masqueraded = [FIRST, "TCP 192.0.2.77:1"];
  await programmer.observe();
  expect(masqueraded).toEqual([FIRST, SECOND]);
  masqueraded = undefined;
  await programmer.observe();
  expect(masqueraded).toEqual([FIRST, SECOND]);
});

const RANGE = { ip: "192.0.2.20", port: 30000, lastPort: 30009, protocol: "TCP" as const };
const WIDER = { ...RANGE, lastPort: 30019 };

function rangePool(address: typeof RANGE = RANGE): DesiredPool {
  const members = poolOf().members.map((member) => ({ ...member, port: address.port }));
  return poolOf({ addresses: [address], members });
}

it("has one service for a range of ports, and marks packets once it is there", async () => {
  table.onCommand = () => expect(marked).toBeUndefined();
  expect(await program(rangePool())).toEqual([]);
  const place = "TCP 192.0.2.20:30000-30009";
  expect(table.describe()).toEqual([place, "  10.0.0.1:30000 1", "  10.0.0.2:30000 1"]);
  expect(marked).toEqual([{ ...RANGE, mark: markOf(RANGE) }]);
  expect([...routed]).toEqual(["192.0.2.20"]);
  table.onCommand = () => undefined;
  open();
  markWrites.length = 0;
  expect(planOperations([rangePool()], await programmer.observe(), nowMs)).toEqual([]);
  expect([table.commands.length, markWrites]).toEqual([3, []]);
});

it("exchanges a range for a wider one at once, and keeps the old one's flows until their deadline", async () => {
  await program(rangePool());
  markWrites.length = 0;
  expect(await program(rangePool(WIDER))).toEqual([]);
  expect(markWrites).toEqual(["-TCP 192.0.2.20:30000-30009 +TCP 192.0.2.20:30000-30019"]);
  expect([...table.services.keys()]).toEqual(["TCP 192.0.2.20:30000-30009", "TCP 192.0.2.20:30000-30019"]);
  open();
  markWrites.length = 0;
  await program(rangePool(WIDER));
  expect([table.commands, markWrites], "a restart writes nothing").toEqual([[], []]);
  nowMs += 30_001;
  await programmer.endDue();
  expect([...table.services.keys()]).toEqual(["TCP 192.0.2.20:30000-30019"]);
});

it("repairs marks and the service of a range that somebody took away", async () => {
  await program(rangePool());
  marked = undefined;
  await programmer.observe();
  expect(marked).toEqual([{ ...RANGE, mark: markOf(RANGE) }]);
  marked = [];
  await programmer.observe();
  expect(marked).toHaveLength(1);
  table.services.clear();
  await program(rangePool());
  expect(table.describe()).toHaveLength(3);
  expect(marked).toHaveLength(1);
});

it("marks nothing while somebody else's service has the mark, and refuses the pool by name", async () => {
  const [place] = ["TCP 192.0.2.20:30000-30009"];
  table.services.set(place, { ...EMPTY, address: RANGE, destinations: new Map() });
  expect(await program(rangePool(), poolOf({ uid: OTHER_UID }))).toMatchObject([
    {
      uid: UID,
      message: expect.stringContaining(`a service at mark ${markOf(RANGE)}, which is that of ${place}, that`),
    },
  ]);
  expect(marked).toBeUndefined();
  expect([...table.services.keys()]).toEqual([place, FIRST, SECOND]);
});

it("marks a range that another pool still has only after that one let it go", async () => {
  const other = { ...rangePool(WIDER), uid: OTHER_UID };
  await program(rangePool());
  await program(rangePool(), other);
  expect(marked).toEqual([{ ...RANGE, mark: markOf(RANGE) }]);
  await program(other);
  expect(marked).toEqual([{ ...WIDER, mark: markOf(WIDER) }]);
});
