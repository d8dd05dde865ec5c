import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { KubeObject, Operation, Pool } from "../../src/model/index.ts";
import { type AccountWorld, bodyAs, openShopWorld, PATIENCE, type Shown } from "./account-world.ts";

const API = "/apis/parasaus.io/v1";
const POOLS = `${API}/namespaces/shop/pools`;
const MERGE = "application/merge-patch+json";

let world: AccountWorld;
let olga: Shown;
let vic: Shown;
beforeAll(async () => {
  ({ world, olga, vic } = await openShopWorld());
});
afterAll(() => world[Symbol.asyncDispose]());

const member = (port: number, more: object = {}) => ({ ip: "192.0.2.1", port, ...more });
const poolOf = (name: string, spec: object = {}) => ({
  ...{ apiVersion: "parasaus.io/v1", kind: "Pool", metadata: { name, namespace: "shop" } },
  spec: { healthCheck: { type: "none" }, members: [member(80), member(81)], ...spec },
});
async function ask(shown: Shown, method: string, route: string, body?: unknown, type?: string) {
  const answer = await world.call(shown, method, route, body, type);
  if (answer.status >= 300) throw new Error(`${route}: ${answer.status} ${JSON.stringify(answer.body)}`);
  return bodyAs<Pool>(answer.body);
}
const create = (name: string, spec: object = {}) => ask(olga, "POST", POOLS, poolOf(name, spec));
const change = (name: string, spec: object) => ask(olga, "PATCH", `${POOLS}/${name}`, { spec }, MERGE);
const get = (name: string) => ask(olga, "GET", `${POOLS}/${name}`);
const rollBack = (name: string, more: object = {}, shown = olga) =>
  world.call(shown, "POST", "/api/rollback", { kind: "Pool", namespace: "shop", name, ...more });
const recorded = async (name: string) =>
  (await world.operations()).filter(({ spec }) => spec.object.name === name);

describe("a rollback", () => {
  it("makes a pool what it was at a revision, as an operation like any other", async () => {
    const first = await create("web", { scheduler: "rr" });
    await change("web", { scheduler: "wrr" });
    await change("web", { scheduler: "lc", drainSeconds: 7 });
    const back = await rollBack("web", { revision: first.metadata.resourceVersion, reason: "worse" });
    expect([back.status, back.body["warnings"]]).toEqual([200, []]);
    expect((await get("web")).spec).toEqual(first.spec);
    const last = (await recorded("web")).at(-1);
    expect(last?.spec).toMatchObject({
      ...{ operator: "olga", verb: "rollback", reason: "worse", source: "127.0.0.1" },
      before: { spec: { scheduler: "lc", drainSeconds: 7 } },
      after: { spec: { scheduler: "rr" } },
    });
    // And back again: without a revision the last operation is undone, which was the rollback.
    expect((await rollBack("web")).status).toBe(200);
    expect((await get("web")).spec).toMatchObject({ scheduler: "lc", drainSeconds: 7 });
  });

  it("as a dry run, of nobody who may not, and to where it was not yet, changes nothing", async () => {
    const { metadata } = await create("still", { scheduler: "rr" });
    await change("still", { scheduler: "wrr" });
    const before = await get("still");
    const count = (await recorded("still")).length;
    const dry = await rollBack("still", { dryRun: true });
    expect([dry.status, (dry.body["objects"] as Pool[])[0]?.spec.scheduler]).toEqual([200, "rr"]);
    expect((await rollBack("still", {}, vic)).status).toBe(403);
    const early = String(BigInt(metadata.resourceVersion ?? "0") - 1n);
    expect((await rollBack("still", { revision: early })).body).toMatchObject({
      ...{ code: 422, message: expect.stringContaining(`it was not there at revision ${early}`) },
    });
    expect((await rollBack("nothing")).status).toBe(404);
    expect((await get("still")).spec).toEqual(before.spec);
    expect((await get("still")).metadata.generation).toBe(before.metadata.generation);
    // The refusal of the viewer is in the record, and no rollback is.
    const after = await recorded("still");
    expect(after.slice(count).map(({ spec }) => `${spec.operator} ${spec.verb}`)).toEqual(["vic refuse"]);
  });

  it("of one member leaves the others alone, also when it is gone meanwhile, or is new", async () => {
    await create("members");
    const drained = { members: [member(80, { state: "drain" }), member(81, { weight: 3 })] };
    await change("members", drained);
    const one = await rollBack("members", { member: "192.0.2.1:80" });
    expect(one.status).toBe(200);
    expect((await get("members")).spec.members).toEqual([member(80), member(81, { weight: 3 })]);
    expect((await recorded("members")).at(-1)?.spec).toMatchObject({
      verb: "rollback",
      member: "192.0.2.1:80",
    });
    await change("members", { members: [member(81, { weight: 3 })] });
    await rollBack("members", { member: "192.0.2.1:80" });
    expect((await get("members")).spec.members).toEqual([member(81, { weight: 3 }), member(80)]);
    expect((await rollBack("members", { member: "192.0.2.9:80" })).status).toBe(404);
  });

  it("brings a deleted pool back, unless another has its address by now, which is said", async () => {
    const quarantine = { spec: { quarantineSeconds: 0 } };
    await ask(world.owner, "PATCH", `${API}/addresspools/node-ports`, quarantine, MERGE);
    const remove = async () => {
      await ask(olga, "DELETE", `${POOLS}/gone`);
      const status = async () => (await world.call(olga, "GET", `${POOLS}/gone`)).status;
      await expect.poll(status, PATIENCE).toBe(404);
    };
    const { spec } = await create("gone", { port: 30_555, drainSeconds: 0 });
    await remove();
    expect((await rollBack("gone")).status).toBe(200);
    expect((await get("gone")).spec).toEqual(spec);
    await remove();
    await create("taker", { port: 30_555 });
    const address = async () => (await get("taker")).status?.connectAddresses?.[0]?.port;
    await expect.poll(address, PATIENCE).toBe(30_555);
    const taken = await rollBack("gone");
    expect([taken.status, taken.body["message"]]).toEqual([
      409,
      'Cannot roll back pool "gone": its address *:30555/TCP belongs to the pool "shop/taker" by now',
    ]);
    expect((await world.call(olga, "GET", `${POOLS}/gone`)).status).toBe(404);
  });

  it("keeps secrets that are not in the record", async () => {
    const healthCheck = { type: "mysql", mysql: { user: "probe", password: "hunter2hunter2" } };
    const first = await create("db", { healthCheck });
    await change("db", { scheduler: "wrr" });
    await rollBack("db", { revision: first.metadata.resourceVersion });
    expect((await get("db")).spec).toEqual(first.spec);
    expect(JSON.stringify(await recorded("db"))).not.toContain("hunter2hunter2");
  });
});

it("rolls a pool that a Service owns back in Service, Endpoints and Pool, as one operation", async () => {
  const service = (scheduler: string) => ({
    ...{ apiVersion: "v1", kind: "Service" },
    metadata: { name: "svc", namespace: "shop", annotations: { "parasaus.io/scheduler": scheduler } },
    spec: { ports: [{ name: "http", port: 80, nodePort: 30_777 }], type: "NodePort" },
  });
  const endpoints = (ip: string) => ({
    ...{ apiVersion: "v1", kind: "Endpoints", metadata: { name: "svc", namespace: "shop" } },
    subsets: [{ addresses: [{ ip }], ports: [{ name: "http", port: 8080 }] }],
  });
  const core = "/api/v1/namespaces/shop";
  const members = async () => {
    const { status, body } = await world.call(olga, "GET", `${POOLS}/svc`);
    return status === 200
      ? bodyAs<Pool>(body).spec.members.map(({ ip, state }) => `${ip} ${state ?? ""}`.trim())
      : [];
  };
  const annotations = { healthCheckType: "none" };
  await ask(olga, "POST", `${core}/services`, service("wrr"));
  const first = endpoints("192.0.2.10");
  await ask(olga, "POST", `${core}/endpoints`, { ...first, metadata: { ...first.metadata, annotations } });
  await expect.poll(members, PATIENCE).toEqual(["192.0.2.10"]);
  const marker = await ask(olga, "PATCH", `${POOLS}/svc`, { spec: { drainSeconds: 11 } }, MERGE);
  const revision = marker.metadata.resourceVersion;
  await ask(
    olga,
    "PATCH",
    `${core}/services/svc`,
    { metadata: { annotations: { "parasaus.io/scheduler": "lc" } } },
    MERGE,
  );
  await ask(olga, "PATCH", `${core}/endpoints/svc`, { subsets: endpoints("192.0.2.20").subsets }, MERGE);
  await ask(olga, "PATCH", `${POOLS}/svc`, { spec: { drainSeconds: 22 } }, MERGE);
  await expect.poll(members, PATIENCE).toEqual(["192.0.2.20"]);
  const before = await world.operations();
  const back = await world.call(olga, "POST", "/api/rollback", {
    ...{ kind: "Pool", namespace: "shop", name: "svc", revision },
  });
  expect([back.status, (back.body["objects"] as KubeObject[]).map(({ kind }) => kind).sort()]).toEqual([
    200,
    ["Endpoints", "Pool", "Service"],
  ]);
  const added = (await world.operations()).slice(before.length);
  expect(
    added.map(({ spec }) => [spec.verb, spec.object.kind, spec.also?.map(({ object }) => object.kind)]),
  ).toEqual([["rollback", "Service", ["Endpoints", "Pool"]]]);
  await expect.poll(members, PATIENCE).toEqual(["192.0.2.10"]);
  await expect
    .poll(async () => (await get("svc")).spec, PATIENCE)
    .toMatchObject({ scheduler: "wrr", drainSeconds: 11 });
  // The history of the pool tells of all three.
  const { body } = await world.call(olga, "GET", "/api/history?kind=Pool&namespace=shop&name=svc");
  const kinds = new Set((body["items"] as Operation[]).map(({ spec }) => spec.object.kind));
  expect(kinds).toEqual(new Set(["Service", "Endpoints", "Pool"]));
});

describe("the record", () => {
  const search = async (query: string, shown = world.owner) =>
    (await world.call(shown, "GET", `/api/operations?${query}`)).body as {
      items: readonly Operation[];
      continue?: string;
    };

  it("is searched by operator, verb, object, member, time and text, the newest first", async () => {
    await create("found", { scheduler: "rr" });
    await change("found", { members: [member(80, { state: "drain" }), member(81)] });
    const names = async (query: string) =>
      (await search(query)).items.map(({ spec }) => `${spec.operator} ${spec.verb} ${spec.object.name}`);
    expect(await names("kind=pool&name=found")).toEqual(["olga drain found", "olga create found"]);
    expect(await names("name=found&verb=drain&member=192.0.2.1:80&operator=olga")).toEqual([
      "olga drain found",
    ]);
    expect(await names("name=found&text=FOUND&since=2020-01-01T00:00:00Z")).toHaveLength(2);
    expect(await names("name=found&until=2020-01-01T00:00:00Z")).toEqual([]);
    expect(await names("name=found&operator=vic")).toEqual([]);
    expect((await names("verb=login")).every((each) => / login /.test(each))).toBe(true);
    expect((await world.call(world.owner, "GET", "/api/operations?colour=red")).status).toBe(400);
  });

  it("comes in pages that miss and repeat nothing", async () => {
    const all = (await search("limit=500")).items.map(({ metadata }) => metadata.name);
    const paged: string[] = [];
    for (let next: string | undefined = ""; next !== undefined; ) {
      const page = await search(`limit=3${next === "" ? "" : `&continue=${next}`}`);
      paged.push(...page.items.map(({ metadata }) => metadata.name));
      next = page.continue;
    }
    expect(paged).toEqual(all);
    expect(all.length).toBeGreaterThan(9);
  });

  it("shows each what is done where he may look, and nothing else of others", async () => {
    const bank = { ...poolOf("safe"), metadata: { name: "safe", namespace: "bank" } };
    await ask(world.owner, "POST", `${API}/namespaces/bank/pools`, bank);
    const seen = (await search("limit=500", vic)).items;
    expect(seen.some(({ spec }) => spec.object.namespace === "shop")).toBe(true);
    expect(seen.some(({ spec }) => spec.object.namespace === "bank")).toBe(false);
    const others = seen.filter(({ spec }) => spec.verb === "login" && spec.operator !== "vic");
    expect(others).toEqual([]);
    // The control: the owner sees it.
    expect((await search("name=safe")).items).toHaveLength(1);
  });

  it("tells of each pool and each member who did something last, and when", async () => {
    await create("last", {});
    await ask(
      world.owner,
      "PATCH",
      `${POOLS}/last`,
      { spec: { members: [member(80, { weight: 2 }), member(81)] } },
      MERGE,
    );
    const last = async () => {
      const { body } = await world.call(olga, "GET", "/api/last-operations?namespace=shop");
      const items = body["items"] as readonly {
        name: string;
        operator: string;
        members: Record<string, { operator: string }>;
      }[];
      const found = items.find(({ name }) => name === "last");
      return [
        found?.operator,
        found?.members["192.0.2.1:80"]?.operator,
        found?.members["192.0.2.1:81"]?.operator,
      ];
    };
    await expect.poll(last, PATIENCE).toEqual(["anonymous", "anonymous", "olga"]);
    expect((await get("last")).status?.lastOperation).toMatchObject({ operator: "anonymous", verb: "patch" });
    // As kubectl shows it, in lists too; what is stored stays as it is.
    const accept = "application/json;as=Table;v=v1;g=meta.k8s.io";
    const { body } = await world.call({ ...olga, accept }, "GET", `${POOLS}?includeObject=Object`);
    const table = bodyAs<{
      readonly columnDefinitions: readonly { readonly name: string; readonly priority: number }[];
      readonly rows: readonly { readonly cells: readonly unknown[]; readonly object: Pool }[];
    }>(body);
    const at = table.columnDefinitions.findIndex(({ name }) => name === "OPERATOR");
    const row = table.rows.find(({ object }) => object.metadata.name === "last");
    expect([table.columnDefinitions[at]?.priority, row?.cells[at]]).toEqual([1, "anonymous"]);
    expect(row?.cells[at + 1]).toMatch(/^\d+s$/);
    expect(row?.object.status?.lastOperation).toBeUndefined();
  });
});
