import { describe, expect, it } from "vitest";
import { ParasausError } from "../../foundation/index.ts";
import { type Pool, poolDefinition } from "../../model/index.ts";
import type { Resources } from "../../resources/index.ts";
import { changeObject } from "./change-object.ts";

const REFERENCE = { definition: poolDefinition, namespace: "default", name: "web" };

function pool(revision: number, uid = "uid", generation = 1): Pool {
  const metadata = { name: "web", namespace: "default", uid, resourceVersion: String(revision), generation };
  return { apiVersion: "parasaus.io/v1", kind: "Pool", metadata, spec: {} } as unknown as Pool;
}

/** One object with optimistic concurrency; `others` write between our read and our write. */
function storeOf(stored: Pool | undefined, others: (() => Pool | undefined)[] = []) {
  let current = stored;
  let revision = 100;
  const reads: string[] = [];
  const resources = {
    get: async () => {
      reads.push(current?.metadata.resourceVersion ?? "none");
      if (!current) throw new ParasausError("NotFound", "it is gone");
      return current;
    },
    update: async (_reference: unknown, object: Pool) => {
      const other = others.shift();
      if (other) current = other();
      if (!current) throw new ParasausError("NotFound", "it is gone");
      if (object.metadata.resourceVersion !== current.metadata.resourceVersion) {
        throw new ParasausError("Conflict", "somebody else was faster");
      }
      revision += 1;
      current = { ...object, metadata: { ...object.metadata, resourceVersion: String(revision) } };
      return current;
    },
  } as unknown as Resources;
  return { resources, reads };
}

const label = (object: Pool): Pool => ({
  ...object,
  metadata: { ...object.metadata, labels: { seen: "yes" } },
});
const run = (
  store: { resources: Resources },
  known: Pool,
  change: (object: Pool) => Pool | undefined = label,
) =>
  changeObject({
    resources: store.resources,
    reference: REFERENCE,
    known,
    change,
    write: { operator: "test" },
  });

describe("changing an object that others write too", () => {
  it("writes what is known without reading it again", async () => {
    const store = storeOf(pool(5));
    expect((await run(store, pool(5)))?.metadata).toMatchObject({
      resourceVersion: "101",
      labels: { seen: "yes" },
    });
    expect(store.reads).toEqual([]);
  });

  it("applies the change to what somebody else has written meanwhile, and loses nothing of it", async () => {
    const store = storeOf(pool(5), [() => pool(6, "uid", 7)]);
    expect((await run(store, pool(5)))?.metadata).toMatchObject({ generation: 7, labels: { seen: "yes" } });
    expect(store.reads).toEqual(["6"]);
  });

  it("writes nothing when there is nothing to change", async () => {
    const known = pool(5);
    expect(await run(storeOf(pool(5)), known, () => undefined)).toBe(known);
  });

  it("gives up quietly when the object is gone, or another has taken its name", async () => {
    expect(await run(storeOf(undefined), pool(5))).toBeUndefined();
    expect(await run(storeOf(pool(5), [() => undefined]), pool(5))).toBeUndefined();
    expect(await run(storeOf(pool(9, "another")), pool(5))).toBeUndefined();
  });

  it("throws when others are faster again and again, so that the key is tried later", async () => {
    let revision = 10;
    const rival = (): Pool => {
      revision += 1;
      return pool(revision);
    };
    const store = storeOf(pool(5), Array(50).fill(rival));
    await expect(run(store, pool(5))).rejects.toMatchObject({ code: "Conflict" });
  });
});
