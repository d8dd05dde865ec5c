import { afterAll, beforeAll, expect, it } from "vitest";
import type { Plan, Pool } from "../../src/model/index.ts";
import { type AccountWorld, bodyAs, openShopWorld, PATIENCE, type Shown } from "./account-world.ts";

const POOL = "/api/objects/pools/svc?namespace=shop";
const CORE = "/api/v1/namespaces/shop";

let world: AccountWorld;
let olga: Shown;
let vic: Shown;
beforeAll(async () => {
  ({ world, olga, vic } = await openShopWorld());
  const metadata = { name: "svc", namespace: "shop", annotations: { "parasaus.io/scheduler": "wrr" } };
  await must("POST", `${CORE}/services`, {
    ...{ apiVersion: "v1", kind: "Service", metadata },
    spec: { type: "NodePort", ports: [{ name: "http", port: 80, nodePort: 30_778 }] },
  });
  await must("POST", `${CORE}/endpoints`, {
    ...{ apiVersion: "v1", kind: "Endpoints" },
    metadata: { name: "svc", namespace: "shop", annotations: { healthCheckType: "none" } },
    subsets: [
      { addresses: [{ ip: "192.0.2.10" }, { ip: "192.0.2.11" }], ports: [{ name: "http", port: 8_080 }] },
    ],
  });
});
afterAll(() => world[Symbol.asyncDispose]());

async function must(method: string, route: string, body?: unknown) {
  const answer = await world.call(olga, method, route, body);
  if (answer.status >= 300) throw new Error(`${route}: ${answer.status} ${JSON.stringify(answer.body)}`);
  return answer;
}
const read = () => world.call(olga, "GET", POOL);
const pool = async () => bodyAs<Pool>((await read()).body);

/** The pool with another port, scheduler, drain time and one member in another's place. */
async function wanted() {
  const { apiVersion, kind, metadata, spec } = await pool();
  const { name, namespace } = metadata;
  const members = [
    { ...spec.members[0], state: "drain" },
    { ip: "192.0.2.12", port: 8_081 },
  ];
  return {
    ...{ apiVersion, kind, metadata: { name, namespace } },
    spec: { ...spec, port: 30_779, scheduler: "lc", drainSeconds: 9, members },
  };
}

it("plans a pool that a Service owns with what that does to Service, Endpoints and pool", async () => {
  await expect.poll(async () => (await pool()).spec?.members.length, PATIENCE).toBe(2);
  const body = { objects: [await wanted()], mode: "replace" };
  const { objects } = bodyAs<Plan>((await must("POST", "/api/plan", body)).body);
  const changed = objects.map(({ kind, outcome, changes }) => [
    kind,
    outcome,
    changes.map(({ field }) => field),
  ]);
  expect(changed).toEqual([
    [
      "Pool",
      "changed",
      expect.arrayContaining([
        "spec.port",
        "spec.scheduler",
        "spec.drainSeconds",
        "spec.members[192.0.2.12:8081].ip",
      ]),
    ],
    ["Service", "changed", expect.arrayContaining(["spec.ports[http].nodePort"])],
    ["Endpoints", "changed", expect.arrayContaining(["subsets[0].addresses[192.0.2.11].ip"])],
  ]);
  expect(objects[0]?.traffic?.address).toEqual({ before: "*:30778/TCP", after: "*:30779/TCP" });
  expect((await pool()).spec.port).toBe(30_778);
});

it("is refused whole to who may not write all three, for what no Service can say, and once somebody changed it", async () => {
  const body = await wanted();
  const before = JSON.stringify(await pool());
  expect((await world.call(vic, "PUT", POOL, body)).status).toBe(403);
  const elsewhere = { ...body, spec: { ...body.spec, addressPool: "other" } };
  const refused = await world.call(olga, "PUT", POOL, elsewhere);
  expect([refused.status, refused.body["errors"]]).toEqual([
    422,
    [expect.objectContaining({ field: "spec.addressPool", message: "a NodePort Service takes node-ports" })],
  ]);
  const planned = await must("POST", "/api/plan", { objects: [elsewhere], mode: "replace" });
  expect(bodyAs<Plan>(planned.body).objects).toMatchObject([
    { outcome: "refused", refusal: { fields: [{ field: "spec.addressPool" }] } },
  ]);
  const wrong = await world.call(olga, "PUT", POOL, { ...body, spec: { ...body.spec, port: 70_000 } });
  expect([wrong.status, wrong.body["errors"]]).toEqual([
    422,
    [expect.objectContaining({ field: "spec.port" })],
  ]);
  expect((await world.call({ ...olga, "if-match": '"stale"' }, "PUT", POOL, body)).status).toBe(412);
  expect(JSON.stringify(await pool())).toBe(before);
});

it("is written through Service and Endpoints in one operation, and becomes what was wanted", async () => {
  const body = await wanted();
  const { headers } = await read();
  const recordedBefore = (await world.operations()).length;
  const match = { "if-match": headers.get("etag") ?? "", "x-parasaus-reason": "move" };
  expect((await world.call({ ...olga, ...match }, "PUT", POOL, body)).status).toBe(200);
  const added = (await world.operations()).slice(recordedBefore).map(({ spec }) => spec);
  expect(
    added.map(({ verb, object, also = [] }) => [verb, object.kind, also.map((each) => each.object.kind)]),
  ).toEqual([["update", "Pool", ["Service", "Endpoints"]]]);
  expect(added[0]).toMatchObject({ operator: "olga", reason: "move" });
  await expect
    .poll(async () => (await pool()).spec.members.map(({ ip }) => ip), PATIENCE)
    .toEqual([...["192.0.2.10", "192.0.2.12"]]);
  const { spec, status } = await pool();
  expect(spec).toMatchObject({
    port: 30_779,
    scheduler: "lc",
    drainSeconds: 9,
    members: [{ state: "drain" }, {}],
  });
  await expect.poll(async () => (await pool()).status?.connectAddresses?.[0]?.port, PATIENCE).toBe(30_779);
  expect(status?.members).toBeDefined();
});
