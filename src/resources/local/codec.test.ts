import { expect, it } from "vitest";
import type { KubeObject } from "../../model/index.ts";
import { textOf } from "../index.ts";
import { encodeObject, ObjectReader } from "./codec.ts";
import { ORIGINAL_EPOCH } from "./epoch.ts";
import { ResourceVersions } from "./resource-versions.ts";

const reader = new ObjectReader(new ResourceVersions(ORIGINAL_EPOCH));

it("stores metadata before the rest, so that a list is made of the stored text without encoding anything", () => {
  // As the API makes them: what a client sends comes first.
  const pool = { kind: "Pool", spec: { members: [] }, apiVersion: "v1", metadata: { name: "web", uid: "u" } };
  const value = encodeObject(pool as KubeObject);
  expect(value).toBe(
    '{"apiVersion":"v1","kind":"Pool","metadata":{"name":"web","uid":"u"},"spec":{"members":[]}}',
  );
  const object = reader.read({ key: "/web", value, createRevision: 7, modRevision: 7 });
  // Encoding would put the revision last.
  expect(textOf(object)).toBe(value.replace('"metadata":{', '"metadata":{"resourceVersion":"7",'));
  expect(JSON.parse(textOf(object))).toEqual(object);
});
