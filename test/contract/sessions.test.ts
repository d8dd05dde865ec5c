import http from "node:http";
import { afterEach, beforeEach, expect, it } from "vitest";
import { type AccountWorld, openAccountWorld, PASSWORD, type Shown } from "./account-world.ts";
import { etcdWorld } from "./etcd-world.ts";

const API = "/apis/parasaus.io/v1";
const MOST_LATE_MS = 1_000;
/** Two servers start, each with a certificate of its own, maybe beside other tests. */
const HOOK_TIMEOUT_MS = 180_000;
const PATIENCE = { timeout: 20_000, interval: 20 };
const etcd = etcdWorld();
let worlds: readonly AccountWorld[];
const at = (index: number): AccountWorld => worlds[index] as AccountWorld;

beforeEach(async () => {
  etcd.cluster().wipe();
  const store = `etcd://${etcd.cluster().endpoints[0]}`;
  worlds = [await openAccountWorld({ store }), await openAccountWorld({ store })];
  await at(0).makeAccount("ann", "viewer");
  await at(0).makeAccount("bob", "viewer");
}, HOOK_TIMEOUT_MS);
afterEach(() => Promise.all(worlds.map((world) => world[Symbol.asyncDispose]())));

/** A watch of the pools that goes on until somebody ends it: when, monotonic milliseconds. */
async function watchAt(index: number, shown: Shown) {
  const url = `${at(index).controlPlane.url}${API}/pools?watch=true&allowWatchBookmarks=true`;
  const response = await new Promise<http.IncomingMessage>((resolve, reject) => {
    http.get(url, { headers: shown, agent: false }, resolve).once("error", reject);
  });
  expect(response.statusCode).toBe(200);
  const state: { endedMs?: number; received: number } = { received: 0 };
  response.on("data", () => {
    state.received += 1;
  });
  response.on("error", () => undefined);
  response.once("close", () => {
    state.endedMs = performance.now();
  });
  return { state, end: () => response.destroy() };
}

const statusAt = async (index: number, shown: Shown) =>
  (await at(index).call(shown, "GET", `${API}/pools`)).status;

/** When the last request began that the server still allowed, monotonic milliseconds. */
async function lastAllowed(
  index: number,
  { cookie }: { readonly cookie: Shown },
  startedMs: number,
): Promise<number> {
  for (let lastMs = startedMs; ; ) {
    const begunMs = performance.now();
    if ((await statusAt(index, cookie)) !== 200) return lastMs;
    lastMs = begunMs;
  }
}

type Change = (session: { readonly csrf: Shown }) => Promise<unknown>;
const patchAccount = (spec: object) => () =>
  at(1).call(at(1).owner, "PATCH", `${API}/accounts/ann`, { spec }, "application/merge-patch+json");
const CHANGES: readonly (readonly [string, Change])[] = [
  ["logout", ({ csrf }) => at(0).call(csrf, "POST", "/api/logout", {})],
  [
    "a change of the password",
    ({ csrf }) => {
      const next = "another horse battery";
      return at(0).call(csrf, "POST", "/api/password", { current: PASSWORD, next });
    },
  ],
  ["disabling the account", patchAccount({ disabled: true })],
  ["taking its role away", patchAccount({ role: null })],
  ["deleting the account", () => at(1).call(at(1).owner, "DELETE", `${API}/accounts/ann`)],
];

it.each(CHANGES)(
  "%s ends the session, and what it has open, at every server within a second",
  async (name, change) => {
    const [ann, bob] = [await at(0).login("ann"), await at(0).login("bob")];
    const watches = await Promise.all([
      watchAt(0, ann.cookie),
      watchAt(1, ann.cookie),
      watchAt(1, bob.cookie),
    ]);
    const [first, second, other] = watches;
    expect([await statusAt(0, ann.cookie), await statusAt(1, ann.cookie)]).toEqual([200, 200]);
    const startedMs = performance.now();
    await change(ann);
    const refusedMs =
      Math.max(...(await Promise.all([0, 1].map((index) => lastAllowed(index, ann, startedMs))))) - startedMs;
    await expect
      .poll(() => [first, second].every((watch) => watch?.state.endedMs !== undefined), PATIENCE)
      .toBe(true);
    const endedMs = Math.max(...[first, second].map((watch) => watch?.state.endedMs ?? 0)) - startedMs;
    process.stdout.write(
      `${name}: last request that 2 servers allowed began after ${Math.round(refusedMs)} ms, 2 watches ended after ${Math.round(endedMs)} ms\n`,
    );
    expect(Math.max(refusedMs, endedMs)).toBeLessThan(MOST_LATE_MS);
    // The control: another's session and watch go on.
    const before = other?.state.received ?? 0;
    await expect.poll(() => other?.state.received, PATIENCE).toBeGreaterThan(before);
    expect([other?.state.endedMs, await statusAt(1, bob.cookie)]).toEqual([undefined, 200]);
    for (const watch of watches) watch.end();
  },
);

it("a session that one server began counts at the other at once, and does not come back with an account of the same name", async () => {
  for (let round = 0; round < 10; round += 1) {
    const { cookie } = await at(round % 2).login("ann");
    expect(await statusAt((round + 1) % 2, cookie)).toBe(200);
  }
  const { cookie } = await at(0).login("ann");
  await at(0).call(at(0).owner, "DELETE", `${API}/accounts/ann`);
  await at(0).makeAccount("ann", "viewer");
  await expect.poll(() => statusAt(1, cookie), PATIENCE).toBe(401);
  expect(await statusAt(0, cookie)).toBe(401);
  // The control: who logs in to the new account is in.
  expect(await statusAt(1, (await at(0).login("ann")).cookie)).toBe(200);
});
