import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Operation, Pool, Service } from "../../src/model/index.ts";
import {
  type AddressReport,
  auditAddresses,
  createObject,
  listPools,
  poolObject,
} from "../lab/fleet-audit.ts";
import { canMakeNamespaces } from "../lab/namespaces.ts";
import { type Fleet, type FleetServer, openFleet } from "../lab/server-fleet.ts";

/** `all`: at each place before and after the write; else one of them. */
const ARE_ALL = process.env["PARASAUS_KILL_POINTS"] === "all";
const ADDRESSES = 24;
const PATIENCE = { timeout: 30_000, interval: 50 };
const POOLS = "/apis/parasaus.io/v1/namespaces/default/pools";
const SERVICES = "/api/v1/namespaces/default/services";
const ENDPOINTS = "/api/v1/namespaces/default/endpoints";
const MERGE = "application/merge-patch+json";
const ALLOCATOR = "/parasaus/leaders/allocator";
const CIRCLE_WATCH = "/parasaus/leaders/circle-watch";
const HEALTHCHECK = "/parasaus/shards/healthcheck/";
const POOL = "/parasaus/registry/parasaus.io/pools/default/";
const ADDRESS_POOL = "/parasaus/registry/parasaus.io/addresspools/few";
const SERVICE = "/parasaus/registry/core/services/default/";
const SPEC = { addressPool: "few", drainSeconds: 0 };
const HTTP = { name: "http", port: 80 };
const ADMIN = { name: "admin", port: 81 };

/** Work that an operator begins, and what must have come of it in the end. */
interface Story {
  /** What there is before. */
  readonly prepare?: (server: FleetServer, name: string) => Promise<unknown>;
  /** May be repeated. */
  readonly work: (server: FleetServer, name: string) => Promise<unknown>;
  readonly outcome: (server: FleetServer, name: string) => Promise<string>;
  readonly expected: string;
}

const findPool = async (server: FleetServer, name: string): Promise<Pool | undefined> =>
  (await listPools(server)).find(({ metadata }) => metadata.name === name);

/** `listens`, `bare`, or `none`. */
async function describePool(server: FleetServer, name: string): Promise<string> {
  const pool = await findPool(server, name);
  if (!pool) return "none";
  return pool.status?.connectAddresses?.length === 1 ? "listens" : "bare";
}

async function describeService(server: FleetServer, name: string): Promise<string> {
  const service = (await server.call("GET", `${SERVICES}/${name}`)).body as Service;
  const ports = await Promise.all(
    (service.spec.ports ?? []).map(async ({ name: port, nodePort }) => {
      const pool = await findPool(server, port === "http" ? name : `${name}-${port}`);
      const isSame = nodePort !== undefined && pool?.status?.connectAddresses?.[0]?.port === nodePort;
      return `${port} ${isSame ? "listens" : "bare"}`;
    }),
  );
  const count = (await listPools(server)).filter(({ metadata }) => metadata.name.startsWith(name)).length;
  return `${ports.join(", ")}; ${count} pools`;
}

async function settle(
  server: FleetServer,
  { outcome }: Pick<Story, "outcome">,
  name: string,
  wanted: string,
) {
  await expect.poll(() => outcome(server, name), PATIENCE).toBe(wanted);
}

const createService = async (server: FleetServer, name: string) => {
  const metadata = { name, namespace: "default" };
  const spec = { type: "NodePort", ports: [HTTP, ADMIN] };
  await server.call("POST", SERVICES, { apiVersion: "v1", kind: "Service", metadata, spec });
  const ports = [HTTP, ADMIN].map(({ name: port }) => ({ name: port, port: 8080 }));
  const subsets = [{ addresses: [{ ip: "10.79.0.1" }], ports }];
  await server.call("POST", ENDPOINTS, { apiVersion: "v1", kind: "Endpoints", metadata, subsets });
};

const COMES: Story = {
  work: (server, name) => server.call("POST", POOLS, poolObject(name, SPEC)),
  outcome: describePool,
  expected: "listens",
};
const GOES: Story = {
  prepare: async (server, name) => {
    await createObject(server, POOLS, poolObject(name, SPEC));
    await settle(server, COMES, name, "listens");
    // The use of the address pool is written once a second.
    await new Promise((resolve) => setTimeout(resolve, 1_300));
  },
  work: (server, name) => server.call("DELETE", `${POOLS}/${name}`),
  outcome: describePool,
  expected: "none",
};
const SERVICE_COMES: Story = {
  work: createService,
  outcome: describeService,
  expected: "http listens, admin listens; 2 pools",
};
const SERVICE_SHRINKS: Story = {
  prepare: async (server, name) => {
    await createService(server, name);
    await settle(server, SERVICE_COMES, name, SERVICE_COMES.expected);
  },
  work: async (server, name) => {
    const service = (await server.call("GET", `${SERVICES}/${name}`)).body as Service;
    const ports = (service.spec.ports ?? []).filter((port) => port.name === "http");
    return server.call("PATCH", `${SERVICES}/${name}`, { spec: { ports } }, MERGE);
  },
  outcome: describeService,
  expected: "http listens; 1 pools",
};
const IS_JUDGED: Story = {
  work: (server, name) => {
    const healthCheck = { type: "tcp", interval: "500ms", timeout: "400ms", fall: 1 };
    const members = [{ ip: "10.79.0.1", port: 9 }];
    return server.call("POST", POOLS, poolObject(name, { ...SPEC, members, healthCheck }));
  },
  outcome: async (server, name) => {
    const { status } = (await findPool(server, name)) ?? {};
    return `${status?.members?.[0]?.verdict} ${status?.connectAddresses?.length}`;
  },
  expected: "down 1",
};

/** A write: whose, of what, and the how many-th from 0 on. */
type Place = readonly [
  what: string,
  story: Story,
  fence: (name: string) => string,
  written: (name: string) => string,
  skipCount: number,
];

const pool = (name: string) => POOL + name;
const PLACES: readonly Place[] = [
  ["a new pool and its Operation", COMES, pool, pool, 0],
  ["a new pool's finalizer", COMES, () => ALLOCATOR, pool, 0],
  ["a new pool's address", COMES, () => ALLOCATOR, pool, 1],
  ["what an address pool has left", COMES, () => ALLOCATOR, () => ADDRESS_POOL, 0],
  ["the deletion of a pool and its Operation", GOES, pool, pool, 0],
  ["the quarantine of a pool's address", GOES, () => ALLOCATOR, () => ADDRESS_POOL, 0],
  ["the end of a pool", GOES, () => ALLOCATOR, pool, 0],
  ["the first pool of a Service", SERVICE_COMES, () => CIRCLE_WATCH, pool, 0],
  ["the second pool of a Service", SERVICE_COMES, () => CIRCLE_WATCH, pool, 1],
  ["a Service's nodePorts", SERVICE_COMES, () => CIRCLE_WATCH, (name) => SERVICE + name, 0],
  [
    "the end of a pool of a Service",
    SERVICE_SHRINKS,
    () => CIRCLE_WATCH,
    (name) => `${POOL}${name}-admin`,
    0,
  ],
  ["a verdict", IS_JUDGED, () => HEALTHCHECK, pool, 0],
];

const CASES = PLACES.flatMap((place, index) => {
  const moments = ["before", "after"] as const;
  const chosen = ARE_ALL ? moments : moments.filter((_, each) => each === index % 2);
  return chosen.map((moment) => ({ what: place[0], moment, place }));
});

describe.skipIf(!canMakeNamespaces())("a server on etcd that is killed (needs root)", () => {
  let fleet: Fleet;
  let killCount = 0;
  beforeAll(async () => {
    fleet = await openFleet(1, ["--lease-seconds=2", "--auto-create-namespaces=true"]);
    const spec = { addresses: ["10.9.0.1"], ports: [`1000-${999 + ADDRESSES}`], quarantineSeconds: 0 };
    await createObject(server(), "/apis/parasaus.io/v1/addresspools", {
      ...{ apiVersion: "parasaus.io/v1", kind: "AddressPool", metadata: { name: "few" }, spec },
    });
  });
  afterAll(() => fleet[Symbol.asyncDispose]());

  const server = (): FleetServer => {
    const [only] = fleet.servers;
    if (!only) throw new Error("there is no server");
    return only;
  };

  it.each(CASES)("$moment it has written $what: goes on where it was", async ({ place, moment }) => {
    const [, story, fence, written, skipCount] = place;
    const name = `k${killCount}`;
    await story.prepare?.(server(), name);
    const { post, pid } = server();
    await post.call("hold", { fence: fence(name), writes: written(name), skipCount, what: moment });
    // It gets no answer when it is the operator's own write.
    const begun = story.work(server(), name).catch(() => undefined);
    await expect.poll(() => post.call("heldCount"), PATIENCE).toBe(1);
    await server().kill();
    expect(() => process.kill(pid, 0)).toThrow("ESRCH");
    await begun;
    killCount += 1;
    await post.call("forget");
    await server().start();
    await story.work(server(), name);
    await settle(server(), story, name, story.expected);
  });

  /** Pools of operators without the one Operation that tells of their creation, and the other way round. */
  async function findHalves(): Promise<string[]> {
    const { items } = (await server().call("GET", "/apis/parasaus.io/v1/operations")).body as {
      items: readonly Operation[];
    };
    const uidsOf = (verb: string) =>
      items
        .filter(({ spec }) => spec.verb === verb && spec.object.kind === "Pool")
        .map(({ spec }) => spec.object.uid);
    const own = (await listPools(server())).filter(({ metadata }) => metadata.ownerReferences === undefined);
    const alive = own.map(({ metadata }) => metadata.uid ?? "");
    const [created, deleted] = [uidsOf("create"), uidsOf("delete")];
    const without = alive.filter((uid) => created.filter((each) => each === uid).length !== 1);
    return [...without, ...created.filter((uid) => !alive.includes(uid) && !deleted.includes(uid))];
  }

  it("has given no address twice and lost none, and nothing is there by half", async () => {
    expect(await findHalves()).toEqual([]);
    const { grantedCount, doubles } = await auditAddresses(fleet, server(), "few", ADDRESSES);
    process.stdout.write(
      `server killed: n=${killCount} at ${PLACES.length} places; ${grantedCount} addresses given, ` +
        `${doubles.length} twice, 0 lost\n`,
    );
    expect(killCount).toBe(CASES.length);
    expect(doubles).toEqual([]);
    expect(await findHalves()).toEqual([]);
  });

  it("control: sees a pool without an Operation, and one address that two pools hold", async () => {
    await createObject(server(), POOLS, poolObject("original", SPEC));
    await settle(server(), COMES, "original", "listens");
    const json = fleet.network.ctl(["get", "--print-value-only", `${POOL}original`]);
    const copy = JSON.parse(json) as Pool;
    const metadata = { ...copy.metadata, name: "copy", uid: "00000000-0000-4000-8000-000000000000" };
    fleet.network.ctl(["put", `${POOL}copy`, JSON.stringify({ ...copy, metadata })]);
    const { doubles } = (await fleet.registry.call("addresses")) as AddressReport;
    expect(doubles).toHaveLength(1);
    await expect.poll(findHalves, PATIENCE).toEqual([metadata.uid]);
  });
});
