import { readdirSync, readFileSync, statSync } from "node:fs";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type AccountWorld, openAccountWorld, PASSWORD } from "./account-world.ts";

const API = "/apis/parasaus.io/v1";
const pool = (namespace: string, name = "web") => ({
  ...{ apiVersion: "parasaus.io/v1", kind: "Pool" },
  metadata: { name, namespace },
  spec: { healthCheck: { type: "none" }, members: [] },
});

describe("the first administrator", () => {
  it("makes himself with the code that is shown once, which is used up by it, and is no default password", async () => {
    await using world = await openAccountWorld();
    const { firstCode: code = "" } = world.controlPlane;
    expect(code).toMatch(/^[a-z2-9]{5}(-[a-z2-9]{5}){3}$/);
    const become = (asked: object) =>
      world.call({}, "POST", "/api/first-administrator", { name: "ann", password: PASSWORD, code, ...asked });
    expect((await become({ code: code.replace(/.$/, "9x") })).status).toBe(401);
    expect((await become({ password: "short" })).status).toBe(422);
    expect((await become({ name: "No Name" })).status).toBe(422);
    const both = await Promise.all([become({}), become({ name: "bob" })]);
    expect(both.map(({ status }) => status).sort()).toEqual([200, 401]);
    expect((await become({ name: "eve" })).status).toBe(401);
    const winner = both[0]?.status === 200 ? "ann" : "bob";
    const session = await world.login(winner);
    expect((await world.call(session.cookie, "GET", `${API}/accounts`)).status).toBe(200);
    const records = JSON.stringify(await world.operations());
    expect(records).not.toContain(code);
    expect(records).not.toContain(PASSWORD);
  });

  it("is not asked for again after a restart, nor when there are accounts", async () => {
    await using world = await openAccountWorld();
    expect(world.controlPlane.firstCode).toBeDefined();
    await world.makeAccount("ann");
    const files = readdirSync(world.directory);
    expect(files).toEqual(expect.arrayContaining(["operator.token", "agent.token", "store"]));
    for (const file of ["operator.token", "agent.token"])
      expect(statSync(path.join(world.directory, file)).mode & 0o777).toBe(0o600);
  });
});

describe("accounts", () => {
  let world: AccountWorld;
  beforeAll(async () => {
    world = await openAccountWorld();
    await world.makeAccount("ann", "admin");
    await world.makeAccount("olga", "operator", "shop");
    await world.makeAccount("vic", "viewer", "shop");
  });
  afterAll(() => world[Symbol.asyncDispose]());

  it("let nobody in who shows nothing, or something that is worth nothing", async () => {
    for (const shown of [
      {},
      { authorization: `Bearer ${"0".repeat(64)}` },
      { authorization: "Bearer x", "x-parasaus-node": "n1" },
      { cookie: "__Host-parasaus=x" },
      { "x-parasaus-operator": "ann" },
    ])
      expect((await world.call(shown, "GET", `${API}/pools`)).status).toBe(401);
    expect((await world.call({}, "GET", "/livez")).status).toBe(200);
    // The control: the owner is let in.
    expect((await world.call(world.owner, "GET", `${API}/pools`)).status).toBe(200);
  });

  it("log in with a cookie that only this host gets over TLS, that no script reads and no foreign page sends", async () => {
    const { headers, status } = await world.call({}, "POST", "/api/login", {
      name: "ann",
      password: PASSWORD,
    });
    expect(status).toBe(200);
    expect(headers.get("set-cookie")).toMatch(
      /^__Host-parasaus=[0-9a-f]{64}; Path=\/; Max-Age=\d+; Secure; HttpOnly; SameSite=Strict$/,
    );
    expect(headers.get("cache-control")).toBe("no-store");
  });

  it("say nothing of what was wrong with a login, and record it without what was typed", async () => {
    const tries = [
      { name: "ann", password: "wrong horse battery" },
      { name: "hunter2-typed-here", password: PASSWORD },
      { name: "../accounts/ann", password: PASSWORD },
    ];
    const answers = await Promise.all(tries.map((each) => world.call({}, "POST", "/api/login", each)));
    const messages = answers.map(({ status, body }) => `${status} ${body["message"]}`);
    expect(new Set(messages)).toEqual(new Set(["401 Cannot log in: name or password is wrong"]));
    const refused = (await world.operations()).filter(({ spec }) => spec.message?.startsWith("login"));
    expect(refused.map(({ spec }) => [spec.operator, spec.object.name, spec.message]).sort()).toEqual([
      ["ann", "ann", "login: wrong password, or disabled"],
      ["anonymous", "", "login: no such account"],
      ["anonymous", "", "login: no such account"],
    ]);
    expect(JSON.stringify(refused)).not.toContain("hunter2");
  });

  it("may what their roles say where they have them, and are recorded by name, address and session", async () => {
    const olga = await world.loginForToken("olga");
    const vic = await world.loginForToken("vic");
    const create = (shown: object, namespace: string) =>
      world.call({ ...shown }, "POST", `${API}/namespaces/${namespace}/pools`, pool(namespace));
    expect((await create(vic, "shop")).body).toMatchObject({
      code: 403,
      message:
        'pools.parasaus.io is forbidden: the account "vic" cannot create pools.parasaus.io in the namespace "shop"',
    });
    expect((await create(olga, "bank")).status).toBe(403);
    expect((await create(olga, "shop")).status).toBe(201);
    expect((await world.call(vic, "GET", `${API}/namespaces/shop/pools/web`)).status).toBe(200);
    expect((await world.call(vic, "GET", `${API}/pools`)).status).toBe(403);
    const record = (await world.operations()).find(
      ({ spec }) => spec.verb === "create" && spec.object.kind === "Pool",
    );
    expect(record?.spec).toMatchObject({ operator: "olga", source: "127.0.0.1", credential: "session" });
  });

  it("are nobody else, whatever they say", async () => {
    const olga = await world.loginForToken("olga");
    const route = `${API}/namespaces/shop/pools`;
    const claimed = { ...olga, "x-parasaus-operator": "ann" };
    expect((await world.call(claimed, "POST", route, pool("shop", "claimed"))).status).toBe(201);
    const record = (await world.operations()).find(({ spec }) => spec.object.name === "claimed");
    expect(record?.spec.operator).toBe("olga");
    const acting = { ...olga, "impersonate-user": "ann" };
    const refused = await world.call(acting, "POST", route, pool("shop", "acting"));
    expect([refused.status, refused.body["message"]]).toEqual([
      403,
      'Cannot act as "ann": "olga" is nobody else',
    ]);
  });

  it("need more than the cookie to change anything, so that no foreign page makes them", async () => {
    const { cookie, csrf } = await world.login("olga");
    const route = `${API}/namespaces/shop/pools`;
    const create = (shown: object, name: string) =>
      world.call({ ...shown }, "POST", route, pool("shop", name));
    expect((await create(cookie, "forged")).body).toMatchObject({ code: 403 });
    expect((await create({ ...cookie, "x-csrf-token": "x" }, "forged")).status).toBe(403);
    expect((await create({ ...csrf, origin: "http://evil.example" }, "forged")).status).toBe(403);
    expect((await world.call({ ...cookie, origin: "http://localhost:1" }, "GET", route)).status).toBe(403);
    expect((await world.call(cookie, "GET", route)).status).toBe(200);
    expect((await create(csrf, "meant")).status).toBe(201);
    // A session of a cookie is none for a program, nor the other way round.
    const bearer = { authorization: `Bearer ${cookie["cookie"]?.replace(/.*=/, "")}` };
    expect((await world.call(bearer, "GET", route)).status).toBe(401);
    const { authorization = "" } = await world.loginForToken("olga");
    const turned = { cookie: `__Host-parasaus=${authorization.replace("Bearer ", "")}` };
    expect((await world.call(turned, "GET", route)).status).toBe(401);
  });

  it("are told who they are and what they may", async () => {
    const { cookie } = await world.login("olga");
    expect((await world.call(cookie, "GET", "/api/whoami")).body).toMatchObject({
      ...{ kind: "account", name: "olga", role: null, namespaces: { shop: "operator" }, needsNoLogin: false },
      csrfToken: expect.stringMatching(/^[0-9a-f]{64}$/),
    });
  });

  it("show no password, session or token anywhere, and the store holds none", async () => {
    const { csrf } = await world.login("ann");
    const made = await world.call(csrf, "POST", "/api/tokens", { name: "ci", lifetimeSeconds: 60 });
    const token = String(made.body["token"]);
    const secrets = [PASSWORD, token, csrf["cookie"]?.replace(/.*=/, "") ?? ""];
    const shown = await Promise.all(
      [`${API}/accounts`, `${API}/apitokens`, `${API}/operations`, "/internal/v1/backup"].map((route) =>
        world.call(world.owner, "GET", route),
      ),
    );
    const file = readFileSync(path.join(world.directory, "store/store.mdb"), "latin1");
    for (const secret of secrets)
      for (const text of [JSON.stringify(shown.map(({ body }) => body)), file])
        expect(text.includes(secret)).toBe(false);
    // The control: what is stored of them is found, and of a password it is argon2id.
    expect(file).toContain("$argon2id$v=19$m=19456,t=2,p=1$");
    expect(JSON.stringify(shown.map(({ body }) => body))).not.toContain("argon2id");
  });

  it("make tokens that reach no further than they say, and end", async () => {
    const { csrf } = await world.login("ann");
    const make = (more: object) => world.call(csrf, "POST", "/api/tokens", { lifetimeSeconds: 60, ...more });
    const scoped = await make({ name: "scoped", role: "viewer", namespaces: ["shop"] });
    const shown = { authorization: `Bearer ${scoped.body["token"]}` };
    const statuses = async (who: object) =>
      Promise.all(
        [`${API}/namespaces/shop/pools`, `${API}/namespaces/bank/pools`, `${API}/accounts`, "/metrics"].map(
          async (route) => (await world.call({ ...who }, "GET", route)).status,
        ),
      );
    expect(await statuses(shown)).toEqual([200, 403, 403, 403]);
    expect(
      (await world.call(shown, "POST", "/api/tokens", { name: "more", lifetimeSeconds: 60 })).status,
    ).toBe(403);
    const short = await make({ name: "short", lifetimeSeconds: 1 });
    const briefly = { authorization: `Bearer ${short.body["token"]}` };
    expect((await world.call(briefly, "GET", "/version")).status).toBe(200);
    await expect
      .poll(async () => (await world.call(briefly, "GET", "/version")).status, { timeout: 5_000 })
      .toBe(401);
    const removed = await world.call(csrf, "DELETE", `${API}/apitokens/ann.scoped`);
    expect(removed.status).toBe(200);
    await expect.poll(() => statuses(shown), { timeout: 1_000 }).toEqual([401, 401, 401, 401]);
  });

  it("are held up after many failures, each by itself, and told when to come again", async () => {
    await world.makeAccount("target");
    const fail = () => world.call({}, "POST", "/api/login", { name: "target", password: "not the password" });
    const codes: number[] = [];
    for (let count = 0; count < 12; count += 1) codes.push((await fail()).status);
    expect(codes.slice(0, 10)).toEqual(new Array(10).fill(401));
    const held = await fail();
    expect([held.status, Number(held.headers.get("retry-after"))]).toEqual([429, expect.any(Number)]);
    // Also who knows the password: it cannot be found out by who comes back sooner.
    const right = await world.call({}, "POST", "/api/login", { name: "target", password: PASSWORD });
    expect(right.status).toBe(429);
    // The control: another account gets in.
    expect((await world.call({}, "POST", "/api/login", { name: "vic", password: PASSWORD })).status).toBe(
      200,
    );
  });

  it.each([
    ["short", "it has 5 characters, expected 12 or more"],
    ["x".repeat(300), "it is longer than 256 bytes"],
    ["aaaaaaaaaaaab", "it has fewer than five different characters"],
    ["annann-2026", "it has 11 characters"],
  ])("refuse the password %j, and do not repeat it", async (password, why) => {
    const { status, body } = await world.call(world.owner, "POST", "/api/accounts/ann/password", {
      password,
    });
    expect([status, String(body["message"])]).toEqual([422, expect.stringContaining(why)]);
  });
});
