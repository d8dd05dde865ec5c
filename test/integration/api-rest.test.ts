import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { type ApiServer, startApiServer } from "./api-server.ts";

const POOLS = "/apis/parasaus.io/v1/namespaces/shop/pools";
const TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io";

interface Answer {
  readonly code: number;
  readonly headers: Headers;
  // biome-ignore lint/suspicious/noExplicitAny: what comes over the wire is looked into freely by the tests
  readonly body: any;
}

const pool = (name: string, more: object = {}): object => ({
  apiVersion: "parasaus.io/v1",
  kind: "Pool",
  metadata: { name, ...more },
  spec: { members: [{ ip: "10.0.0.1", port: 80 }] },
});

describe("the Kubernetes API", () => {
  let server: ApiServer;
  beforeAll(async () => {
    server = await startApiServer();
  });
  afterAll(async () => {
    await server[Symbol.asyncDispose]();
  });
  afterEach(async () => {
    await ask("DELETE", POOLS);
  });

  const ask = async (method: string, path: string, body?: unknown, headers: object = {}): Promise<Answer> => {
    const text = typeof body === "string" ? body : JSON.stringify(body);
    const type = body === undefined ? {} : { "content-type": "application/json" };
    const response = await fetch(server.url + path, {
      method,
      headers: { ...type, ...headers },
      ...(body === undefined ? {} : { body: text }),
    });
    return { code: response.status, headers: response.headers, body: await response.json() };
  };
  const names = (list: Answer): string[] =>
    list.body.items.map((item: { metadata: { name: string } }) => item.metadata.name);

  describe("creating", () => {
    it("takes YAML, fills in the namespace, and answers 201 with what it stored", async () => {
      const yaml = "apiVersion: parasaus.io/v1\nkind: Pool\nmetadata: { name: web }\nspec: { members: [] }\n";
      const created = await ask("POST", POOLS, yaml, { "content-type": "application/yaml" });
      expect(created.code).toBe(201);
      expect(created.body).toMatchObject({
        metadata: { namespace: "shop", generation: 1 },
        spec: { scheduler: "rr" },
      });
    });

    it.each([
      ["of another kind", { ...pool("x"), kind: "Service" }, 'its kind is "Service", the URL needs "Pool"'],
      ["without a kind", { metadata: { name: "x" } }, "its apiVersion is undefined"],
      [
        "of another namespace",
        pool("x", { namespace: "other" }),
        'namespace "other" is not the URL\'s "shop"',
      ],
      ["that is a list", [], "the body is not an object"],
    ])("refuses an object %s", async (_what, body, message) => {
      const refused = await ask("POST", POOLS, body);
      expect([refused.code, refused.body.reason]).toEqual([400, "BadRequest"]);
      expect(refused.body.message).toContain(message);
    });

    it("refuses a field that is given twice, unless that is to be ignored or only reported", async () => {
      const twice = JSON.stringify(pool("web")).replace(
        '"spec":{',
        '"spec":{"drainSeconds":1,"drainSeconds":2,',
      );
      const refused = await ask("POST", POOLS, twice);
      expect([refused.code, refused.body.details.causes[0].field]).toEqual([400, "spec.drainSeconds"]);
      const warned = await ask("POST", `${POOLS}?fieldValidation=Warn&dryRun=All`, twice);
      expect([warned.code, warned.body.spec.drainSeconds]).toEqual([201, 2]);
      expect(warned.headers.get("warning")).toContain(
        'the field \\"spec.drainSeconds\\" is given more than once',
      );
      const ignored = await ask("POST", `${POOLS}?fieldValidation=Ignore&dryRun=All`, twice);
      expect([ignored.code, ignored.headers.get("warning")]).toEqual([201, null]);
    });

    it.each([
      ["dryRun=Some", 'dryRun "Some" is not All'],
      ["fieldValidation=Maybe", 'fieldValidation "Maybe" is not Strict, Warn or Ignore'],
    ])("refuses ?%s", async (query, message) => {
      expect((await ask("POST", `${POOLS}?${query}`, pool("web"))).body.message).toContain(message);
    });

    it("records the operator that the caller names, kubectl's --as included, and refuses an impossible one", async () => {
      await ask("POST", POOLS, pool("a"), { "x-parasaus-operator": "bob", "x-parasaus-reason": "launch" });
      await ask("POST", POOLS, pool("b"), { "impersonate-user": "carol" });
      await ask("POST", POOLS, pool("c"));
      const operations = await ask("GET", "/apis/parasaus.io/v1/operations");
      const operators = operations.body.items
        .map(({ spec }: { spec: { operator: string; object: { name: string } } }) => spec)
        .filter(({ object }: { object: { name: string } }) => ["a", "b", "c"].includes(object.name))
        .map(({ operator, reason }: { operator: string; reason?: string }) => [operator, reason]);
      expect(operators).toEqual([
        ["bob", "launch"],
        ["carol", undefined],
        ["anonymous", undefined],
      ]);
      const refused = await ask("POST", POOLS, pool("d"), { "x-parasaus-operator": "<script>" });
      expect([refused.code, refused.body.reason]).toEqual([400, "BadRequest"]);
    });
  });

  describe("reading", () => {
    it("serves a list in pages that are true together, and says how many are left", async () => {
      for (const name of ["a", "b", "c"]) await ask("POST", POOLS, pool(name));
      const first = await ask("GET", `${POOLS}?limit=2`);
      expect(first.body).toMatchObject({ kind: "PoolList", metadata: { remainingItemCount: 1 } });
      await ask("POST", POOLS, pool("bb"));
      const token = encodeURIComponent(first.body.metadata.continue);
      const rest = await ask("GET", `${POOLS}?limit=2&continue=${token}`);
      expect([...names(first), ...names(rest)]).toEqual(["a", "b", "c"]);
      expect(rest.body.metadata).toEqual({ resourceVersion: first.body.metadata.resourceVersion });
    });

    it("serves tables, with as much of the object as is asked for, and metadata alone", async () => {
      await ask("POST", POOLS, pool("web"));
      const rowsWith = async (
        query: string,
      ): Promise<{ cells: unknown[]; object?: { kind: string; spec?: object } }> =>
        (await ask("GET", `${POOLS}${query}`, undefined, { accept: TABLE })).body.rows[0];
      expect((await rowsWith("")).object).toMatchObject({
        kind: "PartialObjectMetadata",
        metadata: { name: "web" },
      });
      expect(await rowsWith("?includeObject=None")).not.toHaveProperty("object");
      expect((await rowsWith("?includeObject=Object")).object?.spec).toBeDefined();
      const partial = await ask("GET", POOLS, undefined, {
        accept: "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io",
      });
      expect(partial.body.items).toEqual([
        { kind: "PartialObjectMetadata", apiVersion: "meta.k8s.io/v1", metadata: expect.anything() },
      ]);
    });

    it.each([
      ["limit=many", 'limit "many" is no whole number'],
      ["labelSelector=a%3D%3D%3Db", "label"],
      ["fieldSelector=spec.bogus%3D1", "spec.bogus"],
      ["resourceVersionMatch=Older", 'resourceVersionMatch "Older" is not Exact or NotOlderThan'],
      ["continue=rubbish", "continue"],
      ["watch=1&resourceVersion=abc", 'resourceVersion "abc" is no revision'],
      ["watch=1&labelSelector=a%3D%3D%3Db", "label"],
      ["watch=1&timeoutSeconds=soon", 'timeoutSeconds "soon" is no whole number'],
    ])("refuses ?%s", async (query, message) => {
      const refused = await ask("GET", `${POOLS}?${query}`);
      expect([refused.code, refused.body.kind]).toEqual([400, "Status"]);
      expect(refused.body.message).toContain(message);
    });

    it("refuses a name that no object can have", async () => {
      expect((await ask("GET", `${POOLS}/${"x".repeat(600)}`)).code).toBe(400);
      expect((await ask("GET", `${POOLS}/%zz`)).code).toBe(400);
      expect((await ask("GET", `${POOLS}/`)).code).toBe(404);
      expect((await ask("GET", `${POOLS}/a%2Fb`)).code).toBe(404);
    });

    it("answers 404 for what there is not: an object, a kind, a group", async () => {
      for (const path of [
        `${POOLS}/none`,
        "/apis/parasaus.io/v1/widgets",
        "/apis/apps/v1/deployments",
        "/api/v1/namespaces/shop/secrets",
      ]) {
        expect(await ask("GET", path)).toMatchObject({
          code: 404,
          body: { kind: "Status", reason: "NotFound" },
        });
      }
    });
  });

  describe("changing", () => {
    it.each([
      ["application/apply-patch+yaml", "without --server-side"],
      ["application/apply-patch+cbor", "without --server-side"],
      ["application/json", "use application/json-patch+json"],
      ["text/plain", "use application/json-patch+json"],
    ])("refuses a patch of type %s", async (type, message) => {
      await ask("POST", POOLS, pool("web"));
      const refused = await ask("PATCH", `${POOLS}/web`, "{}", { "content-type": type });
      expect([refused.code, refused.body.reason]).toEqual([415, "UnsupportedMediaType"]);
      expect(refused.body.message).toContain(message);
    });

    it("refuses bodies that are neither JSON nor YAML", async () => {
      const refused = await ask("POST", POOLS, "a=b", {
        "content-type": "application/x-www-form-urlencoded",
      });
      expect([refused.code, refused.body.reason]).toEqual([415, "UnsupportedMediaType"]);
    });

    it("refuses methods that a path does not have, and names those that it has", async () => {
      const cases = [
        ["POST", "/apis/parasaus.io/v1/pools", "GET"],
        ["PUT", POOLS, "GET, POST, DELETE"],
        ["POST", `${POOLS}/web`, "GET, PUT, PATCH, DELETE"],
        ["DELETE", "/apis/parasaus.io/v1/operations/x", "GET"],
      ] as const;
      for (const [method, path, allowed] of cases) {
        const refused = await ask(method, path);
        expect([refused.code, refused.body.reason, refused.headers.get("allow")]).toEqual([
          405,
          "MethodNotAllowed",
          allowed,
        ]);
      }
    });

    it("refuses to write under another name than the URL's", async () => {
      await ask("POST", POOLS, pool("web"));
      const refused = await ask("PUT", `${POOLS}/web`, pool("other"));
      expect([refused.code, refused.body.message]).toEqual([
        400,
        expect.stringContaining('name "other" is not the URL\'s "web"'),
      ]);
    });

    it("writes the status through its subresource alone", async () => {
      const { body } = await ask("POST", POOLS, pool("web"));
      const change = { ...body, spec: { ...body.spec, drainSeconds: 1 }, status: { conditions: [] } };
      const written = await ask("PUT", `${POOLS}/web/status`, change);
      expect(written.body).toMatchObject({ spec: { drainSeconds: 30 }, status: { conditions: [] } });
      expect((await ask("GET", `${POOLS}/web/status`)).body).toEqual(written.body);
    });
  });

  describe("deleting", () => {
    it("deletes what is selected, and nothing else", async () => {
      for (const name of ["a", "b"]) await ask("POST", POOLS, pool(name, { labels: { name } }));
      expect(names(await ask("DELETE", `${POOLS}?labelSelector=name%3Da`))).toEqual(["a"]);
      expect(names(await ask("GET", POOLS))).toEqual(["b"]);
    });

    it("refuses when the object is no longer the one that was meant", async () => {
      await ask("POST", POOLS, pool("web"));
      const refused = await ask("DELETE", `${POOLS}/web`, { preconditions: { uid: "another" } });
      expect([refused.code, refused.body.reason]).toEqual([409, "Conflict"]);
      expect((await ask("GET", `${POOLS}/web`)).code).toBe(200);
    });

    it.each(["namespaces//pools", "namespaces/%2F/pools", "namespaces/shop%2Fweb/pools"])(
      "does not take %s for all namespaces",
      async (path) => {
        await ask("POST", POOLS, pool("web"));
        for (const method of ["GET", "POST", "DELETE"]) {
          const refused = await ask(
            method,
            `/apis/parasaus.io/v1/${path}`,
            method === "POST" ? pool("x") : undefined,
          );
          expect([method, refused.code]).toEqual([method, 404]);
        }
        expect(names(await ask("GET", "/apis/parasaus.io/v1/pools"))).toEqual(["web"]);
      },
    );

    it("refuses to orphan dependents, and says that it does not wait for them", async () => {
      await ask("POST", POOLS, pool("web"));
      const orphan = await ask("DELETE", `${POOLS}/web`, { propagationPolicy: "Orphan" });
      expect([orphan.code, orphan.body.message]).toEqual([
        400,
        expect.stringContaining("cannot be orphaned"),
      ]);
      const foreground = await ask("DELETE", `${POOLS}/web?propagationPolicy=Foreground`);
      expect([foreground.code, foreground.headers.get("warning")]).toEqual([
        200,
        expect.stringContaining("in the background"),
      ]);
    });

    it("deletes nothing in a dry run, wherever the client asks for it", async () => {
      await ask("POST", POOLS, pool("web"));
      await ask("DELETE", `${POOLS}/web?dryRun=All`);
      await ask("DELETE", `${POOLS}/web`, { dryRun: ["All"] });
      expect((await ask("GET", `${POOLS}/web`)).code).toBe(200);
    });
  });
});
