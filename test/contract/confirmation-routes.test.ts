import { afterAll, beforeAll, expect, it } from "vitest";
import { type AccountWorld, openShopWorld, type Shown } from "./account-world.ts";

const POOLS = "/apis/parasaus.io/v1/namespaces/shop/pools";
/** The shortest there is. */
const WITHIN_SECONDS = 5;

let world: AccountWorld;
let olga: Shown;
let vic: Shown;
beforeAll(async () => {
  ({ world, olga, vic } = await openShopWorld());
});
afterAll(() => world[Symbol.asyncDispose]());

const poolOf = (name: string, namespace = "shop") => ({
  ...{ apiVersion: "parasaus.io/v1", kind: "Pool", metadata: { name, namespace } },
  spec: { healthCheck: { type: "none" }, members: [] },
});
const apply = (objects: readonly object[], more: object = {}, shown = olga) =>
  world.call(shown, "POST", "/api/apply", { objects, ...more });
const waiting = { confirmWithinSeconds: WITHIN_SECONDS };
const confirm = (id: string, shown = olga) => world.call(shown, "POST", `/api/confirmations/${id}`, {});
const status = async (name: string) => (await world.call(olga, "GET", `${POOLS}/${name}`)).status;

it("takes back over HTTP what is not confirmed, keeps what is, and is for who may write the objects", async () => {
  const kept = await apply([poolOf("kept")], waiting);
  const gone = await apply([poolOf("gone")], waiting);
  expect([kept.status, kept.body["outcomes"]]).toEqual([200, ["created"]]);
  const { id } = kept.body["confirmation"] as { id: string };
  const late = (gone.body["confirmation"] as { id: string }).id;
  expect((await confirm(id, vic)).status).toBe(403);
  expect((await confirm("nothing")).status).toBe(404);
  const seen = await world.call(vic, "GET", "/api/confirmations");
  const states = (seen.body["items"] as readonly { id: string; state: string }[]).map(({ state }) => state);
  expect(states).toEqual(["pending", "pending"]);
  expect((await confirm(id)).body).toMatchObject({
    state: "confirmed",
    confirmedBy: "olga",
    operator: "olga",
  });
  expect((await confirm(id)).status).toBe(200);
  expect([await status("kept"), await status("gone")]).toEqual([200, 200]);
  await expect.poll(() => status("gone"), { timeout: 20_000, interval: 100 }).toBe(404);
  expect(await status("kept")).toBe(200);
  const refused = await confirm(late);
  expect([refused.status, refused.body["message"]]).toEqual([
    ...[409, expect.stringContaining(`Cannot confirm "${late}": its time was up`)],
  ]);
});

it("applies all or nothing, and nothing that who asks may not write", async () => {
  expect((await apply([poolOf("one"), poolOf("two", "bank")])).status).toBe(403);
  expect(await status("one")).toBe(404);
  const dry = await apply([poolOf("one")], { ...waiting, dryRun: true });
  expect([dry.status, dry.body["confirmation"], await status("one")]).toEqual([200, undefined, 404]);
  expect((await apply([poolOf("one")], { confirmWithinSeconds: "soon" })).status).toBe(400);
  expect((await apply([poolOf("one")])).body).toMatchObject({ outcomes: ["created"], warnings: [] });
  expect((await apply([poolOf("one")], waiting)).body).toEqual({
    outcomes: ["unchanged"],
    objects: [],
    warnings: [],
  });
});
