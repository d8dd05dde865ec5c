import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { type LogFacts, silentLogger, systemClock } from "../../src/foundation/index.ts";
import { DEFINITIONS } from "../../src/model/index.ts";
import { createLocalResources, ensureBuiltins } from "../../src/resources/local/index.ts";
import { ensureCertificateAuthority } from "../../src/server/security/authority-in-store.ts";
import { openEmbeddedStore } from "../../src/store/embedded/index.ts";
import type { Store } from "../../src/store/index.ts";

const KEY = "/parasaus/security/authority";
let directory: string;
let store: Store;
let logged: (LogFacts | string)[];
const logger = {
  ...silentLogger,
  info: (event: string, facts: LogFacts = {}) => void logged.push(event, facts),
};
const surroundings = { clock: systemClock, logger };

const open = () => openEmbeddedStore({ directory, clock: systemClock, logger: silentLogger });
beforeEach(async () => {
  directory = mkdtempSync(path.join(tmpdir(), "parasaus-authority-"));
  store = await open();
  logged = [];
});
afterEach(async () => {
  await store[Symbol.asyncDispose]();
  rmSync(directory, { recursive: true });
});

it("is one for all servers that start at once on an empty store, and the same after a restart", async () => {
  const all = await Promise.all([1, 2, 3, 4].map(() => ensureCertificateAuthority(store, surroundings)));
  expect(new Set(all.map(({ certificate }) => certificate)).size).toBe(1);
  expect(logged.filter((each) => each === "certificate authority made")).toHaveLength(1);
  await store[Symbol.asyncDispose]();
  store = await open();
  expect(await ensureCertificateAuthority(store, surroundings)).toEqual(all[0]);
});

it("takes the other server's authority when that was faster between looking and writing", async () => {
  const other = await ensureCertificateAuthority(store, surroundings);
  let isFirstLook = true;
  const late: Store = Object.assign(Object.create(store) as Store, {
    get: (key: string) => {
      if (!isFirstLook) return store.get(key);
      isFirstLook = false;
      return Promise.resolve(undefined);
    },
    transact: (...words: Parameters<Store["transact"]>) => store.transact(...words),
  });
  expect(await ensureCertificateAuthority(late, surroundings)).toEqual(other);
  expect(isFirstLook).toBe(false);
});

it("shows its key in no object, no watch, no Operation and no line of the log", async () => {
  const { privateKey } = await ensureCertificateAuthority(store, surroundings);
  const secret = privateKey.split("\n")[1] ?? "";
  const resources = createLocalResources({ store, clock: systemClock, autoCreateNamespaces: true });
  await ensureBuiltins(resources);
  const ending = new AbortController();
  const seen: unknown[] = [logged];
  for (const definition of DEFINITIONS) {
    seen.push(await resources.list(definition));
    const events = resources.watch(definition, {
      resourceVersion: "1",
      bookmarks: true,
      signal: ending.signal,
    });
    seen.push((await events[Symbol.asyncIterator]().next()).value);
  }
  ending.abort();
  expect(JSON.stringify(seen)).toContain("node-ports");
  expect(JSON.stringify(seen)).not.toContain(secret);
  // The control: it is there, and where it is there it is found.
  expect((await store.get(KEY))?.value).toContain(secret);
  expect(readFileSync(path.join(directory, "store.mdb"), "latin1")).toContain(secret);
});

it("says that what is stored is none, and quotes nothing of it", async () => {
  const value = '{"certificate":"x","privateKey":"hunter2"}';
  await store.transact([], [{ kind: "put", key: KEY, value }]);
  const failure = await ensureCertificateAuthority(store, surroundings).catch((cause: unknown) => cause);
  expect(failure).toMatchObject({ code: "StoreCorrupt", message: expect.not.stringContaining("hunter2") });
  expect((await store.get(KEY))?.value).toBe(value);
});
