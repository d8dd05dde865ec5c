import { Validator } from "@seriousme/openapi-schema-validator";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { isPlainPath, openApi31 } from "../../src/api/index.ts";
import type { Pool } from "../../src/model/index.ts";
import { type AccountWorld, bodyAs, openShopWorld, PATIENCE, type Shown } from "./account-world.ts";

const KUBE_POOLS = "/apis/parasaus.io/v1/namespaces/shop/pools";

let world: AccountWorld;
let olga: Shown;
let vic: Shown;
beforeAll(async () => {
  ({ world, olga, vic } = await openShopWorld());
});
afterAll(() => world[Symbol.asyncDispose]());

type Operations = Readonly<Record<string, { readonly summary: string; readonly operationId: string }>>;
const documented = async () => (await world.call(vic, "GET", "/api/openapi.json")).body;
const isPlain = (route: string) => isPlainPath(route.split(" ")[1] ?? "");

describe("the OpenAPI document", () => {
  it("has exactly the routes under /api that the router has and that are not Kubernetes', each described", async () => {
    const { paths } = (await documented()) as { paths: Readonly<Record<string, Operations>> };
    const told = Object.entries(paths).flatMap(([path, operations]) =>
      Object.keys(operations).map((method) => `${method.toUpperCase()} ${path}`),
    );
    const served = world.controlPlane.routes.filter(isPlain).map((route) => route.replace(/:(\w+)/g, "{$1}"));
    expect(told.toSorted()).toEqual(served.toSorted());
    expect(served.length).toBeGreaterThan(20);
    const operations = Object.values(paths).flatMap((each) => Object.values(each));
    const undescribed = operations.filter(({ summary }) => / \/api\//.test(summary));
    expect(undescribed).toEqual([]);
    expect(new Set(operations.map(({ operationId }) => operationId)).size).toBe(operations.length);
    process.stdout.write(`OpenAPI: ${served.length} routes\n`);
  });

  it("is valid OpenAPI 3.1; the control, one without a title, is not", async () => {
    const document = await documented();
    const valid = await new Validator().validate(structuredClone(document) as Record<string, unknown>);
    expect([valid.errors ?? [], valid.valid]).toEqual([[], true]);
    const broken = openApi31(world.controlPlane.routes, "1") as Record<string, unknown>;
    const refused = await new Validator().validate({ ...broken, info: {} });
    expect(refused.valid).toBe(false);
  });

  it("is shown to people by a page that runs nothing and loads nothing", async () => {
    const answer = await fetch(`${world.controlPlane.url}/api/docs`, { headers: vic });
    const page = await answer.text();
    expect(answer.headers.get("content-security-policy")).toMatch(/^default-src 'none'; style-src 'sha256-/);
    expect(page).not.toMatch(/<script|javascript:|https?:\/\/|\son\w+=/i);
    for (const route of world.controlPlane.routes.filter(isPlain))
      expect(page).toContain(`<code>${route}</code>`);
    expect((await world.call({}, "GET", "/api/docs")).status).toBe(401);
  });
});

describe("a refusal", () => {
  it("under /api is a problem, and of Kubernetes' paths a Status", async () => {
    const plain = await world.call(olga, "POST", "/api/rollback", {
      kind: "Pool",
      namespace: "shop",
      name: "no",
    });
    expect(plain.headers.get("content-type")).toMatch(/^application\/problem\+json/);
    expect(plain.body).toMatchObject({
      ...{ type: "/api/docs#NotFound", title: "NotFound", status: 404, code: 404 },
      detail: expect.stringContaining("the record has no operation on it"),
    });
    const wrong = await world.call(olga, "PUT", "/api/objects/pools/wrong?namespace=shop", {
      spec: { drainSeconds: -1 },
    });
    expect([wrong.status, wrong.body["errors"]]).toEqual([
      422,
      [expect.objectContaining({ field: "spec.drainSeconds" })],
    ]);
    const nowhere = await world.call(world.owner, "GET", "/api/nowhere");
    expect([nowhere.status, nowhere.body["title"]]).toEqual([404, "NotFound"]);
    const unknown = await world.call(olga, "GET", "/api/nowhere");
    expect([unknown.status, unknown.body["title"]]).toEqual([403, "Forbidden"]);
    for (const route of [`${KUBE_POOLS}/no`, "/api/v1/namespaces/shop/services/no", "/apis/nowhere"]) {
      const { status, headers, body } = await world.call(world.owner, "GET", route);
      expect([status, body["kind"], body["status"], body["type"]]).toEqual([
        404,
        "Status",
        "Failure",
        undefined,
      ]);
      expect(headers.get("content-type")).toMatch(/^application\/json/);
    }
  });
});

describe("an object under /api/objects", () => {
  const path = (name: string) => `/api/objects/pools/${name}?namespace=shop`;
  const spec = (drainSeconds: number) => ({
    spec: { drainSeconds, healthCheck: { type: "none" }, members: [{ ip: "192.0.2.1", port: 80 }] },
  });
  const put = async (name: string, body: object, headers: Shown = {}, shown = olga) => {
    const {
      status,
      headers: told,
      body: answered,
    } = await world.call({ ...shown, ...headers }, ...(["PUT", path(name), body] as const));
    return { status, tag: told.get("etag") ?? "", body: answered };
  };

  it("is written on condition of what was read, which a verdict does not change", async () => {
    const made = await put("web", spec(1), { "if-none-match": "*" });
    expect(made.status).toBe(201);
    const read = async () => world.call(olga, "GET", path("web"));
    const versionOf = async () => bodyAs<Pool>((await read()).body).metadata.resourceVersion;
    const hasVerdict = async () => bodyAs<Pool>((await read()).body).status?.members?.[0]?.verdict;
    await expect.poll(hasVerdict, PATIENCE).toBe("up");
    expect(await versionOf()).not.toBe(bodyAs<Pool>(made.body).metadata.resourceVersion);
    expect((await read()).headers.get("etag")).toBe(made.tag);
    const second = await put("web", spec(2), { "if-match": made.tag });
    expect(second.status).toBe(200);
    expect(second.tag).not.toBe(made.tag);
    const stale = await put("web", spec(3), { "if-match": made.tag });
    expect([stale.status, stale.body["title"]]).toEqual([412, "PreconditionFailed"]);
    expect((await put("web", spec(3), { "if-none-match": "*" })).status).toBe(412);
    const labelled = await put("web", { metadata: { labels: { tier: "a" } }, ...spec(2) });
    expect((await put("web", spec(4), { "if-match": second.tag })).status).toBe(412);
    expect((await put("web", spec(5), { "if-match": `"x", ${labelled.tag}` })).status).toBe(200);
    const { spec: now, metadata } = bodyAs<Pool>((await read()).body);
    expect([now.drainSeconds, metadata.labels, metadata.finalizers]).toEqual([
      5,
      undefined,
      ["parasaus.io/address"],
    ]);
    const remove = (tag: string) => world.call({ ...olga, "if-match": tag }, "DELETE", path("web"));
    expect((await remove(made.tag)).status).toBe(412);
    expect((await remove((await read()).headers.get("etag") ?? "")).status).toBe(200);
    expect((await put("nothing", spec(1), { "if-match": "*" })).status).toBe(412);
  });

  it("is for who may read or write it, and recorded like any change", async () => {
    await put("seen", spec(1), { "x-parasaus-reason": "because" });
    expect((await world.call(vic, "GET", path("seen"))).status).toBe(200);
    expect((await put("seen", spec(2), {}, vic)).status).toBe(403);
    expect((await world.call(vic, "DELETE", path("seen"))).status).toBe(403);
    expect((await world.call(vic, "GET", "/api/objects/pools")).status).toBe(403);
    const list = await world.call(vic, "GET", "/api/objects/pools?namespace=shop&limit=1");
    expect((list.body["items"] as readonly unknown[]).length).toBe(1);
    expect((await world.call(olga, "GET", "/api/objects/clouds")).status).toBe(404);
    const recorded = (await world.operations()).filter(({ spec: { object } }) => object.name === "seen");
    expect(recorded.map(({ spec: told }) => [told.operator, told.verb, told.reason])).toEqual([
      ["olga", "create", "because"],
      ["vic", "refuse", undefined],
      ["vic", "refuse", undefined],
    ]);
  });
});
