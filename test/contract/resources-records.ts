import { describe, expect, it } from "vitest";
import {
  namespaceDefinition,
  type Operation,
  operationDefinition,
  poolDefinition,
} from "../../src/model/index.ts";

import {
  alice,
  controller,
  member,
  poolInput,
  type ResourcesUnderTest,
  refused,
  web,
} from "./resources-world.ts";

/** What is made beside an object: its namespace, its Operations. */
export function describeRecords(open: () => Promise<ResourcesUnderTest>): void {
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
      const failure = await refused(resources.create(poolDefinition, poolInput("other"), alice), "Forbidden");
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
}
