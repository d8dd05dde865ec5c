import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import type { AccountList, OperationPage, Overview, PoolDetail, PoolPage } from "../../src/model/index.ts";
import { type AccountWorld, openAccountWorld, type Shown } from "./account-world.ts";

const NAMESPACES = ["shop", "bank"] as const;

let world: AccountWorld;
let shopper: Shown;
let auditor: Shown;
let nobody: Shown;

async function read<Value>(shown: Shown, view: string): Promise<Value> {
  const { status, body } = await world.call(shown, "GET", `/api/console/${view}`);
  expect([view, status]).toEqual([view, 200]);
  return body as Value;
}

/** The first value of a view that is followed. */
async function firstLine<Value>(shown: Shown, view: string): Promise<Value> {
  const ended = new AbortController();
  const url = `${world.controlPlane.url}/api/console/${view}`;
  const answer = await fetch(`${url}${view.includes("?") ? "&" : "?"}watch=true`, {
    headers: shown,
    signal: ended.signal,
  });
  let text = "";
  const decoder = new TextDecoder();
  for await (const part of answer.body ?? []) {
    text += decoder.decode(part as Uint8Array, { stream: true });
    if (text.includes("\n")) break;
  }
  ended.abort();
  return JSON.parse(text.slice(0, text.indexOf("\n"))) as Value;
}

beforeAll(async () => {
  world = await openAccountWorld();
  await world.makeAccount("vic", "viewer", "shop");
  await world.makeAccount("ann", "viewer");
  await world.makeAccount("new");
  for (const namespace of NAMESPACES) {
    for (const name of ["web", "api"]) {
      const spec = { healthCheck: { type: "none" }, members: [{ ip: "10.0.0.1", port: 80 }] };
      const pool = { apiVersion: "parasaus.io/v1", kind: "Pool", metadata: { namespace, name }, spec };
      const where = `/apis/parasaus.io/v1/namespaces/${namespace}/pools`;
      expect((await world.call(world.owner, "POST", where, pool)).status).toBe(201);
    }
  }
  [shopper, auditor, nobody] = [
    await world.loginForToken("vic"),
    await world.loginForToken("ann"),
    await world.loginForToken("new"),
  ];
  const hasAll = async () => expect((await read<PoolPage>(auditor, "pools")).totalCount).toBe(4);
  await vi.waitFor(hasAll, { timeout: 20_000 });
}, 60_000);
afterAll(() => world[Symbol.asyncDispose]());

describe("who may see one namespace, in the console", () => {
  it.each([
    ["read once", read],
    ["followed", firstLine],
  ])("finds its pools and no others, and counts no others, %s", async (_how, ask) => {
    const own = await (ask as typeof read<PoolPage>)(shopper, "pools");
    expect(own).toMatchObject({ totalCount: 2, matchCount: 2 });
    expect(own.rows.map(({ namespace }) => namespace)).toEqual(["shop", "shop"]);
    expect(Object.values(own.states).reduce((sum, count) => sum + count, 0)).toBe(2);
    const sought = await (ask as typeof read<PoolPage>)(shopper, "pools?search=bank");
    expect(sought).toMatchObject({ totalCount: 2, matchCount: 0, rows: [] });
    expect((await (ask as typeof read<PoolPage>)(auditor, "pools?search=bank")).matchCount).toBe(2);
  });

  it("sees figures of its pools and members, and no nodes", async () => {
    const sum = ({ pools, members }: Overview) =>
      [pools, members].map((counts) => Object.values(counts).reduce((total, count) => total + count, 0));
    const own = await read<Overview>(shopper, "overview");
    expect(sum(own)).toEqual([2, 2]);
    expect(own.nodes).toBeUndefined();
    const all = await read<Overview>(auditor, "overview");
    expect([sum(all), all.nodes?.nodeCount]).toEqual([[4, 4], 0]);
  });

  it("sees operations on its objects, and neither others nor how many there are", async () => {
    const own = await read<OperationPage>(shopper, "operations");
    const isOwn = ({ namespace, kind, object }: OperationPage["rows"][number]) =>
      namespace === "shop" || (kind === "Account" && object === "vic");
    expect(own.rows.filter((row) => !isOwn(row))).toEqual([]);
    expect(own.rows.filter(({ namespace }) => namespace === "shop").length).toBe(2);
    expect(own.totalCount).toBe(own.rows.length);
    expect((await read<OperationPage>(shopper, "operations?search=bank")).rows).toEqual([]);
    const all = await read<OperationPage>(auditor, "operations?search=kind:pool");
    const [foreign] = all.rows.filter(({ namespace }) => namespace === "bank");
    const [known] = own.rows.filter(({ namespace }) => namespace === "shop");
    const open = async (shown: Shown, name = "") =>
      (await world.call(shown, "GET", `/api/console/operations/${name}`)).status;
    expect([await open(shopper, known?.name), await open(shopper, foreign?.name)]).toEqual([200, 404]);
    expect(await open(auditor, foreign?.name)).toBe(200);
    expect(new Set(all.rows.map(({ namespace }) => namespace))).toEqual(new Set(NAMESPACES));
  });

  it("opens its pools, and is refused those of others as if by the Kubernetes API", async () => {
    expect((await read<PoolDetail>(shopper, "pools/shop/web")).pool.metadata.namespace).toBe("shop");
    for (const where of ["pools/bank/web", "pools/bank/web?watch=true", "pools/bank/none", "nodes"])
      expect([where, (await world.call(shopper, "GET", `/api/console/${where}`)).status]).toEqual([
        where,
        403,
      ]);
  });

  it("sees the own account with its roles, and no other", async () => {
    const own = await read<AccountList>(shopper, "accounts");
    const bound = [{ namespace: "shop", role: "viewer", binding: "vic.viewer" }];
    expect(own.accounts).toMatchObject([{ name: "vic", bound, isDisabled: false }]);
    const all = await read<AccountList>(world.owner, "accounts");
    expect(all.accounts.map(({ name }) => name)).toEqual(["ann", "new", "vic"]);
    expect(all.accounts.map(({ lastLogin = "" }) => Date.parse(lastLogin) > 0)).toEqual([true, true, true]);
  });

  it("sees nothing at all without any role", async () => {
    expect(await read<PoolPage>(nobody, "pools")).toMatchObject({ totalCount: 0, rows: [] });
    const { ailingCount, pools } = await read<Overview>(nobody, "overview");
    expect([ailingCount, ...Object.values(pools)].every((count) => count === 0)).toBe(true);
    const { rows } = await read<OperationPage>(nobody, "operations");
    expect(rows.filter(({ kind, object }) => kind !== "Account" || object !== "new")).toEqual([]);
  });
});
