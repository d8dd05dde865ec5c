import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { hasCode } from "../../src/foundation/index.ts";
import { type Node, nodeDefinition } from "../../src/model/index.ts";
import type { Resources } from "../../src/resources/index.ts";
import { createLocalResources, writeHeartbeats } from "../../src/resources/local/index.ts";
import { openTestResources, type TestResources } from "./local-resources.ts";

const HOUR_MS = 3_600_000;

describe.each([
  ["an embedded store", false],
  ["a cached store", true],
])("numbers of nodes in %s", (_what, isCached) => {
  let world: TestResources;
  beforeEach(async () => {
    world = await openTestResources({}, isCached);
  });
  afterEach(() => world[Symbol.asyncDispose]());

  const register = async (name: string, resources: Resources = world.resources) =>
    (await resources.create(
      nodeDefinition,
      { metadata: { name } },
      { operator: `system:node:${name}` },
    )) as Node;
  const write = (name: string, status: object) =>
    world.resources.patch(
      { definition: nodeDefinition, name },
      { type: "merge", body: { status } },
      { operator: `system:node:${name}`, subresource: "status" },
    ) as Promise<unknown> as Promise<Node>;
  const remove = (name: string) =>
    world.resources.delete({ definition: nodeDefinition, name }, { operator: "ann" });
  const numbers = async () => {
    const { items } = await world.resources.list(nodeDefinition);
    return (items as readonly Node[]).map(({ status }) => status?.number);
  };
  const names = (count: number) => Array.from({ length: count }, (_, index) => `n${index + 1}`);
  const registerAll = async (count: number) => {
    for (const name of names(count)) await register(name);
  };

  it("gives exactly 254 of 300 that register at once at three servers one each, and tells the others why", async () => {
    const { store, clock } = world;
    const servers = [1, 2, 3].map(() => createLocalResources({ store, clock }));
    const attempts = await Promise.allSettled(
      names(300).map((name, index) => register(name, servers[index % 3])),
    );
    const given = await numbers();
    expect(given).toHaveLength(254);
    expect(new Set(given)).toEqual(new Set(Array.from({ length: 254 }, (_, index) => index + 1)));
    const refusals = attempts.flatMap((attempt) => (attempt.status === "rejected" ? [attempt.reason] : []));
    expect(refusals).toHaveLength(46);
    expect(refusals.every((refusal) => hasCode(refusal, "CapacityExceeded"))).toBe(true);
    expect(refusals[0].message).toMatch(
      /^Cannot register node "n\d+": all 254 node numbers are taken, which is the limit; delete a node that is gone for good \(parasaus delete node\/NAME\), or wait until one was not heard of for 24 hours$/,
    );
  });

  it("keeps a number whatever is written to the node, and over a restart of the store", async () => {
    await register("a");
    await register("b");
    expect((await write("b", { number: 7, driver: "memory" })).status).toEqual({
      number: 2,
      driver: "memory",
    });
    await world.resources.update(
      { definition: nodeDefinition, name: "b" },
      { metadata: { name: "b" }, spec: {}, status: { driver: "ebpf" } },
      { operator: "ann", subresource: "status" },
    );
    await world.reopen();
    expect(await numbers()).toEqual([1, 2]);
  });

  it("frees the number of a node that is deleted, for the next one", async () => {
    await registerAll(254);
    await expect(register("late")).rejects.toThrow("all 254 node numbers are taken");
    await remove("n17");
    expect((await register("late")).status?.number).toBe(17);
    await expect(register("later")).rejects.toThrow("all 254 node numbers are taken");
  });

  it("gives the number of a node that was silent for a day to a new one, and never that of one that was heard", async () => {
    await registerAll(254);
    await world.clock.advance(23 * HOUR_MS);
    const heard = new Map(names(254).map((name) => [name, { atMs: world.clock.now().getTime() }]));
    heard.delete("n5");
    expect(await writeHeartbeats(world.store, heard, () => true)).toBe(true);
    await expect(register("new")).rejects.toThrow("all 254 node numbers are taken");
    await world.clock.advance(HOUR_MS);
    expect((await register("new")).status?.number).toBe(5);
    await expect(register("newer")).rejects.toThrow("all 254 node numbers are taken");
    const given = await numbers();
    expect(given.filter((number) => number !== undefined)).toHaveLength(254);
    expect(new Set(given.filter(Boolean)).size).toBe(254);
    const back = await write("n5", { driver: "memory" });
    expect(back.status).toEqual({ driver: "memory" });
    await remove("n9");
    expect((await write("n5", { driver: "ebpf" })).status).toEqual({ driver: "ebpf", number: 9 });
  });

  it("gives a node that was registered before there were numbers one with its next write", async () => {
    const key = "/parasaus/registry/parasaus.io/nodes/old";
    const old = { apiVersion: "parasaus.io/v1", kind: "Node", metadata: { name: "old", uid: "u" }, spec: {} };
    await world.store.transact([], [{ kind: "put", key, value: JSON.stringify(old) }]);
    await register("new");
    expect((await write("old", { driver: "memory" })).status?.number).toBe(2);
  });

  it("writes nothing for a dry run", async () => {
    const options = { operator: "ann", dryRun: true };
    const dry = await world.resources.create(nodeDefinition, { metadata: { name: "dry" } }, options);
    expect((dry as Node).status?.number).toBe(1);
    expect((await register("wet")).status?.number).toBe(1);
  });
});
