import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { nodeDefinition, poolDefinition, serviceDefinition } from "../../src/model/index.ts";

import {
  alice,
  controller,
  follow,
  namesOf,
  poolInput,
  type ResourcesUnderTest,
  refused,
  web,
  withLabels,
} from "./resources-world.ts";

/** Listing and watching. */
export function describeReading(open: () => Promise<ResourcesUnderTest>): void {
  let stop = new AbortController();
  beforeEach(() => {
    stop = new AbortController();
  });
  afterEach(() => stop.abort());

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
}
