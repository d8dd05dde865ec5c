import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type ErrorCode, hasCode, ParasausError } from "../../src/foundation/index.ts";
import {
  type KubeObject,
  namespaceDefinition,
  nodeDefinition,
  type Operation,
  operationDefinition,
  type Pool,
  poolDefinition,
  serviceDefinition,
} from "../../src/model/index.ts";
import type { Resources, WatchEvent, WatchOptions } from "../../src/resources/index.ts";

/** What the suite needs besides the resources. */
export interface ResourcesUnderTest {
  readonly resources: Resources;
  /** Closes what is underneath and opens it again on what it stored. */
  readonly reopen: () => Promise<Resources>;
  /** Forgets the history up to now. */
  readonly forgetHistory: () => Promise<void>;
  /** Lets `ms` pass for bookmarks. */
  readonly pass: (ms: number) => Promise<void>;
}

const alice = { operator: "alice" };
const controller = { operator: "system:test" };
const member = (port: number, more: object = {}) => ({ ip: "10.0.0.1", port, ...more });

function poolInput(name: string, spec: object = {}, metadata: object = {}) {
  return { metadata: { name, namespace: "shop", ...metadata }, spec: { members: [member(80)], ...spec } };
}

const web = { definition: poolDefinition, namespace: "shop", name: "web" };

/** Every Resources must pass this; the local and the remote one run the same list. */
export function describeResources(name: string, open: () => Promise<ResourcesUnderTest>): void {
  describe(`Resources contract: ${name}`, () => {
    let stop = new AbortController();
    beforeEach(() => {
      stop = new AbortController();
    });
    afterEach(() => stop.abort());

    describe("creating", () => {
      it("returns the stored object, with defaults and what the server keeps", async () => {
        const { resources } = await open();
        const pool = await resources.create(poolDefinition, poolInput("web"), alice);
        expect(pool).toMatchObject({
          apiVersion: "parasaus.io/v1",
          kind: "Pool",
          metadata: { name: "web", namespace: "shop", generation: 1 },
          spec: {
            scheduler: "rr",
            forwarding: "fullnat",
            members: [{ ip: "10.0.0.1", port: 80 }],
          },
        });
        expect(pool.metadata.uid).toMatch(/^[0-9a-f-]{36}$/);
        expect(pool.metadata.creationTimestamp).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
        expect(Number(pool.metadata.resourceVersion)).toBeGreaterThan(0);
        expect(await resources.get(web)).toEqual(pool);
      });

      it("refuses a name that is taken, and leaves what has it alone", async () => {
        const { resources } = await open();
        const first = await resources.create(poolDefinition, poolInput("web"), alice);
        const failure = await refused(
          resources.create(poolDefinition, poolInput("web", { members: [] }), alice),
          "AlreadyExists",
        );
        expect(failure.message).toBe('pools.parasaus.io "web" already exists');
        expect(await resources.get(web)).toEqual(first);
      });

      it("makes up a name from generateName", async () => {
        const { resources } = await open();
        const input = { metadata: { generateName: "web-", namespace: "shop" }, spec: {} };
        const names = await Promise.all(
          Array.from(
            { length: 50 },
            async () => (await resources.create(poolDefinition, input, alice)).metadata.name,
          ),
        );
        expect(new Set(names).size).toBe(50);
        for (const each of names) expect(each).toMatch(/^web-[a-z0-9]{5}$/);
      });

      it("names the wrong field and stores nothing", async () => {
        const { resources } = await open();
        const input = poolInput("web", { members: [member(80), member(0)] });
        const failure = await refused(resources.create(poolDefinition, input, alice), "Invalid");
        expect(failure.message).toMatch(
          /^Pool\.parasaus\.io "web" is invalid: spec\.members\[1\]\.port: Invalid value: 0: must be between 1 and 65535/,
        );
        expect(failure.fields.map(({ field }) => field)).toEqual(["spec.members[1].port"]);
        await refused(resources.get(web), "NotFound");
      });

      it("refuses an unknown field under Strict, drops it with a warning under Warn, drops it under Ignore", async () => {
        const { resources } = await open();
        const input = (name: string) => poolInput(name, { colour: "red" });
        await refused(resources.create(poolDefinition, input("strict"), alice), "BadRequest");
        const warnings: string[] = [];
        const onWarning = (message: string) => void warnings.push(message);
        const warned = await resources.create(poolDefinition, input("warn"), {
          ...alice,
          fieldValidation: "Warn",
          onWarning,
        });
        const ignored = await resources.create(poolDefinition, input("ignore"), {
          ...alice,
          fieldValidation: "Ignore",
          onWarning,
        });
        expect(warnings).toEqual(['unknown field "spec.colour"']);
        for (const each of [warned, ignored]) expect((each as Pool).spec).not.toHaveProperty("colour");
      });

      it("answers a dry run like the real one, and stores nothing", async () => {
        const { resources } = await open();
        const dry = await resources.create(poolDefinition, poolInput("web"), { ...alice, dryRun: true });
        expect(dry).toMatchObject({ metadata: { name: "web" }, spec: { scheduler: "rr" } });
        await refused(resources.get(web), "NotFound");
        await refused(
          resources.create(poolDefinition, poolInput("web", { port: 0 }), { ...alice, dryRun: true }),
          "Invalid",
        );
      });

      it("keeps the status for whoever writes the status", async () => {
        const { resources } = await open();
        const input = { ...poolInput("web"), status: { conditions: [] } };
        expect(await resources.create(poolDefinition, input, alice)).not.toHaveProperty("status");
      });

      it("creates 1,000 objects at once, each with its own revision", async () => {
        const { resources } = await open();
        const created = await Promise.all(
          Array.from({ length: 1_000 }, (_, index) =>
            resources.create(poolDefinition, poolInput(`web-${index}`), controller),
          ),
        );
        expect(new Set(created.map((pool) => pool.metadata.resourceVersion)).size).toBe(1_000);
        expect((await resources.list(poolDefinition)).items).toHaveLength(1_000);
      });
    });

    describe("updating", () => {
      it("raises the generation with the spec, and with nothing else", async () => {
        const { resources } = await open();
        const pool = (await resources.create(poolDefinition, poolInput("web"), alice)) as Pool;
        const labelled = await resources.update(web, withLabels(pool, { tier: "front" }), alice);
        expect(labelled.metadata.generation).toBe(1);
        const changed = await resources.update(web, poolInput("web", { scheduler: "wrr" }), alice);
        expect(changed.metadata.generation).toBe(2);
        const status = { connectAddresses: [{ ip: "*", port: 30_000, protocol: "TCP" }] };
        const told = await resources.update(
          web,
          { ...changed, status },
          { ...controller, subresource: "status" },
        );
        expect(told.metadata.generation).toBe(2);
        expect(told).toMatchObject({ status, spec: { scheduler: "wrr" } });
      });

      it("leaves the status alone in an ordinary write, and everything else in a status write", async () => {
        const { resources } = await open();
        const pool = await resources.create(poolDefinition, poolInput("web"), alice);
        const status = { connectAddresses: [{ ip: "*", port: 30_000, protocol: "TCP" }] };
        const other = {
          ...pool,
          spec: { members: [] },
          metadata: { ...pool.metadata, labels: { a: "b" } },
          status,
        };
        const told = await resources.update(web, other, { ...controller, subresource: "status" });
        expect(told).toMatchObject({ status, spec: (pool as Pool).spec });
        expect(told.metadata.labels).toBeUndefined();
        const { status: _, ...withoutStatus } = told as Pool;
        const changed = await resources.update(web, { ...withoutStatus, spec: { members: [] } }, alice);
        expect(changed).toMatchObject({ status, spec: { members: [] } });
      });

      it("refuses a stale resourceVersion, and takes none as unconditional", async () => {
        const { resources } = await open();
        const old = await resources.create(poolDefinition, poolInput("web"), alice);
        await resources.update(web, poolInput("web", { scheduler: "wrr" }), alice);
        const failure = await refused(resources.update(web, withLabels(old, { a: "b" }), alice), "Conflict");
        expect(failure.message).toMatch(/the object has been modified/);
        expect(await resources.get(web)).toMatchObject({ spec: { scheduler: "wrr" } });
      });

      it("refuses the update of an object that was deleted and made again", async () => {
        const { resources } = await open();
        const old = await resources.create(poolDefinition, poolInput("web"), alice);
        await resources.delete(web, alice);
        await resources.create(poolDefinition, poolInput("web"), alice);
        const { resourceVersion, ...metadata } = old.metadata;
        await refused(resources.update(web, { ...old, metadata }, alice), "Conflict");
      });

      it("loses no update when many write with what they read", async () => {
        const { resources } = await open();
        await resources.create(poolDefinition, poolInput("web", { drainSeconds: 0 }), controller);
        const increments = Array.from({ length: 40 }, () => incrementDrainSeconds(resources));
        const conflicts = (await Promise.all(increments)).reduce((sum, each) => sum + each, 0);
        expect(await resources.get(web)).toMatchObject({ spec: { drainSeconds: 40 } });
        expect(conflicts).toBeGreaterThan(0);
      });

      it("loses no unconditional patch of different fields", async () => {
        const { resources } = await open();
        await resources.create(poolDefinition, poolInput("web"), controller);
        const patches = Array.from({ length: 100 }, (_, index) =>
          resources.patch(
            web,
            { type: "merge", body: { metadata: { labels: { [`key-${index}`]: "x" } } } },
            controller,
          ),
        );
        await Promise.all(patches);
        expect(Object.keys((await resources.get(web)).metadata.labels ?? {})).toHaveLength(100);
      });

      it("writes nothing when nothing changes", async () => {
        const { resources } = await open();
        const pool = await resources.create(poolDefinition, poolInput("web"), alice);
        const again = await resources.update(web, poolInput("web"), alice);
        const patched = await resources.patch(
          web,
          { type: "merge", body: { spec: { scheduler: "rr" } } },
          alice,
        );
        for (const each of [again, patched]) expect(each).toEqual(pool);
      });

      it("refuses what does not exist, another name, and read-only kinds", async () => {
        const { resources } = await open();
        const missing = await refused(resources.update(web, poolInput("web"), alice), "NotFound");
        expect(missing.message).toBe('pools.parasaus.io "web" not found');
        await resources.create(poolDefinition, poolInput("web"), alice);
        await refused(resources.update(web, poolInput("other"), alice), "BadRequest");
        const [operation] = (await resources.list(operationDefinition)).items;
        const reference = { definition: operationDefinition, name: operation?.metadata.name ?? "" };
        await refused(resources.update(reference, operation, alice), "MethodNotAllowed");
        await refused(resources.delete(reference, alice), "MethodNotAllowed");
        await refused(resources.create(operationDefinition, operation, alice), "MethodNotAllowed");
      });
    });

    describe("deleting", () => {
      it("returns the object as it was last, and it is gone", async () => {
        const { resources } = await open();
        const pool = await resources.create(poolDefinition, poolInput("web"), alice);
        expect((await resources.delete(web, alice)).metadata.uid).toBe(pool.metadata.uid);
        await refused(resources.get(web), "NotFound");
        await refused(resources.delete(web, alice), "NotFound");
      });

      it("refuses when a precondition does not hold", async () => {
        const { resources } = await open();
        const pool = await resources.create(poolDefinition, poolInput("web"), alice);
        await resources.update(web, poolInput("web", { scheduler: "wrr" }), alice);
        await refused(resources.delete(web, { ...alice, preconditions: { uid: "other" } }), "Conflict");
        const { resourceVersion = "" } = pool.metadata;
        await refused(resources.delete(web, { ...alice, preconditions: { resourceVersion } }), "Conflict");
        await resources.delete(web, { ...alice, preconditions: { uid: pool.metadata.uid ?? "" } });
      });

      it("waits for every finalizer, then the object goes", async () => {
        const { resources } = await open();
        const finalizers = ["parasaus.io/one", "parasaus.io/two"];
        await resources.create(poolDefinition, poolInput("web", {}, { finalizers }), alice);
        const deleted = await resources.delete(web, alice);
        expect(deleted.metadata.deletionTimestamp).toBeDefined();
        expect(await resources.get(web)).toEqual(deleted);
        expect(await resources.delete(web, alice)).toEqual(deleted);
        const one = await resources.update(web, withFinalizers(deleted, ["parasaus.io/two"]), controller);
        expect(one.metadata.deletionTimestamp).toBe(deleted.metadata.deletionTimestamp);
        await refused(resources.update(web, withFinalizers(one, ["parasaus.io/new"]), controller), "Invalid");
        await resources.update(web, withFinalizers(one, []), controller);
        await refused(resources.get(web), "NotFound");
      });
    });

    describe("listing", () => {
      it("gives namespace and name order, of all namespaces or of one", async () => {
        const { resources } = await open();
        for (const [namespace, name] of [
          ["b", "x"],
          ["a", "z"],
          ["a", "y"],
        ]) {
          await resources.create(poolDefinition, { metadata: { name, namespace }, spec: {} }, alice);
        }
        expect(namesOf(await resources.list(poolDefinition))).toEqual(["a/y", "a/z", "b/x"]);
        expect(namesOf(await resources.list(poolDefinition, { namespace: "a" }))).toEqual(["a/y", "a/z"]);
        expect(namesOf(await resources.list(serviceDefinition))).toEqual([]);
      });

      it.each([
        ["app=web", ["shop/a", "shop/b"]],
        ["app in (web,db),tier!=back", ["shop/a", "shop/c"]],
        ["!tier", ["shop/a", "shop/c"]],
        ["tier", ["shop/b"]],
      ])("selects by the labels %s", async (labelSelector, expected) => {
        const { resources } = await open();
        const labels = { a: { app: "web" }, b: { app: "web", tier: "back" }, c: { app: "db" } };
        for (const [each, set] of Object.entries(labels)) {
          await resources.create(poolDefinition, poolInput(each, {}, { labels: set }), alice);
        }
        expect(namesOf(await resources.list(poolDefinition, { labelSelector }))).toEqual(expected);
      });

      it("selects by name", async () => {
        const { resources } = await open();
        for (const each of ["a", "ab", "b"]) await resources.create(poolDefinition, poolInput(each), alice);
        const selected = await resources.list(poolDefinition, {
          namespace: "shop",
          fieldSelector: "metadata.name=a",
        });
        expect(namesOf(selected)).toEqual(["shop/a"]);
        await refused(resources.list(poolDefinition, { fieldSelector: "spec.colour=red" }), "BadRequest");
      });

      it("pages at one revision, whatever is written in between", async () => {
        const { resources } = await open();
        const names = Array.from({ length: 30 }, (_, index) => `web-${String(index).padStart(2, "0")}`);
        for (const each of names) await resources.create(poolDefinition, poolInput(each), controller);
        const first = await resources.list(poolDefinition, { limit: 10 });
        expect(first.remainingItemCount).toBe(20);
        for (const each of names.slice(10, 20)) {
          await resources.delete({ ...web, name: each }, controller);
          await resources.create(poolDefinition, poolInput(`${each}-new`), controller);
        }
        const seen = [...namesOf(first)];
        let page = first;
        while (page.continue) {
          page = await resources.list(poolDefinition, { limit: 10, continue: page.continue });
          expect(page.resourceVersion).toBe(first.resourceVersion);
          seen.push(...namesOf(page));
        }
        expect(seen).toEqual(names.map((each) => `shop/${each}`));
      });

      it("fills pages of what is selected", async () => {
        const { resources } = await open();
        for (let index = 10; index < 40; index += 1) {
          const labels = { odd: String(index % 2) };
          await resources.create(poolDefinition, poolInput(`web-${index}`, {}, { labels }), controller);
        }
        const first = await resources.list(poolDefinition, { limit: 10, labelSelector: "odd=1" });
        expect(first.items).toHaveLength(10);
        const rest = await resources.list(poolDefinition, {
          limit: 10,
          labelSelector: "odd=1",
          continue: first.continue ?? "",
        });
        expect([...namesOf(first), ...namesOf(rest)]).toHaveLength(15);
        expect(rest.continue).toBeUndefined();
      });

      it("lists as of an earlier revision, and answers Expired when that is forgotten", async () => {
        const { resources, forgetHistory } = await open();
        const pool = await resources.create(poolDefinition, poolInput("web"), controller);
        const { resourceVersion = "" } = pool.metadata;
        await resources.delete(web, controller);
        await resources.create(poolDefinition, poolInput("other"), controller);
        await resources.create(poolDefinition, poolInput("third"), controller);
        expect(namesOf(await resources.list(poolDefinition, { resourceVersion }))).toEqual(["shop/web"]);
        const page = await resources.list(poolDefinition, { limit: 1 });
        await resources.create(poolDefinition, poolInput("fourth"), controller);
        await forgetHistory();
        await refused(resources.list(poolDefinition, { resourceVersion }), "Expired");
        await refused(resources.list(poolDefinition, { limit: 1, continue: page.continue ?? "" }), "Expired");
        await refused(resources.list(poolDefinition, { continue: "nonsense" }), "BadRequest");
      });
    });

    describe("watching", () => {
      it("tells of every existing object first, then of every change", async () => {
        const { resources } = await open();
        await resources.create(poolDefinition, poolInput("web"), alice);
        const seen = follow(resources, { signal: stop.signal });
        expect(await seen.take(1)).toEqual(["ADDED web rr"]);
        await resources.update(web, poolInput("web", { scheduler: "wrr" }), alice);
        await resources.delete(web, alice);
        expect(await seen.take(2)).toEqual(["MODIFIED web wrr", "DELETED web wrr"]);
      });

      it("resumes after a revision without loss, also after a restart", async () => {
        const { resources, reopen } = await open();
        await resources.create(poolDefinition, poolInput("web"), alice);
        const { resourceVersion } = await resources.list(poolDefinition);
        for (const scheduler of ["wrr", "lc", "wlc"]) {
          await resources.update(web, poolInput("web", { scheduler }), alice);
        }
        const expected = ["MODIFIED web wrr", "MODIFIED web lc", "MODIFIED web wlc"];
        expect(await follow(resources, { resourceVersion, signal: stop.signal }).take(3)).toEqual(expected);
        const again = await reopen();
        expect(await follow(again, { resourceVersion, signal: stop.signal }).take(3)).toEqual(expected);
      });

      it("answers Expired when it cannot resume", async () => {
        const { resources, forgetHistory } = await open();
        const pool = await resources.create(poolDefinition, poolInput("web"), alice);
        await resources.update(web, poolInput("web", { scheduler: "wrr" }), alice);
        await resources.update(web, poolInput("web", { scheduler: "lc" }), alice);
        await forgetHistory();
        const { resourceVersion = "" } = pool.metadata;
        await refused(follow(resources, { resourceVersion, signal: stop.signal }).take(1), "Expired");
      });

      it("sees an object come and go as it begins and ends to match", async () => {
        const { resources } = await open();
        const pool = await resources.create(poolDefinition, poolInput("web"), alice);
        const { resourceVersion = "" } = pool.metadata;
        const seen = follow(resources, { labelSelector: "on=yes", resourceVersion, signal: stop.signal });
        const on = await resources.update(web, withLabels(pool, { on: "yes" }), alice);
        const changed = { ...poolInput("web", { scheduler: "wrr" }, { labels: { on: "yes" } }) };
        await resources.update(web, changed, alice);
        const off = await resources.update(web, withLabels(await resources.get(web), { on: "no" }), alice);
        expect(await seen.take(3)).toEqual(["ADDED web rr", "MODIFIED web wrr", "DELETED web wrr"]);
        expect(seen.revisions()).toEqual([
          on.metadata.resourceVersion,
          expect.anything(),
          off.metadata.resourceVersion,
        ]);
      });

      it("bookmarks what it has delivered when asked to, within 5 s", async () => {
        const { resources, pass } = await open();
        const { resourceVersion } = await resources.list(poolDefinition);
        const watch = resources.watch(poolDefinition, {
          resourceVersion,
          bookmarks: true,
          signal: stop.signal,
        });
        const next = watch[Symbol.asyncIterator]().next();
        const other = await resources.create(
          nodeDefinition,
          { metadata: { name: "n1" }, spec: {} },
          controller,
        );
        await pass(5_000);
        const { value } = await next;
        expect(value).toMatchObject({ type: "BOOKMARK" });
        expect(Number(value.resourceVersion)).toBeGreaterThanOrEqual(Number(other.metadata.resourceVersion));
      });

      it("ends quietly when its signal aborts", async () => {
        const { resources } = await open();
        const aborted = new AbortController();
        const watch = resources.watch(poolDefinition, { signal: aborted.signal })[Symbol.asyncIterator]();
        const next = watch.next();
        aborted.abort();
        expect((await next).done).toBe(true);
      });
    });

    describe("namespaces", () => {
      it("makes a namespace when the first object comes", async () => {
        const { resources } = await open();
        await resources.create(poolDefinition, poolInput("web"), alice);
        const namespace = await resources.get({ definition: namespaceDefinition, name: "shop" });
        expect(namespace).toMatchObject({ status: { phase: "Active" } });
        await refused(
          resources.create(namespaceDefinition, { metadata: { name: "shop" } }, alice),
          "AlreadyExists",
        );
      });

      it("takes no new objects while it is being deleted", async () => {
        const { resources } = await open();
        await resources.create(poolDefinition, poolInput("web"), alice);
        const deleted = await resources.delete({ definition: namespaceDefinition, name: "shop" }, alice);
        expect(deleted).toMatchObject({ status: { phase: "Terminating" } });
        const failure = await refused(
          resources.create(poolDefinition, poolInput("other"), alice),
          "Forbidden",
        );
        expect(failure.message).toMatch(/namespace shop because it is being terminated/);
      });
    });

    describe("operations", () => {
      it("records who did what, with before and after, at the revision of the change", async () => {
        const { resources } = await open();
        const created = await resources.create(poolDefinition, poolInput("web"), {
          ...alice,
          reason: "launch",
        });
        const changed = await resources.update(web, poolInput("web", { scheduler: "wrr" }), {
          operator: "bob",
        });
        await resources.delete(web, alice);
        const operations = (await resources.list(operationDefinition)).items as readonly Operation[];
        const sorted = [...operations].sort((a, b) => Number(a.spec.revision) - Number(b.spec.revision));
        const verbs = sorted.map(
          ({ spec }) => `${spec.operator} ${spec.verb} ${spec.object.kind}/${spec.object.name}`,
        );
        expect(verbs).toEqual(["alice create Pool/web", "bob update Pool/web", "alice delete Pool/web"]);
        expect(sorted[0]?.spec).toMatchObject({
          reason: "launch",
          revision: created.metadata.resourceVersion,
        });
        expect(sorted[0]?.spec.before).toBeUndefined();
        expect(sorted[1]?.spec).toMatchObject({
          revision: changed.metadata.resourceVersion,
          before: { spec: { scheduler: "rr" } },
          after: { spec: { scheduler: "wrr" } },
        });
        expect(sorted[2]?.spec.after).toBeUndefined();
      });

      it("names the member when only one changed, and no other time", async () => {
        const { resources } = await open();
        await resources.create(
          poolDefinition,
          poolInput("web", { members: [member(80), member(81)] }),
          controller,
        );
        const change = (spec: object) => resources.update(web, poolInput("web", spec), alice);
        await change({ members: [member(80), member(81, { state: "drain" })] });
        await change({ members: [member(80, { weight: 2 }), member(81)] });
        await change({ members: [member(80, { weight: 2 }), member(81), member(82)] });
        const operations = (await resources.list(operationDefinition)).items as readonly Operation[];
        const sorted = [...operations].sort((a, b) => Number(a.spec.revision) - Number(b.spec.revision));
        expect(sorted.map(({ spec }) => spec.verb)).toEqual(["drain", "update", "update"]);
        expect(sorted.map(({ spec }) => spec.member)).toEqual(["10.0.0.1:81", undefined, "10.0.0.1:82"]);
      });

      it("tells no secret", async () => {
        const { resources } = await open();
        const healthCheck = { type: "mysql", mysql: { user: "probe", password: "hunter2" } };
        const input = poolInput("web", { healthCheck });
        const annotations = { "kubectl.kubernetes.io/last-applied-configuration": JSON.stringify(input) };
        await resources.create(poolDefinition, poolInput("web", { healthCheck }, { annotations }), alice);
        expect(JSON.stringify(await resources.list(operationDefinition))).not.toContain("hunter2");
        expect(JSON.stringify(await resources.get(web))).toContain("hunter2");
      });

      it("leaves none for controllers, dry runs, statuses and writes that change nothing", async () => {
        const { resources } = await open();
        const pool = await resources.create(poolDefinition, poolInput("web"), controller);
        await resources.update(web, poolInput("web", { scheduler: "wrr" }), { ...alice, dryRun: true });
        await resources.update(web, poolInput("web"), alice);
        await resources.update(
          web,
          { ...pool, status: { conditions: [] } },
          { ...alice, subresource: "status" },
        );
        expect((await resources.list(operationDefinition)).items).toEqual([]);
      });
    });
  });
}

function withLabels(object: KubeObject, labels: Record<string, string>): KubeObject {
  return { ...object, metadata: { ...object.metadata, labels } };
}

function withFinalizers(object: KubeObject, finalizers: readonly string[]): KubeObject {
  return { ...object, metadata: { ...object.metadata, finalizers } };
}

/** Reads, adds one, writes back, again from the start on a conflict. @returns how many conflicts there were. */
async function incrementDrainSeconds(resources: Resources): Promise<number> {
  for (let conflicts = 0; ; conflicts += 1) {
    const pool = (await resources.get(web)) as Pool;
    const next = { ...pool, spec: { ...pool.spec, drainSeconds: pool.spec.drainSeconds + 1 } };
    try {
      await resources.update(web, next, { operator: "system:test" });
      return conflicts;
    } catch (failure) {
      if (!hasCode(failure, "Conflict")) throw failure;
    }
  }
}

function namesOf({ items }: { readonly items: readonly KubeObject[] }): string[] {
  return items.map(({ metadata }) => `${metadata.namespace}/${metadata.name}`);
}

async function refused(promise: Promise<unknown>, code: ErrorCode): Promise<ParasausError> {
  const failure = await promise.then(
    () => new Error("it was not refused"),
    (error: unknown) => error,
  );
  if (!(failure instanceof ParasausError)) throw failure;
  expect(failure.code).toBe(code);
  return failure;
}

/** A watch of pools whose events are taken as they come, as text. */
function follow(resources: Resources, options: WatchOptions) {
  const events = resources.watch(poolDefinition, options)[Symbol.asyncIterator]();
  const seen: Exclude<WatchEvent, { type: "BOOKMARK" }>[] = [];
  const take = async (count: number): Promise<string[]> => {
    const first = seen.length;
    while (seen.length < first + count) {
      const { value, done } = await events.next();
      if (done) throw new Error(`The watch ended after ${seen.length} events`);
      if (value.type !== "BOOKMARK") seen.push(value);
    }
    return seen.slice(first).map(({ type, object }) => {
      return `${type} ${object.metadata.name} ${(object as Pool).spec.scheduler}`;
    });
  };
  return { take, revisions: () => seen.map(({ object }) => object.metadata.resourceVersion) };
}
