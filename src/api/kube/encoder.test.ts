import { beforeEach, describe, expect, it } from "vitest";
import { FakeClock } from "../../foundation/index.ts";
import { type KubeObject, poolDefinition } from "../../model/index.ts";
import { createEncoder, type Encoder } from "./encoder.ts";
import type { Representation } from "./representation.ts";

const pool = poolDefinition.applyDefaults({
  apiVersion: "parasaus.io/v1",
  kind: "Pool",
  metadata: {
    name: "web",
    namespace: "shop",
    resourceVersion: "7",
    creationTimestamp: "2026-01-01T00:00:00Z",
  },
  spec: {},
} as KubeObject);
const event = { type: "MODIFIED", object: pool } as const;
const plain: Representation = { kind: "object" };
const table: Representation = { kind: "table", includeObject: "Metadata" };

describe("createEncoder", () => {
  let clock: FakeClock;
  let encoder: Encoder;
  const read = (line: Buffer) => JSON.parse(line.toString());

  beforeEach(() => {
    clock = new FakeClock();
    encoder = createEncoder(poolDefinition, clock);
  });

  it("encodes an event once for everybody who wants it in the same form", () => {
    const line = encoder.event(event, plain);
    expect(encoder.event({ ...event }, plain)).toBe(line);
    expect(read(line)).toEqual({ type: "MODIFIED", object: pool });
    expect(line.toString().endsWith("}\n")).toBe(true);
  });

  it("keeps apart what differs in type, form or object", () => {
    const lines = [
      encoder.event(event, plain),
      encoder.event({ type: "ADDED", object: pool }, plain),
      encoder.event(event, table),
      encoder.event(event, { kind: "table", includeObject: "None" }),
      encoder.event(event, { kind: "metadata" }),
      encoder.event({ type: "MODIFIED", object: { ...pool } }, plain),
    ];
    expect(new Set(lines).size).toBe(lines.length);
  });

  it("lets the ages in tables go on", async () => {
    const ageOf = (line: Buffer): string => read(line).object.rows[0].cells[4];
    expect(ageOf(encoder.event(event, table))).toBe("0s");
    await clock.advance(5_000);
    expect(ageOf(encoder.event(event, table))).toBe("5s");
  });

  it.each<[string, Representation]>([
    ["objects", plain],
    ["metadata", { kind: "metadata" }],
    ["a table", table],
    ["a table of whole objects", { kind: "table", includeObject: "Object" }],
  ])("puts the pieces of a list of %s together to one document, whatever its length", (_, form) => {
    for (const count of [0, 1, 3]) {
      const items = Array.from({ length: count }, () => pool);
      const document = JSON.parse(
        [...encoder.list({ items, resourceVersion: "9", continue: "t" }, form)].join(""),
      );
      expect(document.metadata).toEqual({ resourceVersion: "9", continue: "t" });
      expect(document.rows ?? document.items).toHaveLength(count);
      expect(document.kind).toBe(
        { object: "PoolList", metadata: "PartialObjectMetadataList", table: "Table" }[form.kind],
      );
    }
  });

  it("encodes a bookmark once for everybody, and the next one anew", () => {
    const at = (resourceVersion: string) => encoder.event({ type: "BOOKMARK", resourceVersion }, plain);
    const line = at("9");
    expect(at("9")).toBe(line);
    expect(read(at("10")).object.metadata.resourceVersion).toBe("10");
  });

  it("bookmarks in the form that the client reads", () => {
    const bookmark = { type: "BOOKMARK", resourceVersion: "9" } as const;
    expect(read(encoder.event(bookmark, plain)).object).toEqual({
      apiVersion: "parasaus.io/v1",
      kind: "Pool",
      metadata: { resourceVersion: "9" },
    });
    expect(read(encoder.event(bookmark, table)).object).toMatchObject({
      kind: "Table",
      metadata: { resourceVersion: "9" },
      rows: [],
    });
  });
});
